"""How one solution is graded: built, looked at, run by the tests."""

import argparse
import re
import shlex
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tools import ROOT, events
from tools.build import NOT_INHERITED, build
from tools.command import Problem
from tools.grade import labs, submission
from tools.grade.result import Grade, TestResult
from tools.process import Launcher, Stopped, ask, inherited
from tools.seeds import seeds

# Of the compiler, for a solution of ordinary size.
COMPILER_LIMITS = ("prlimit", "--cpu=600", f"--as={8 << 30}",
                   f"--fsize={1 << 30}")
# Of a process of it, without ThreadSanitizer, which reserves far more.
MEMORY_GB = "8"


@dataclass
class Judge:
    """The tests, built without what they test."""
    lab: labs.Lab
    real: Path
    simulated: Path
    tests: list[events.Test] = field(default_factory=list)
    run: str = ""  # a regular expression that selects them; all if it is empty

    def select(self, tests: Iterable[events.Test]) -> None:
        """Leaves only these."""
        self.tests = list(tests)
        self.run = f"^({'|'.join(test.test for test in self.tests)})$"


@dataclass
class Settings:
    """How much is run of each one."""
    runs: int          # in real time
    seeds: int
    race_seeds: int
    limit_s: float     # of the whole grading
    jobs: int          # processors to keep busy


@dataclass
class Programs:
    """One solution, built in three ways."""
    real: Path
    simulated: Path
    race: Path


