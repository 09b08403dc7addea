"""Runs the benchmarks, merges their JSON, and shows tables: `make bench`.

Each case is a process of its own, so that no case finds the heap or the threads
of another. All cases run once, then all once more, and so on: what disturbs the
machine for a minute then disturbs a repetition of each, not all of one. The
machine's own limits are measured in each round as well, whatever RUN asks for.

Exit status: 0 if everything was delivered as it must be, whatever the figures;
1 if not, or if a case has no figure at all; 2 for a wrong argument, with one
line on standard error; 130 if interrupted.
"""

import argparse
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from bench import page, peer_runs
from bench.measured import Results, read, short_name
from bench.tables import Tables
from tools import ROOT
from tools.command import Arguments, Problem, write_whole
from tools.process import Launcher, ask, children_seconds, inherited

OUTPUT = ROOT / "out/bench.json"
MOST_REPETITIONS = 100
WIDTH = 110  # what the tables need beside a base
TIME_LIMIT_S = 300  # for one case, which takes seconds

# An election is one sample; so many make its quantiles.
REAL_ELECTIONS = 50
VIRTUAL_ELECTIONS = 500
ELECTIONS_PER_SEED = 10
LAB_4 = "virtual/all_of_lab_4"  # its tests; no case of the programs
ONLY_IN_VIRTUAL_TIME = ("disturbed/", "bounded", "travel/", "scaling/")
IN_VIRTUAL_TIME = ("election/", "heartbeats/", *ONLY_IN_VIRTUAL_TIME)


@dataclass
class Job:
    """One process to run."""
    case: str     # as it is shown
    program: Path
    listed: str   # as the program lists it
    samples: int = 1
    seed: int = 0  # of the simulator; 0: none
    work: tuple[str, ...] = ()  # the arguments of a peer's program


@dataclass
class Run:
    """What has come out so far."""
    context: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def listed(program: Path) -> list[str]:
    """Returns the cases that the program has."""
    if not program.exists():
        raise Problem(f"{program} is not there: run make bench")
    return ask([program, "--benchmark_list_tests=true"]).stdout.split()


