"""What must hold: each figure, its fail line, its aim, and what a run says.

The figures are those that the project has set itself; README.md of this folder
says where each comes from. Always true: a figure that the run did not measure
has no value and is not judged.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench import peer_runs as peers
from bench.measured import Results

Value = Callable[[Results], float | None]

ONE_CPU = "machine/round_trip/one_cpu"
TWO_CPUS = "machine/round_trip/two_cpus"


@dataclass(frozen=True)
class Figure:
    """One line of the table."""
    group: str
    text: str
    unit: str  # as tables.py formats it
    value: Value
    fail: float
    aim: float | None = None
    more_is_better: bool = False

    def verdict(self, value: float | None) -> str:
        """Returns "aim", "met", "missed", or "" if there is no value."""
        if value is None:
            return ""
        if self.aim is not None and self._reaches(value, self.aim):
            return "aim"
        return "met" if self._reaches(value, self.fail) else "missed"

    def _reaches(self, value: float, line: float) -> bool:
        return value >= line if self.more_is_better else value <= line


def pipelined(servers: int, size: int, commands: int) -> str:
    """Names the case."""
    return f"pipelined/servers:{servers}/bytes:{size}/commands:{commands}"


def of(case: str, counter: str) -> Value:
    """The median of a counter."""
    return lambda results: results.median(case, counter)


def share(case: str, counter: str, of_case: str, of_counter: str = "") -> Value:
    """One median divided by another."""
    def value(results: Results) -> float | None:
        above = results.median(case, counter)
        below = results.median(of_case, of_counter or counter)
        return above / below if above is not None and below else None
    return value


def drift(case: str) -> Value:
    """How far the last tenth's rate is from the first one's."""
    def value(results: Results) -> float | None:
        ratio = results.median(case, "last_to_first")
        return None if ratio is None else abs(ratio - 1)
    return value


def elections(servers: int, part: float) -> Value:
    """A quantile of the elections in virtual time."""
    return lambda results: results.quantile(
        f"virtual/election/servers:{servers}", "time_ms", part)


MAIN = pipelined(3, 16, 1_000_000)
LARGE = pipelined(3, 256, 1_000_000)
DEQUES = "machine/three_deques/bytes:16"
LARGE_DEQUES = "machine/three_deques/bytes:256"
LONE = "sequential/servers:3"
STORED = f"{LARGE}/files"


def throughput() -> list[Figure]:
    """Figures 1 and 3 to 5."""
    more = {"more_is_better": True}
    return [
        Figure("RPCs", "bytes of the largest", "bytes",
               of("largest_rpc", "largest_bytes"), 1_000_000),
        Figure("pipelined, 16 bytes", "share of three deques", "ratio",
               share(MAIN, "per_second", DEQUES), 0.35, 0.8, **more),
        Figure("", "commands a second", "rate",
               of(MAIN, "per_second"), 1.5e6, 3e6, **more),
        Figure("", "CPU per command", "ns",
               of(MAIN, "cpu_ns_per_command"), 1000, 500),
        Figure("", "5 servers, of the rate of 3", "ratio",
               share(pipelined(5, 16, 1_000_000), "per_second", MAIN),
               0.5, **more),
        Figure("flat", "last tenth off the first", "ratio",
               drift("flat/commands:1000000"), 0.2),
        Figure("", "100k, of the rate of 1M", "ratio",
               share(pipelined(3, 16, 100_000), "per_second", MAIN),
               0.55, **more),
        Figure("256 bytes", "share of three deques", "ratio",
               share(LARGE, "per_second", LARGE_DEQUES), 0.18, **more),
        Figure("", "commands a second", "rate",
               of(LARGE, "per_second"), 4e5, 8e5, **more),
    ]


def latency() -> list[Figure]:
    """Figures 6 to 9."""
    found = [
        Figure("one at a time", "p50, in two-CPU round trips", "ratio",
               share(LONE, "p50_us", TWO_CPUS), 2.5, 1.5),
        Figure("", "on one CPU, in its round trips", "ratio",
               share(f"{LONE}/one_cpu", "p50_us", ONE_CPU), 6, 4.5),
        Figure("", "p99, in p50", "ratio",
               share(LONE, "p99_us", LONE, "p50_us"), 5),
        Figure("long logs", "Start() at 1M, in those at 1k", "ratio",
               share("append/entries:1000000", "ns", "append/entries:1000"),
               1.5),
        Figure("", "restart with 1M entries", "s",
               of("restart/entries:1000000", "seconds"), 0.5),
        Figure("", "catch-up, entries a second", "rate",
               of("catch_up/commands:1000000", "per_second"), 1e6,
               more_is_better=True),
    ]
    for servers in (3, 5):
        found += [
            Figure(f"election of {servers}", "p50", "ms",
                   elections(servers, 0.5), 350),
            Figure("", "p99", "ms", elections(servers, 0.99), 700),
            Figure("", "heartbeats a second and peer", "number",
                   of(f"virtual/heartbeats/servers:{servers}",
                      "per_peer_and_second"), 10),
        ]
    return found


def costs() -> list[Figure]:
    """Figures 10 and 11."""
    idle = "idle/clusters:100"
    return [
        Figure("memory", "heap bytes per entry and server", "bytes",
               of("memory/commands:1000000", "bytes_per_entry"), 120, 50),
        Figure("idle clusters", "voluntary switches a second", "number",
               of(idle, "switches_per_cluster"), 40, 32),
        Figure("", "CPU of 100, of one core", "ratio",
               of(idle, "cpu_share"), 0.15, 0.1),
        Figure("network", "calls a second", "rate",
               of("rpc/asynchronous", "per_second"), 6e5, 1e6,
               more_is_better=True),
        Figure("", "blocking, in two-CPU round trips", "ratio",
               share("rpc/blocking", "p50_us", TWO_CPUS), 1),
        Figure("", "on one CPU, in its round trips", "ratio",
               share("rpc/blocking/one_cpu", "p50_us", ONE_CPU), 1.6),
    ]


def snapshots() -> list[Figure]:
    """What log compaction costs, and that it holds."""
    more = {"more_is_better": True}
    travel = "virtual/travel/crashes:3"
    return [
        Figure("snapshots", "one every 10,000 commands, of the rate without",
               "ratio", share(f"{MAIN}/snapshot_every:10000", "per_second",
                              MAIN), 0.85, 0.95, **more),
        Figure("", "that discards 100k of 1M, in one of 200k", "ratio",
               share("discard/entries:1000000", "us",
                     "discard/entries:200000"), 1.3),
        Figure("", "install of 100 MB, of memcpy", "ratio",
               share("install/bytes:100000000", "copied_per_second",
                     "machine/memcpy", "bytes_per_second"), 0.25, 0.5, **more),
        Figure("ten minutes of load", "largest raft state", "bytes",
               of("virtual/bounded", "largest_state_bytes"), 400_000),
        Figure("", "heap, in that of the first", "ratio",
               of("virtual/bounded", "heap_to_first_tenth"), 1.25),
        Figure("", "longest silence of a leader", "ms",
               of("virtual/bounded", "longest_silence_ms"), 120),
        Figure("100 MB, three crashes", "elections", "number",
               of(travel, "elections"), 0),
        Figure("", "longest silence of a leader", "ms",
               of(travel, "longest_silence_ms"), 120),
        Figure("ten hours of slow disks", "leaders", "number",
               of("virtual/disturbed/slow_disks/servers:3", "leaders"), 1),
    ]


def with_a_call(results: Results) -> float | None:
    """One Clerk's operation, in Raft's lone command and a call."""
    parts = [results.median(case, "p50_us")
             for case in ("kv/one_clerk", LONE, "rpc/blocking")]
    if None in parts:
        return None
    clerk, command, call = (part or 0.0 for part in parts)
    return clerk / (command + call)


def services() -> list[Figure]:
    """What a service adds to its Raft."""
    more = {"more_is_better": True}
    keys = "kv/clients:64/keys:"
    return [
        Figure("key/value", "one Clerk, p50, in a command and a call", "ratio",
               with_a_call, 1.5, 1.25),
        Figure("", "1,024 clients, of the calls of labrpc", "ratio",
               share("kv/clients:1024", "per_second", "rpc/asynchronous"),
               0.3, 0.5, **more),
        Figure("", "64 clients, of the calls of labrpc", "ratio",
               share("kv/clients:64", "per_second", "rpc/asynchronous"),
               0.3, 0.5, **more),
        Figure("", "CPU with 1M keys, in that with 1k", "ratio",
               share(keys + "1048576", "cpu_us_per_operation", keys + "1024"),
               1.5),
    ]


def sharding() -> list[Figure]:
    """What moves of shards cost, and what several groups bring."""
    more = {"more_is_better": True}
    move = "shards/move/bytes:100000000"
    return [
        Figure("five shards move", "p50, in an operation and a call", "ratio",
               of("shards/hand_over", "to_operation_and_call"), 3, 2),
        Figure("", "slowest of another shard, in its usual p99", "ratio",
               of("shards/unaffected", "slowest_to_p99"), 2),
        Figure("groups", "4, 1,024 clients, of the rate of 1", "ratio",
               share("shards/groups:4/clients:1024", "per_second",
                     "shards/groups:1/clients:1024"), 1, **more),
        Figure("", "32, of the rate of 1, in virtual time", "ratio",
               share("virtual/scaling/groups:32", "per_second",
                     "virtual/scaling/groups:1"), 20, **more),
        Figure("100 MB move", "slowest operation of another shard", "us",
               of(move, "slowest_us"), 10_000),
        Figure("", "heap, in the data of both groups", "ratio",
               of(move, "heap_to_data"), 2),
        Figure("tests of lab 4", "CPU of all under one seed", "s",
               of("virtual/all_of_lab_4", "seconds"), 4),
    ]


def of_plain_file(results: Results) -> float | None:
    """What three servers write a second, of what a plain file takes."""
    rate = share(STORED, "per_second", "disk/pipelined")(results)
    return None if rate is None else 3 * rate


def files() -> list[Figure]:
    """What a storage in files makes of the disk's limits."""
    more = {"more_is_better": True}
    found = [
        Figure("3 servers on one disk", "one at a time, p50, in flushes",
               "ratio", share(f"{LONE}/files", "p50_us", "disk/flush"), 3, 2.2),
        Figure("", "pipelined, bytes of all, of a plain file's", "ratio",
               of_plain_file, 0.5, 0.8, **more),
        Figure("", "CPU per command, in that in memory", "ratio",
               share(STORED, "cpu_ns_per_command", LARGE), 2),
        Figure("storage in files", "one at a time, p50, in flushes", "ratio",
               share("files/writers:1", "p50_us", "disk/flush"), 2, 1.3),
        Figure("", "64 writers, of the rate of a plain file", "ratio",
               share("files/writers:64", "per_second", "disk/writers:64"),
               0.5, 0.8, **more),
        Figure("", "pipelined, of the rate of a plain file", "ratio",
               share("files/pipelined", "per_second", "disk/pipelined"),
               0.5, 0.8, **more),
        Figure("", "recovery of 10M, of reading and checking", "ratio",
               of("files/recovery/entries:10000000", "of_read_and_check"),
               0.5, 0.8, **more),
        Figure("", "space, in what must be there", "ratio",
               of("files/space", "of_needed"), 1.3),
    ]
    for database in ("leveldb", "rocksdb"):
        found.append(
            Figure("", f"pipelined, of the rate of {database}", "ratio",
                   share("files/pipelined", "per_second",
                         f"{database}/pipelined"), 1, **more))
    return found