class Grader:
    """Grades what is in a student's `rooms`, with ours for the rest. `say` gets
    what happens, if someone is watching."""

    def __init__(self, name: str, rooms: dict[str, str], judge: Judge,
                 settings: Settings,
                 say: Callable[[str], object] = lambda _: None) -> None:
        self.rooms = rooms
        self.judge = judge
        self.settings = settings
        self.say = say
        self.begin = time.monotonic()
        self.launcher = Launcher()
        self.session: seeds.Session | None = None
        self.environment = {"RAFT_DISKS": "" if self.saves_as_ours() else
                            "opaque"}
        self.theirs = " ".join(
            [f"{room.upper()}={shlex.quote(folder)}"
             for room, folder in rooms.items()]
            + ([] if judge.lab is labs.RAFT else [f"LAB={judge.lab.number}"]))
        self.suffix = f" ISOLATED=1 {self.theirs}".rstrip()
        self.grade = Grade(name)
        for tests in (self.grade.tests, self.grade.race_tests):
            tests |= {test.test: TestResult(test.group) for test in judge.tests}

    def saves_as_ours(self) -> bool:
        """True if the tests can read its disks."""
        raft = self.rooms.get("raft")
        return raft is None or submission.is_same(
            Path(raft) / "saved_state.h", ROOT / "raft/saved_state.h")

    def stop(self) -> None:
        """Ends what runs; run() returns soon, with a result without value."""
        self.launcher.stop()
        if self.session:
            self.session.stop()

    def left(self) -> float:
        """Returns how many seconds are left for it."""
        return max(1, self.begin + self.settings.limit_s - time.monotonic())

    def is_late(self) -> bool:
        """True if there is no time left."""
        late = time.monotonic() > self.begin + self.settings.limit_s
        if late:
            self.grade.trouble = ("the limit of the grading was reached: "
                                  f"{self.settings.limit_s / 60:.0f} min")
        return late

    def run(self) -> Grade:
        """Does all of it."""
        try:
            programs = self.build()
        except Problem as problem:
            self.grade.build_error = str(problem)
        except OSError as error:
            self.grade.build_error = f"its folder cannot be read: {error}"
        except Stopped:
            pass
        else:
            with suppress(Stopped):
                self.run_tests(programs)
        self.grade.whole_seconds = time.monotonic() - self.begin
        return self.grade

    def run_tests(self, programs: Programs) -> None:
        """Runs them in all ways. In real time they mostly sleep: what is
        simulated runs beside them, on what they leave of the processors."""
        with futures.ThreadPoolExecutor(1) as beside:
            really = beside.submit(lambda: list(self.run_really(programs)))
            self.run_simulated(programs)
            self.run_race(programs)
            for seed, run in enumerate(really.result(), start=1):
                self.grade.read_run(run, f"make test{self.suffix} SEED={seed}")
                self.read_log(Path(run.log))

    # ------------------------------------------------------------- building

    def build(self) -> Programs:
        """Builds it; raises Problem if that is not possible."""
        place = "out"
        if self.rooms:
            for folder in self.rooms.values():
                submission.check_folder(Path(folder))
            place = ask([ROOT / "tools/theirs.sh",
                         *(f"{room}={folder}" for room, folder
                           in self.rooms.items())]).stdout.strip()
            if place.startswith("error: "):
                raise Problem(place.removeprefix("error: "))
        self.say(f"building {place}")
        host = f"{self.judge.lab.kind}_host"
        built = Programs(*(self.build_one(place, program, variant)
                           for program, variant in (
                               (host, "plain"),
                               (f"{host}_sim", "plain"),
                               (f"{host}_sim", "race"))))
        if self.rooms:
            self.look(ROOT / place)
        return built

    def build_one(self, place: str, program: str, variant: str) -> Path:
        """Builds one program."""
        return ROOT / build(program, variant, place=place,
                            jobs=self.settings.jobs, launcher=self.launcher,
                            limits=COMPILER_LIMITS, limit=self.left())

    def look(self, place: Path) -> None:
        """Notes what must not be in the folders, or need not be."""
        sources: set[Path] = set()
        texts: list[str] = []
        names: set[str] = set()
        for variant in ("plain", "race"):
            compiled = submission.Compiled(place / variant, place / "tree",
                                           self.rooms)
            compiled.check()
            sources.update(compiled.sources())
            names |= compiled.functions()
            with tempfile.TemporaryDirectory(prefix="grade-") as folder:
                out = Path(folder) / "preprocessed"
                for command in compiled.preprocessings(out):
                    done = self.launcher.run(
                        [*COMPILER_LIMITS, *command], cwd=compiled.build,
                        limit=self.left())
                    if done.status != 0:
                        raise Problem("the compiler does not show what it saw "
                                      "of its sources")
                    texts.append(compiled.own_text(
                        out.read_text("utf-8", "replace")))
        self.grade.race = submission.blindfold(
            [path.read_text("utf-8", "replace") for path in sources],
            texts, names)
        self.grade.to_look_at = submission.worth_a_look(texts, names)

    # -------------------------------------------------------------- running

    def run_seeds(self, target: str, count: int, environment: dict[str, str]
                  ) -> Iterable[seeds.SeedResult]:
        """Runs the tests simulated."""
        self.say(f"make {target}, {count} seeds")
        options = argparse.Namespace(
            program=str(self.judge.simulated), run=self.judge.run,
            target=target,
            profile="fair", theirs=self.theirs, lab="", jobs=self.settings.jobs,
            sshlogins="", isolated="1", disk="")
        with tempfile.TemporaryDirectory(prefix="grade-") as folder:
            self.session = seeds.Session(options, Path(folder),
                                         self.environment | environment)
            self.session.inherited = inherited(*NOT_INHERITED)
            if self.launcher.is_stopped:
                self.session.stop()
            self.session.limit_s = self.left
            self.session.prefix = ["nice", "-n", "19"]
            yield from self.session.results_here(list(range(1, count + 1)))

    def run_simulated(self, programs: Programs) -> None:
        """Runs the tests under the seeds."""
        environment = {"RAFT_PROGRAM": str(programs.simulated),
                       "RAFT_MEMORY_GB": MEMORY_GB}
        for result in self.run_seeds("sim", self.settings.seeds, environment):
            self.is_late()
            self.grade.read_run(result.run, f"make sim{self.suffix} SEEDS=1 "
                                f"SEED={result.seed}", result.seed)
            self.grade.virtual_seconds += result.virtual_ms / 1000

    def run_race(self, programs: Programs) -> None:
        """Runs them with it under ThreadSanitizer, which ends it at the first
        report."""
        reports: list[str] = []
        environment = {"RAFT_PROGRAM": str(programs.race),
                       "TSAN_OPTIONS": "halt_on_error=1:exitcode=66"}
        for result in self.run_seeds("sim-race", self.settings.race_seeds,
                                     environment):
            reports += [f"{test.cause or test.message} ({test.test}, seed "
                        f"{result.seed})" for test in result.run.failed
                        if test.way == "sanitizer"]
            # One that does not run shows no race either.
            if result.run.trouble or len(result.run.tests) < len(
                    self.grade.tests) or self.is_late():
                reports.append(result.run.trouble or "it did not run")
            self.grade.read_race_run(result.run, f"make sim-race{self.suffix} "
                                     f"SEEDS=1 SEED={result.seed}", result.seed)
        self.grade.race = self.grade.race or min(reports, default="")

    def run_really(self, programs: Programs) -> Iterator[events.Run]:
        """Runs them in real time; what is yielded is for one thread to read."""
        for seed in range(1, self.settings.runs + 1):
            self.say(f"real time, run {seed} of {self.settings.runs}")
            begin = time.monotonic()
            ended = self.launcher.run(
                [self.judge.real, *events.selection(self.judge.run), "--json",
                 f"--seed={seed}",
                 f"--parallel={4 * self.settings.jobs}",
                 f"--target=test{self.suffix}"],
                cwd=ROOT, limit=self.left(),
                env=inherited(*NOT_INHERITED) | self.environment | {
                    "RAFT_PROGRAM": str(programs.real),
                    "RAFT_MEMORY_GB": MEMORY_GB})
            self.is_late()
            self.grade.real_seconds += time.monotonic() - begin
            yield events.read(ended.output, ended.status)

    def read_log(self, log: Path) -> None:
        """Notes the oracle's rules that a run's log says are off."""
        if log.is_file():
            text = log.read_text("utf-8", "replace")
            self.grade.rules_off |= set(re.findall(r"oracle: off: (.*)", text))