def share_of(total: int, turn: int, turns: int) -> range:
    """Returns which of `total` samples belong to that turn."""
    return range(total * turn // turns, total * (turn + 1) // turns)


def real_jobs(program: Path, turn: int, turns: int) -> Iterator[Job]:
    """Yields one job for each case."""
    for name in listed(program):
        if name.startswith(ONLY_IN_VIRTUAL_TIME):
            continue
        samples = 1
        if name.startswith("election/"):
            samples = len(share_of(REAL_ELECTIONS, turn, turns)) or 1
        yield Job(short_name(name), program, name, samples)


def virtual_jobs(program: Path, turn: int, turns: int) -> Iterator[Job]:
    """Yields the jobs under the simulator, a seed each."""
    for name in listed(program):
        case = f"virtual/{short_name(name)}"
        if name.startswith("election/"):
            seeds = VIRTUAL_ELECTIONS // ELECTIONS_PER_SEED
            for seed in share_of(seeds, turn, turns):
                yield Job(case, program, name, ELECTIONS_PER_SEED, seed + 1)
        elif name.startswith(IN_VIRTUAL_TIME):
            yield Job(case, program, name, 1, turn + 1)


def peer_jobs(programs: Path, turn: int, turns: int) -> Iterator[Job]:
    """Yields one job for each peer and work, ours among them."""
    for job in real_jobs(programs / "raft_bench", turn, turns):
        if job.case.startswith((peer_runs.PREFIX, "machine/")):
            yield job
    for case, (program, *work) in peer_runs.commands(programs / "peers"):
        yield Job(case, Path(program), case, work=tuple(work))


def suite_jobs(program: Path, turn: int) -> Iterator[Job]:
    """Yields the one of all tests of lab 4 under one seed, if they are
    built."""
    if program.exists():
        yield Job(LAB_4, program, "shardctrler,shardkv", seed=turn + 1)


def wanted(jobs: Iterable[Job], pattern: re.Pattern[str]) -> list[Job]:
    """Returns those that match, and the machine's limits before them."""
    jobs = list(jobs)
    if not any(pattern.search(job.case) for job in jobs):
        names = sorted({job.case.partition("/")[0] for job in jobs})
        raise Problem(f"RUN={pattern.pattern} matches no case: give a part of "
                      f"a name, such as {', '.join(names)}")
    return [job for job in jobs
            if pattern.search(job.case) or job.case.startswith("machine/")]


def environment(job: Job) -> dict[str, str]:
    """Returns what makes the process a simulated one, if it is to be."""
    own = inherited("SIM_", "BENCHMARK_")
    if job.seed:
        own |= {"SIM_SEED": str(job.seed), "SIM_PROFILE": "fair",
                "SIM_NOTICE": "off", "SIM_LIMIT": "24h"}
    return own


def telling_line(errors: str) -> str:
    """Returns the line that says why a program ended."""
    lines = [line for line in errors.splitlines() if line.strip()]
    checks = [line for line in lines if "Check failed" in line]
    return (checks or lines or ["no message"])[0 if checks else -1].strip()


def run_job(job: Job, run: Run, folder: Path) -> None:
    """Runs one process and takes what it has measured."""
    output = folder / "out.json"
    output.unlink(missing_ok=True)
    command = [str(job.program), f"--benchmark_filter=^{job.listed}$",
               f"--benchmark_repetitions={job.samples}",
               f"--benchmark_out={output}", "--benchmark_out_format=json"]
    ended = Launcher().run(command, env=environment(job), errors_only=True,
                           limit=TIME_LIMIT_S)
    if ended.status is None:
        run.wrong.append(f"{job.case}: no end after {TIME_LIMIT_S} s")
        return
    if ended.status != 0:
        seed = f" under SIM_SEED={job.seed}" if job.seed else ""
        run.wrong.append(f"{job.case}{seed}: status {ended.status}: "
                         f"{telling_line(ended.output)}")
        return
    add_rows(job, json.loads(output.read_text()), run)


def run_peer(job: Job, run: Run) -> None:
    """Runs a peer's program and takes the line that it prints."""
    ended = Launcher().run([job.program, *job.work], limit=TIME_LIMIT_S)
    if ended.status is None:
        run.wrong.append(f"{job.case}: no end after {TIME_LIMIT_S} s")
    elif ended.status != 0:
        run.wrong.append(f"{job.case}: status {ended.status}: "
                         f"{telling_line(ended.output)}")
    else:
        run.rows.append(peer_runs.row(job.case, ended.output))


def run_suite(job: Job, run: Run) -> None:
    """Runs all tests of a lab under the simulator, and takes their CPU time."""
    before = children_seconds()
    # Each test is a process of its own, and only that is simulated.
    ended = Launcher().run(
        [job.program, f"--lab={job.listed}", f"--seed={job.seed}"],
        env=environment(job) | {"SIM_ONLY": "--child"}, limit=TIME_LIMIT_S)
    if ended.status != 0:
        run.wrong.append(f"{job.case} under SIM_SEED={job.seed}: "
                         f"{telling_line(ended.output)}")
        return
    seconds = children_seconds() - before
    run.rows.append({"name": job.case, "run_name": job.case,
                     "run_type": "iteration", "iterations": 1,
                     "time_unit": "s", "real_time": seconds,
                     "cpu_time": seconds, "seconds": seconds})


def add_rows(job: Job, measured: dict[str, Any], run: Run) -> None:
    """Adds the repetitions of one process to those of the others."""
    run.context = run.context or measured["context"]
    for row in measured["benchmarks"]:
        if row["run_type"] == "iteration":
            name = row["name"].replace(short_name(row["name"]), job.case, 1)
            run.rows.append(row | {"name": name, "run_name": name})


def number_repetitions(rows: list[dict[str, Any]]) -> None:
    """Makes the rows of a case the repetitions of one run."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_name.setdefault(row["name"], []).append(row)
    for same in by_name.values():
        for index, row in enumerate(same):
            row["repetitions"] = len(same)
            row["repetition_index"] = index


def complaints(results: Results) -> tuple[list[str], list[str]]:
    """Returns what to say of repetitions without a figure, and of cases that
    have none at all; on a machine that cannot measure its limits those are
    none."""
    some = [f"{name}: {len(case.errors)} without a figure: {case.errors[0]}"
            for name, case in results.cases.items() if case.errors]
    none = [f"{name}: no figure at all" for name, case in results.cases.items()
            if not case.counters and not name.startswith("machine/")]
    return some, none


def jobs_of(options: argparse.Namespace) -> list[Job]:
    """Returns all that is to be run, in its order."""
    jobs: list[Job] = []
    for turn in range(options.repetitions):
        turns = (turn, options.repetitions)
        if options.peers:
            all_jobs = list(peer_jobs(options.programs, *turns))
        else:
            all_jobs = [
                *(job for job in
                  real_jobs(options.programs / "raft_bench", *turns)
                  if not job.case.startswith(peer_runs.PREFIX)),
                *virtual_jobs(options.programs / "raft_bench_sim", *turns),
                *suite_jobs(options.programs / "raft_sim", turn)]
        jobs += wanted(all_jobs, options.pattern)
    return jobs


def machine() -> str:
    """Names the processor, and says how many there are."""
    names = re.findall(r"^model name\s*: (.*)$",
                       Path("/proc/cpuinfo").read_text("utf-8"),
                       re.MULTILINE)
    return f"{os.cpu_count()} processors, {(names or ['unknown'])[0]}"


def measure(options: argparse.Namespace) -> int:
    """Runs everything and shows it; returns the exit status."""
    # Where there is no terminal, rich takes it to be 80 columns wide.
    console = Console(width=max(Console().width, WIDTH))
    base = read(Path(options.base)) if options.base else None
    run = Run()
    if options.peers:
        peer_runs.build(options.programs / "peers")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for job in track(jobs_of(options), "measuring", console=console,
                         transient=True, disable=not console.is_terminal):
            if job.case == LAB_4:
                run_suite(job, run)
            elif job.work:
                run_peer(job, run)
            else:
                run_job(job, run, Path(folder))
    results = Results(run.rows)
    if run.rows:
        number_repetitions(run.rows)
        write_whole(options.output, json.dumps(
            {"context": run.context, "benchmarks": run.rows}, indent=1) + "\n")
        Tables(results, base).show(console)
    if options.peers and run.rows:
        beside = options.output.with_name("peers.html")
        write_whole(beside, page.render(results, machine(),
                                        options.repetitions))
        console.print(f"as a page: {beside}", soft_wrap=True)
    some, none = complaints(results)
    for line in [*some, *none, *(f"WRONG: {line}" for line in run.wrong)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"all of it: {options.output}", soft_wrap=True)
    return 1 if run.wrong or none else 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = Arguments(__doc__)
    parser.texts("run", "base")
    parser.choice("peers", "", "1", hint="1, or leave it out")
    parser.number("repetitions", 5, 1, MOST_REPETITIONS, variable="REPS")
    parser.add_argument("--programs", type=Path, default=ROOT / "out/plain")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.read(arguments)
    try:
        options.pattern = re.compile(options.run)
    except re.error as error:
        raise Problem(f"RUN={options.run} is no regular expression: "
                      f"{error}") from error
    return options


def main(arguments: list[str]) -> int:
    """Does what the command line says."""
    try:
        return measure(parse_arguments(arguments))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; nothing was written") from None