def beside_peers() -> list[Figure]:
    """Ours beside other Rafts, in ratios by round."""
    more = {"more_is_better": True}

    def to(peer: str, work: peers.Work) -> Value:
        def value(results: Results) -> float | None:
            ratio = peers.rate(results, work, peer)
            return ratio.middle if ratio else None
        return value

    def to_best(work: peers.Work, of: Callable[..., peers.Ratio | None]
                ) -> Value:
        def value(results: Results) -> float | None:
            name = peers.best(results, work)
            ratio = of(results, work, name) if name else None
            return ratio.middle if ratio else None
        return value

    lone = peers.Work(16, 1)
    found = [
        Figure("beside other Rafts", "one at a time, of hashicorp's rate",
               "ratio", to("hashicorp-tuned", lone), 0.9, 1.3, **more),
        Figure("", "one at a time, of etcd's rate", "ratio",
               to("etcd", lone), 0.35, 0.6, **more)]
    for size, fail, aim in ((16, 2.0, 3.0), (256, 1.3, 2.0)):
        for window in (1_024, 65_536):
            work = peers.Work(size, window)
            found.append(Figure("", f"{work}, of the fastest", "ratio",
                                to_best(work, peers.rate), fail, aim, **more))
    for window in (1_024, 65_536):
        work = peers.Work(256, window)
        found += [
            Figure("", f"{work}, CPU of the fastest", "ratio",
                   to_best(work, peers.share_of_cost), 0.7, 0.45),
            Figure("", f"{work}, page faults a million", "number",
                   of(work.case(), "faults_per_million"), 120_000, 60_000),
            Figure("", f"{work}, share of the kernel", "ratio",
                   of(work.case(), "kernel_share"), 0.25, 0.15)]
    return found


FIGURES = throughput() + latency() + costs() + snapshots() + services() + \
    sharding() + files() + beside_peers()
