"""Tests of ci.py and plan.py, with a clock and commands of their own.

Called by the test Tools.Ci of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.ci.ci_test`, in the root.
"""

import contextlib
import io
import unittest

from tools.ci import ci, plan
from tools.ci.plan import Command, Step, make


class Machine:
    """Runs commands on a clock of its own."""

    def __init__(self, **seconds: float) -> None:
        self.now = 1000.0
        self.seconds = seconds
        self.ran: list[str] = []
        self.outcomes: dict[str, tuple[int, list[str]]] = {}

    def clock(self) -> float:
        """Returns the time."""
        return self.now

    def run(self, command: Command) -> tuple[int, list[str]]:
        """Runs a command `make name ...`."""
        name = command.words[1]
        self.ran.append(name)
        self.now += self.seconds[name]
        return self.outcomes.get(name, (0, command.results *
                                        ["", "2 passed, 0 failed"]))


def run(machine: Machine, steps: list[Step], budget: float) -> ci.Ci:
    """Runs the steps."""
    that = ci.Ci(steps, budget, machine.run, machine.clock)
    with contextlib.redirect_stdout(io.StringIO()):
        that.run_all()
    return that


def two_steps() -> list[Step]:
    """Returns a step that is always whole, and two that are not."""
    return [Step("test", [make("test", results=2)]),
            Step("sim", [make("sim", results=1)], [make("sim", results=1)] * 9),
            Step("slow", [make("slow")], [make("slow")] * 9)]


class Budget(unittest.TestCase):
    """What runs."""

    def test_minimum_always_runs(self) -> None:
        """Even if there is no time at all."""
        machine = Machine(test=60, sim=10, slow=30)
        run(machine, two_steps(), budget=0)
        self.assertEqual(machine.ran, ["test", "sim", "slow"])

    def test_time_is_shared(self) -> None:
        """Each gets as much, and nothing begins that would not end in time."""
        machine = Machine(test=60, sim=10, slow=30)
        run(machine, two_steps(), budget=100 + 75)
        self.assertEqual(machine.ran[3:],
                         ["sim", "slow", "sim", "sim", "sim"])
        self.assertLessEqual(machine.now - 1000, 175)

    def test_no_more_than_there_is(self) -> None:
        """Rounds end, too."""
        machine = Machine(test=60, sim=10, slow=30)
        that = run(machine, two_steps(), budget=1e6)
        self.assertEqual(len(machine.ran), 3 + 18)
        self.assertEqual([step.rounds for step in that.steps], [0, 9, 9])

    def test_last_round_foretells_the_next(self) -> None:
        """The minimum has to build first, so it is no measure without end."""
        step = Step("sim", [make("sim")], [make("sim")] * 9)
        step.has_run(100, further=False)
        self.assertIsNone(plan.next_step([step], 99))
        step.has_run(5, further=True)
        self.assertIs(plan.next_step([step], 99), step)
        self.assertEqual((step.seconds, step.further_seconds), (105, 5))

    def test_without_a_minimum(self) -> None:
        """It comes first, if there is time for one more build."""
        for budget, ran in ((299, ["sim", "slow", "sim"]),
                            (300, ["asan", "sim", "slow", "sim", "asan"])):
            machine = Machine(build=100, test=60, sim=10, slow=30, asan=10)
            run(machine, [Step(plan.BUILD, [make("build")]), *two_steps(),
                          Step("asan", [], [make("asan")] * 2)], budget)
            self.assertEqual(machine.ran[4:4 + len(ran)], ran)


class Outcome(unittest.TestCase):
    """What comes out."""

    def test_results_are_added(self) -> None:
        """Over all runs; whatever else prints such a line does not count."""
        machine = Machine(test=60, sim=10, slow=30)
        machine.outcomes["slow"] = (0, ["5 passed, 1 failed"])
        that = run(machine, two_steps(), budget=110)
        self.assertEqual(that.table()[-1], "8 passed, 0 failed")
        self.assertEqual(that.status(), 0)
        self.assertIn("sim                   1 + 1    0:20", that.table())
        self.assertIn("test                  whole    1:00", that.table())

    def test_failure_hides_nothing(self) -> None:
        """Later steps run, and it shows in the end."""
        machine = Machine(test=60, sim=10, slow=30)
        machine.outcomes["test"] = (1, ["3 passed, 1 failed"] * 2)
        that = run(machine, two_steps(), budget=0)
        self.assertEqual(machine.ran, ["test", "sim", "slow"])
        self.assertEqual(that.table()[-2:], [
            "failed: make test: exit status 1", "8 passed, 2 failed"])
        self.assertEqual(that.status(), 1)

    def test_runs_are_counted(self) -> None:
        """One that ended early is no success, whatever its exit status."""
        machine = Machine(test=60, sim=10, slow=30)
        machine.outcomes["test"] = (0, ["3 passed, 0 failed"])
        that = run(machine, two_steps(), budget=0)
        self.assertIn("failed: make test: 1 results instead of 2",
                      that.table())
        self.assertEqual(that.status(), 1)


class Plan(unittest.TestCase):
    """The steps of a day."""

    def test_always_whole(self) -> None:
        """What is never cut."""
        steps = plan.steps_of("2026-01-02", "v1", 75)
        self.assertEqual([step.name for step in steps if not step.further], [
            "lint", "build", "test", "race", "fuzz", "hidden fsgsbase",
            "mutate-test", "skeleton-test", "isolated", "browser",
            "bench-test"])
        self.assertIn(make("lint", "SINCE=v1"), steps[0].minimum)
        self.assertEqual([step.name for step in steps if not step.minimum],
                         ["sim-same, asan"])

    def test_day_draws(self) -> None:
        """The same seeds all day, and others on the next; each mutant once."""
        first, again, other = (
            [str(command) for step in plan.steps_of(day, "", 75)
             for command in step.minimum + step.further]
            for day in ("2026-01-02", "2026-01-02", "2026-01-03"))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertEqual([line for line in first if "mutants" in line][-1],
                         "make mutants SAMPLE=8 ROUND=10")
        self.assertEqual([line for line in first if "mutate SAMPLE" in line],
                         [f"make mutate SAMPLE=12 ROUND={n} "
                          "'ONLY=base rpc labrpc persister raft'"
                          for n in range(1, 7)])

    def test_budget(self) -> None:
        """A number of minutes."""
        self.assertEqual(ci.budget_s(None), 40 * 60)
        self.assertEqual(ci.budget_s("0.5"), 30)
        for bad in ("x", "-1", "nan", "inf", "1m"):
            with self.assertRaises(ValueError):
                ci.budget_s(bad)
