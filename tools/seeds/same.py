"""Checks that a seed is one run: the same hashes and texts, however it is run.

`make sim-same`. For each seed the lab's tests are run as they are and then in
each of the ways below; test by test, the trace hash and the printed text must
be equal (and the debug log, where it is on). The exit status is 0 if they were,
1 if not, 2 for a wrong argument.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

from tools import events
from tools.command import Arguments, Problem, disk_options
from tools.process import Launcher
from tools.seeds import notice
from tools.seeds.seeds import LARGEST_SEED, MOST_JOBS, MOST_SEEDS

HASH = re.compile(r"^seed=\d+ hash=(\w+) .*--gtest_filter=(\S+)$", re.MULTILINE)


class Way(NamedTuple):
    """One way to run the tests."""
    environment: dict[str, str]
    kind: str = "plain"     # of build
    beside_load: bool = False
    one_by_one: bool = False  # each test selected alone


WAYS = {
    "again": Way({}),
    "loaded": Way({}, beside_load=True),
    "environment": Way({"A_LONG_VARIABLE": "x" * 5000}),
    "log": Way({"GLOG_v": "3"}),
    "log again": Way({"GLOG_v": "3"}),
    "unwatched": Way({"ORACLE": "off"}),
    "recorded": Way({"TRACE": os.devnull}),
    "asan": Way({}, kind="asan"),
    "native": Way({"SIM_ENGINE": "native"}),
    "alone": Way({}, one_by_one=True),
}


class Outcome(NamedTuple):
    """What a run was."""
    hashes: dict[str, str]  # by test
    text: str
    log: str  # the debug log's lines


def debug_lines(log: str) -> str:
    """Returns glog's lines. What was printed stands among them in the order in
    which it came out of another pipe, which is real time's."""
    return "\n".join(re.findall(r"^[IWEF]\d{8} .*$", log, re.MULTILINE))


def without_real_times(text: str) -> str:
    """Drops what differs rightly: the log's name, and how long it took."""
    text = re.sub(r"^seed \d+, .*\blog .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\(\d+\.\d+s\)", "(T)", text)


class Runner:
    """Runs the tests of one folder of builds, out/."""

    def __init__(self, out: Path, options: argparse.Namespace) -> None:
        self.launcher = Launcher()
        self.out = out
        self.profile = options.profile
        self.disk = disk_options(options.disk)
        self.tests = events.selection("", options.lab)

    def run(self, seed: int, way: Way,
            selection: Iterable[str] | None = None) -> Outcome:
        """Runs the selected tests once, or all."""
        with tempfile.TemporaryDirectory(prefix="same-") as folder:
            stats = Path(folder) / "stats"
            environment = os.environ | way.environment | {
                "SIM_SEED": str(seed), "SIM_ONLY": "--child",
                "SIM_PROFILE": self.profile, "SIM_STATS": str(stats)}
            done = self.launcher.run(
                [self.out / way.kind / "raft_sim", *(selection or self.tests),
                 *self.disk, "--json", f"--seed={seed}", "--target=sim"],
                env=environment)
            hashes = {test: value
                      for value, test in HASH.findall(stats.read_text())}
        run = events.read(done.output, done.status)
        log = Path(run.log or "no log was named")
        content = log.read_text("utf-8", "replace")
        log.unlink()
        return Outcome(hashes, without_real_times(run.text),
                       debug_lines(content))

    def run_way(self, seed: int, way: Way, reference: Outcome) -> Outcome:
        """Runs all tests, together or one by one."""
        if not way.one_by_one:
            return self.run(seed, way)
        hashes: dict[str, str] = {}
        for test in events.listed(self.out / way.kind / "raft_sim", self.tests):
            hashes |= self.run(seed, way, [f"--run=^{test.test}$"]).hashes
        return reference._replace(hashes=hashes)


def differences(reference: Outcome, other: Outcome) -> list[str]:
    """Names the tests whose hash differs, and says if only a text does."""
    tests = [test for test, value in reference.hashes.items()
             if other.hashes.get(test) != value]
    if tests:
        return [f"{test} is another run" for test in tests]
    return ["the printed text differs"] if reference.text != other.text else []


def check_seed(runner: Runner, seed: int, names: list[str]) -> list[str]:
    """Returns a line for each way in which the seed was not the same run."""
    reference = runner.run(seed, Way({}))
    found = [] if reference.hashes else ["no test was simulated"]
    logs: list[str] = []
    for name in names:
        outcome = runner.run_way(seed, WAYS[name], reference)
        found += [f"{name}: {what}" for what in
                  differences(reference, outcome)]
        if name.startswith("log"):
            logs.append(outcome.log)
    if len(set(logs)) > 1:
        found.append("log: the debug log differs from run to run")
    return [f"seed {seed}: {line}" for line in found]


def check_loaded(runner: Runner, seeds: list[int]) -> list[str]:
    """Runs each seed twice, the second time beside two busy loops."""
    references = [runner.run(seed, Way({})) for seed in seeds]
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
             for _ in range(2)]
    try:
        return [f"seed {seed}: loaded: {what}"
                for seed, reference in zip(seeds, references)
                for what in differences(reference, runner.run(seed, Way({})))]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.number("seed", 1, 0, LARGEST_SEED)
    parser.number("seeds", 3, 1, MOST_SEEDS)
    parser.choice("profile", "harsh", "fair", hint="fair or harsh")
    parser.disk()
    parser.number("jobs", 1, 1, MOST_JOBS)
    parser.texts("ways", default=",".join(WAYS))
    parser.texts("lab")
    options = parser.read(arguments)
    options.ways = options.ways.split(",")
    if unknown := set(options.ways) - set(WAYS):
        raise Problem(f"unknown ways: {', '.join(sorted(unknown))}; give some "
                      f"of: {', '.join(WAYS)}")
    return options


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    options = parse_arguments(arguments)
    seeds = list(range(options.seed, options.seed + options.seeds))
    names = options.ways
    runner = Runner(options.out, options)
    notice.show(options.out / "plain/raft_sim")
    found: list[str] = []

    def report(lines: list[str]) -> None:
        found.extend(lines)
        print("\n".join(lines), end="\n" if lines else "", flush=True)

    quiet = [name for name in names if not WAYS[name].beside_load]
    with futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            for lines in pool.map(lambda seed: check_seed(runner, seed, quiet),
                                  seeds if quiet else []):
                report(lines)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            runner.launcher.stop()
    if len(quiet) < len(names):
        runner = Runner(options.out, options)
        report(check_loaded(runner, seeds))
    print(f"{len(seeds)} seeds in {len(names)} ways: "
          f"{len(found)} differences")
    return 1 if found else 0
