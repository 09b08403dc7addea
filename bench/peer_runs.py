"""Other Rafts beside ours, in one run and with the same work: PEERS=1.

The work is that of peers.h. libraft does it in raft_bench; the peers in Go are
programs of their own, in peers/, built here. All kinds do their work in turn in
each round, so a ratio is that of one round, and the table has the median of
those, and their range.

Always true: a ratio above 1 is to our advantage.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from bench.measured import Results
from tools import ROOT
from tools.command import Problem
from tools.process import inherited

PREFIX = "peers/"
SOURCES = ROOT / "bench/peers"


@dataclass(frozen=True)
class Peer:
    """A way to use another Raft."""
    name: str       # in the names of cases
    text: str       # in the table
    program: str = ""  # in Go: peers/PROGRAM.go; else raft_bench does it
    variant: str = ""
    commands: int = 1_000_000  # of a window; few where many take too long


PEERS = (
    Peer("etcd", "etcd raft, each proposed", "etcd", "each"),
    Peer("etcd-merged", "etcd raft, merged", "etcd", "merged"),
    Peer("hashicorp", "hashicorp/raft, defaults", "hashicorp", "default",
         200_000),
    Peer("hashicorp-tuned", "hashicorp/raft, tuned", "hashicorp", "tuned",
         200_000),
    Peer("libraft", "libraft, one a call"),
    Peer("libraft-merged", "libraft, 64 a call"),
)
ONE_AT_A_TIME = 20_000  # commands, with a window of 1


class Work(NamedTuple):
    """What a case is about."""
    size: int
    window: int

    def __str__(self) -> str:
        if self.window == 1:
            return f"{self.size} B, one at a time"
        return f"{self.size} B, {self.window:,} outstanding"

    def case(self, peer: str = "ours") -> str:
        """Names the case of that peer."""
        return f"{PREFIX}{peer}/bytes:{self.size}/window:{self.window}"


ALL_WORK = tuple(Work(size, window) for size in (16, 256)
                 for window in (1, 1_024, 65_536))


def build(folder: Path) -> None:
    """Compiles the peers in Go, from Debian's packages alone."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = inherited("GO") | {
        "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
        "GOCACHE": str(folder / "cache")}
    for program in sorted({peer.program for peer in PEERS if peer.program}):
        command = ["go", "build", "-o", str(folder / program),
                   str(SOURCES / f"{program}.go"), str(SOURCES / "work.go")]
        ended = subprocess.run(command, env=environment, text=True,
                               capture_output=True, check=False)
        if ended.returncode != 0:
            raise Problem(f"bench/peers/{program}.go does not compile with the "
                          "library that is installed",
                          ended.stderr.splitlines()[:10])


class Command(NamedTuple):
    """A peer's program with its work."""
    case: str
    arguments: list[str]


def commands(folder: Path) -> Iterator[Command]:
    """Yields what the peers in Go have to do in one round."""
    for work in ALL_WORK:
        for peer in PEERS:
            if peer.program:
                count = ONE_AT_A_TIME if work.window == 1 else peer.commands
                yield Command(work.case(peer.name), [
                    str(folder / peer.program), str(work.size), str(count),
                    str(work.window), peer.variant])


def row(case: str, line: str) -> dict[str, object]:
    """Returns what a program has printed as Google Benchmark has it."""
    measured = json.loads(line)
    seconds = measured.pop("seconds")
    return {"name": case, "run_name": case, "run_type": "iteration",
            "iterations": 1, "time_unit": "s", "real_time": seconds,
            "cpu_time": seconds, **measured}


class Ratio(NamedTuple):
    """A ratio in the rounds of a run."""
    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.least:.2f}-{self.most:.2f})"


def by_round(results: Results, above: str, below: str,
             counter: str) -> Ratio | None:
    """Returns the ratio of two cases, taken in each round."""
    pairs = zip(results.values(above, counter), results.values(below, counter))
    ratios = [one / other for one, other in pairs if other]
    if not ratios:
        return None
    return Ratio(median(ratios), min(ratios), max(ratios))


def rate(results: Results, work: Work, peer: str) -> Ratio | None:
    """Our commands a second, in theirs."""
    return by_round(results, work.case(), work.case(peer), "per_second")


def cost(results: Results, work: Work, peer: str) -> Ratio | None:
    """Their CPU for a command, in ours."""
    return by_round(results, work.case(peer), work.case(), "cpu_ns_per_command")


def share_of_cost(results: Results, work: Work, peer: str) -> Ratio | None:
    """Our CPU for a command, in theirs."""
    return by_round(results, work.case(), work.case(peer), "cpu_ns_per_command")


def latency(results: Results, work: Work, peer: str) -> Ratio | None:
    """Their median time of a command, in ours."""
    return by_round(results, work.case(peer), work.case(), "p50_us")


def best(results: Results, work: Work) -> str | None:
    """Names the peer that is fastest at that work."""
    rates = {peer.name: results.median(work.case(peer.name), "per_second")
             for peer in PEERS}
    known = {name: value for name, value in rates.items() if value}
    return max(known, key=lambda name: known[name]) if known else None


def table(results: Results) -> Table | None:
    """Returns all ratios, if any peer was run."""
    shown = [work for work in ALL_WORK if best(results, work)]
    if not shown:
        return None
    made = Table("beside ours", "rate", "CPU for a command", "p50",
                 box=box.SIMPLE_HEAD, pad_edge=False,
                 caption="ratios by round, median (range); above 1 is to our "
                         "advantage")
    for work in shown:
        made.add_row(Text(str(work), "bold"))
        for peer in PEERS:
            ratios = [ratio(results, work, peer.name)
                      for ratio in (rate, cost, latency)]
            if any(ratios):
                made.add_row(f"  {peer.text}",
                             *(str(ratio or "-") for ratio in ratios))
    return made
