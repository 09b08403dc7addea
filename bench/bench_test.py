"""Tests of `make bench`: its tables, its driver, and each case once, small.

Called by the test Tools.Bench of tests/unit/tools/tools_test.cc, and with the
programs by `make bench-test`, whose BENCH_PROGRAMS names their folder; without
it their own tests are skipped.
"""

import io
import json
import os
import subprocess
import tempfile
import unittest
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console

from bench import bench, measured, page, peer_runs
from bench.figures import FIGURES, MAIN, Figure
from bench.tables import Tables, change, written
from tools import command

# What Google Benchmark's programs do, as far as bench.py knows them.
FAKE = '''#!/usr/bin/python3 -S
import json, os, sys
flags = dict(flag.split("=", 1) for flag in sys.argv[1:])
if "--benchmark_list_tests" in flags:
    for case in os.environ["FAKE_CASES"].split():
        print(case + "/iterations:1/manual_time")
    sys.exit()
name = flags["--benchmark_filter"][1:-1]
if name.startswith("crash"):
    print("F1122 file.cc:7] Check failed: 1 == 2 not once", file=sys.stderr)
    sys.exit(134)
row = {"name": name, "run_type": "iteration", "time_unit": "ms",
       "real_time": 2.0, "per_second": 10.0,
       "seed": float(os.environ.get("SIM_SEED", 0))}
if name.startswith("lost"):
    row |= {"error_occurred": True, "error_message": "no leader"}
rows = [row] * int(flags["--benchmark_repetitions"])
with open(flags["--benchmark_out"], "w") as out:
    json.dump({"context": {}, "benchmarks": rows}, out)
'''


def row(name: str, **counters: float) -> dict[str, Any]:
    """One repetition, as Google Benchmark writes it."""
    return {"name": f"{name}/iterations:1/manual_time", "iterations": 1,
            "run_type": "iteration", "real_time": 5e6, "cpu_time": 1.0,
            "time_unit": "ns", **counters}


def shown(now: measured.Results, base: measured.Results | None = None) -> str:
    """Both tables as text."""
    out = io.StringIO()
    Tables(now, base).show(Console(file=out, width=200))
    return out.getvalue()


class ReadingResults(unittest.TestCase):
    """results.py."""

    def test_takes_medians_and_spreads(self) -> None:
        run = measured.Results([row("a", n=n) for n in (1.0, 10.0, 2.0)])
        self.assertEqual(run.median("a", "n"), 2.0)
        spread = run.spread("a", "n")
        assert spread is not None
        self.assertEqual((spread.least, spread.most), (1.0, 10.0))
        self.assertEqual(spread.percent, 225.0)
        self.assertEqual(run.median("a", "time_ms"), 5.0)

    def test_what_was_not_run_has_no_value(self) -> None:
        run = measured.Results([row("a")])
        self.assertIsNone(run.median("b", "n"))
        self.assertIsNone(run.spread("a", "n"))
        self.assertIsNone(run.quantile("b", "time_ms", 0.5))

    def test_leaves_out_aggregates_and_errors(self) -> None:
        run = measured.Results([
            row("a", n=1.0), row("a", n=7.0) | {"run_type": "aggregate"},
            row("a") | {"error_occurred": True, "error_message": "why"}])
        self.assertEqual(run.values("a", "n"), [1.0])
        self.assertEqual(run.cases["a"].errors, ["why"])

    def test_quantiles(self) -> None:
        values = [float(i) for i in range(101)]
        self.assertEqual(measured.quantile(values, 0.5), 50.0)
        self.assertEqual(measured.quantile(values, 0.99), 99.0)
        self.assertEqual(measured.quantile([3.0], 0.99), 3.0)

    def test_a_broken_file_is_one_line(self) -> None:
        for text in ("", "{", "[]", "7", '{"benchmarks": 3}',
                     '{"benchmarks": []}', '{"benchmarks": [{}]}',
                     '{"benchmarks": [7]}', '{"benchmarks": [{"name": 1}]}'):
            with self.subTest(text), \
                    self.assertRaises(measured.BadFile) as caught:
                measured.parse(text, "old.json")
            self.assertNotIn("\n", str(caught.exception))
            self.assertIn("old.json", str(caught.exception))


class JudgingFigures(unittest.TestCase):
    """figures.py and tables.py."""

    def test_verdicts(self) -> None:
        less = Figure("", "", "", lambda _: None, fail=10, aim=5)
        more = Figure("", "", "", lambda _: None, fail=5, aim=10,
                      more_is_better=True)
        plain = Figure("", "", "", lambda _: None, fail=5)
        for figure, value, verdict in (
                (less, 11, "missed"), (less, 10, "met"), (less, 5, "aim"),
                (more, 4, "missed"), (more, 5, "met"), (more, 10, "aim"),
                (plain, 0, "met"), (plain, None, "")):
            self.assertEqual(figure.verdict(value), verdict)

    def test_every_figure_has_no_value_without_its_case(self) -> None:
        nothing = measured.Results([row("other")])
        for figure in FIGURES:
            self.assertIsNone(figure.value(nothing), figure.text)

    def test_ratios_are_of_medians(self) -> None:
        run = measured.Results([
            row(MAIN, per_second=2e6),
            row("machine/three_deques/bytes:16", per_second=4e6)])
        figure, = (figure for figure in FIGURES
                   if figure.text == "share of three deques"
                   and figure.fail == 0.35)
        self.assertEqual(figure.value(run), 0.5)

    def test_the_table_says_which_line_is_met(self) -> None:
        text = shown(measured.Results([row(MAIN, per_second=2e6)]))
        line, = (line for line in text.splitlines()
                 if "commands a second" in line and "1.50M" in line)
        self.assertRegex(line, r"2\.00M/s +≥ 1\.50M +3\.00M +met")
        self.assertIn("not run", text)

    def test_a_base_is_shown_with_the_change(self) -> None:
        text = shown(measured.Results([row(MAIN, per_second=3e6)]),
                     measured.Results([row(MAIN, per_second=2e6)]))
        self.assertRegex(text, r"per_second +3\.00M/s .* 2\.00M/s +\+50\.0 %")
        self.assertRegex(text, r"commands a second .* 2\.00M/s +\+50\.0 %")

    def test_elections_are_quantiles(self) -> None:
        name = "virtual/election/servers:3"
        text = shown(measured.Results([row(name)] * 4))
        self.assertRegex(text, r"p99 of 4 +5\.00 ms")

    def test_numbers(self) -> None:
        for value, unit, text in (
                (1234567.0, "rate", "1.23M/s"), (12345.0, "rate", "12.3k/s"),
                (0.0, "ratio", "0"), (0.012, "ratio", "0.012"),
                (2.5, "us", "2.50 us"), (1048576.0, "bytes", "1,048,576"),
                (46.84, "bytes", "46.8"),
                (None, "us", "-")):
            self.assertEqual(written(value, unit), text)
        self.assertEqual(change(1.0, None), "-")
        self.assertEqual(change(1.0, 0.0), "-")
        self.assertEqual(change(1.5, 1.0), "+50.0 %")


class Driving(unittest.TestCase):
    """bench.py, with programs that only pretend."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="bench-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("raft_bench", "raft_bench_sim"):
            program = self.folder / name
            program.write_text(FAKE)
            program.chmod(0o755)
        self.enterContext(mock.patch.dict(os.environ))

    def drive(self, cases: str, *flags: str) -> tuple[int, str, str]:
        """Runs bench.py; returns its status, output and errors."""
        os.environ["FAKE_CASES"] = cases
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = command.run("bench", bench.main, [
                f"--programs={self.folder}",
                f"--output={self.folder / 'new.json'}", *flags])
        return status, out.getvalue(), err.getvalue()

    def rows(self) -> list[dict[str, Any]]:
        """What was written."""
        rows: list[dict[str, Any]] = json.loads(
            (self.folder / "new.json").read_text())["benchmarks"]
        return rows

    def names(self) -> Sequence[str]:
        """The cases in the file, each once."""
        return sorted({measured.short_name(row["name"]) for row in self.rows()})

    def test_merges_repetitions(self) -> None:
        status, _, _ = self.drive("b/one b/two", "--repetitions=3")
        self.assertEqual(status, 0)
        self.assertEqual(self.names(), ["b/one", "b/two"])
        self.assertEqual(
            [row["repetition_index"] for row in self.rows()],
            [0, 0, 1, 1, 2, 2])

    @mock.patch.object(bench, "VIRTUAL_ELECTIONS", 70)
    def test_elections_are_as_many_whatever_the_repetitions(self) -> None:
        for repetitions in (1, 3):
            self.drive("election/servers:3", f"--repetitions={repetitions}")
            run = measured.read(self.folder / "new.json")
            self.assertEqual(
                len(run.values("election/servers:3", "time_ms")), 50)
            seeds = run.values("virtual/election/servers:3", "seed")
            self.assertEqual(len(seeds), 70)
            self.assertEqual(set(seeds), set(range(1, 8)))

    def test_runs_the_machine_whatever_is_asked_for(self) -> None:
        self.drive("machine/x b/one c/two", "--repetitions=1", "--run=^b")
        self.assertEqual(self.names(), ["b/one", "machine/x"])

    def test_a_wrong_delivery_is_status_1(self) -> None:
        status, out, _ = self.drive("b/one crash/two", "--repetitions=1")
        self.assertEqual(status, 1)
        self.assertIn("WRONG: crash/two: status 134", out)
        self.assertIn("Check failed: 1 == 2 not once", out)
        self.assertEqual(self.names(), ["b/one"])

    def test_no_figure_at_all_is_status_1(self) -> None:
        status, out, _ = self.drive("lost/one b/two", "--repetitions=2")
        self.assertEqual(status, 1)
        self.assertIn("lost/one: 2 without a figure: no leader", out)
        self.assertIn("lost/one: no figure at all", out)

    def test_runs_the_tests_of_lab_4(self) -> None:
        suite = self.folder / "raft_sim"
        suite.write_text('#!/bin/sh\ntest "$SIM_SEED$*" = '
                         '"1--lab=shardctrler,shardkv --seed=1"\n')
        suite.chmod(0o755)
        status, out, _ = self.drive("b/one", "--repetitions=1")
        self.assertEqual((status, self.names()), (0, ["b/one", bench.LAB_4]))
        self.assertRegex(out, r"CPU of all under one seed .* met")
        suite.write_text("#!/bin/sh\necho broken\nexit 1\n")
        status, out, _ = self.drive("b/one", "--repetitions=1")
        self.assertEqual(status, 1)
        self.assertIn("all_of_lab_4 under SIM_SEED=1: broken", out)

    def test_compares_with_an_earlier_run(self) -> None:
        self.drive("b/one", "--repetitions=1")
        old = self.folder / "new.json"
        status, out, _ = self.drive("b/one", "--repetitions=1",
                                    f"--base={old}")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"per_second .* \+0\.0 %")

    def test_bad_arguments_are_one_line(self) -> None:
        broken = self.folder / "broken.json"
        broken.write_text("{")
        for flag in ("--repetitions=0", "--repetitions=x", "--run=nosuch",
                     "--run=(", f"--base={self.folder}/missing.json",
                     f"--base={broken}", f"--base={self.folder}"):
            with self.subTest(flag):
                status, out, err = self.drive("b/one", flag)
                self.assertEqual((status, out), (2, ""))
                self.assertRegex(err, r"\Abench: [^\n]+\n\Z")


class BesidePeers(unittest.TestCase):
    """peer_runs.py and page.py."""

    def results(self) -> measured.Results:
        """Two rounds; a machine that was twice as fast in the second."""
        work = peer_runs.Work(16, 1_024)
        return measured.Results([
            row(work.case(peer), per_second=speed * rate,
                cpu_ns_per_command=1e9 / (speed * rate))
            for speed in (1.0, 2.0) for peer, rate in
            (("ours", 200.0), ("etcd", 100.0), ("libraft-merged", 160.0))])

    def test_ratios_are_of_one_round(self) -> None:
        work = peer_runs.Work(16, 1_024)
        ratio = peer_runs.rate(self.results(), work, "etcd")
        self.assertEqual(ratio, (2.0, 2.0, 2.0))
        self.assertEqual(
            peer_runs.cost(self.results(), work, "etcd"), (2.0, 2.0, 2.0))
        self.assertEqual(peer_runs.best(self.results(), work),
                         "libraft-merged")
        self.assertIsNone(peer_runs.rate(self.results(), work, "hashicorp"))
        self.assertIsNone(
            peer_runs.best(self.results(), peer_runs.Work(256, 1)))

    def test_the_tables_have_what_was_run(self) -> None:
        text = shown(self.results())
        self.assertRegex(text, r"etcd raft, each .* 2\.00 \(2\.00-2\.00\)")
        self.assertNotIn("hashicorp/raft", text)
        self.assertRegex(
            text, r"16 B, 1,024 outstanding, of the fastest +1\.25 .* missed")
        self.assertNotIn("advantage", shown(measured.Results([row("a")])))

    def test_the_page_loads_nothing(self) -> None:
        text = page.render(self.results(), "a <fast> machine", 2)
        self.assertIn("a &lt;fast&gt; machine", text)
        self.assertIn("ours ×2.00", text)
        self.assertIn("width:75.0%", text)
        self.assertNotIn("256 B", text)
        self.assertNotRegex(text, "<script|src=|href=")

    def test_a_peer_prints_what_it_measured(self) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-test-") as folder:
            program = Path(folder) / "peer"
            program.write_text(
                '#!/bin/sh\n'
                'test "$*" != "8 1 1 each" || { echo not once; exit 1; }\n'
                'echo \'{"seconds": 2, "per_second": 5}\'\n')
            program.chmod(0o755)
            run = bench.Run()
            for work in (("16", "10", "1", "each"), ("8", "1", "1", "each")):
                bench.run_peer(bench.Job("peers/a", program, "", work=work),
                               run)
        results = measured.Results(run.rows)
        self.assertEqual(results.values("peers/a", "per_second"), [5.0])
        self.assertEqual(results.values("peers/a", "time_ms"), [2000.0])
        self.assertEqual(run.wrong, ["peers/a: status 1: not once"])


@unittest.skipUnless("BENCH_PROGRAMS" in os.environ,
                     "BENCH_PROGRAMS names no folder")
class Programs(unittest.TestCase):
    """The programs themselves, with every case made small."""

    def run_program(self, name: str, *flags: str, seed: str = "") \
            -> subprocess.CompletedProcess[str]:
        """Runs one of them to its end."""
        own = dict(os.environ)
        if seed:
            own |= {"SIM_SEED": seed, "SIM_PROFILE": "fair"}
        return subprocess.run(
            [str(Path(os.environ["BENCH_PROGRAMS"]) / name), *flags],
            env=own, text=True, capture_output=True, check=False,
            timeout=100)

    def run_virtual(self, cases: str) -> measured.Results:
        """Runs those cases in virtual time."""
        ended = self.run_program(
            "raft_bench_sim", f"--benchmark_filter=^{cases}",
            "--benchmark_format=json", seed="7")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return measured.parse(ended.stdout, "output")

    def test_every_case_works(self) -> None:
        ended = self.run_program("raft_bench", "--quick",
                                 "--benchmark_format=json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        run = measured.parse(ended.stdout, "output")
        groups = {name.partition("/")[0] for name in run.cases}
        self.assertEqual(groups - {"leveldb", "rocksdb"}, {
            "machine", "pipelined", "flat", "largest_rpc", "memory",
            "sequential", "catch_up", "election", "heartbeats", "append",
            "restart", "rpc", "idle", "disturbed", "discard", "install",
            "kv", "shards", "disk", "files", "peers",
            "bounded", "travel", "scaling"})

    def test_elections_work_in_virtual_time(self) -> None:
        first, second = (self.run_program(
            "raft_bench_sim", "--benchmark_filter=^election/",
            "--benchmark_format=json", seed="7") for _ in range(2))
        self.assertEqual(first.returncode, 0, first.stderr)
        times = [measured.parse(run.stdout, "output").values(
            "election/servers:5", "time_ms") for run in (first, second)]
        self.assertEqual(times[0], times[1])
        self.assertGreater(times[0][0], 100)

    def test_a_deaf_server_deposes_leaders(self) -> None:
        """As docs/engineers.md says, until there is a pre-vote."""
        run = self.run_virtual("disturbed/deaf")
        case = "disturbed/deaf/servers:3"
        self.assertGreater(run.values(case, "leaders_per_minute")[0], 20)
        self.assertGreater(run.values(case, "leaderless_share")[0], 0.05)

    def test_a_log_stays_bounded_under_load(self) -> None:
        """Ten virtual minutes, a snapshot every 10,000 commands."""
        run = self.run_virtual("bounded")
        self.assertLess(run.values("bounded", "largest_state_bytes")[0], 4e5)
        self.assertLess(run.values("bounded", "heap_to_first_tenth")[0], 1.25)
        self.assertLess(run.values("bounded", "longest_silence_ms")[0], 120)
        # No follower is so late that it needs one.
        self.assertLess(run.values("bounded", "installs")[0], 6)

    def test_a_large_snapshot_travels_beside_all_else(self) -> None:
        """100 MB, in more than two election timeouts; the follower crashes on
        the way."""
        run = self.run_virtual("travel")
        for crashes, chunks in (0, 100), (3, 170):
            case = f"travel/crashes:{crashes}"
            self.assertEqual(run.values(case, "elections")[0], 0)
            self.assertEqual(run.values(case, "crashes_left")[0], 0)
            self.assertGreater(run.values(case, "chunks")[0], chunks)
            self.assertGreater(run.values(case, "time_ms")[0], 1_200)
            self.assertGreater(run.values(case, "commands")[0], 1_000)
            self.assertLess(run.values(case, "largest_bytes")[0], 1e6)
            self.assertLess(run.values(case, "longest_silence_ms")[0], 120)

    def test_groups_do_not_wait_for_each_other(self) -> None:
        run = self.run_virtual("scaling")
        one, all_of_them = (run.values(f"scaling/groups:{groups}",
                                       "per_second")[0] for groups in (1, 32))
        self.assertGreater(all_of_them / one, 20)

    def test_a_move_waits_for_no_timer(self) -> None:
        """Nor do operations on shards that stay: virtual time passes only
        where something waits."""
        run = self.run_virtual("shards/hand_over")
        self.assertLess(run.values("shards/hand_over", "p50_us")[0], 1_000)

    def test_peers_in_go_work(self) -> None:
        """Where `make bench PEERS=1` has built them."""
        folder = Path(os.environ["BENCH_PROGRAMS"]) / "peers"
        if not folder.exists():
            self.skipTest("make bench PEERS=1 builds them")
        for case, (program, size, _, window, variant) in \
                peer_runs.commands(folder):
            with self.subTest(case):
                ended = self.run_program(f"peers/{Path(program).name}", size,
                                         "3200", window, variant)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                measures = peer_runs.row(case, ended.stdout)
                self.assertEqual("p50_us" in measures, window == "1")
        ended = self.run_program("peers/etcd", "7", "1", "1", "each")
        self.assertEqual(ended.returncode, 2)
        self.assertRegex(ended.stderr, r"\A[^\n]+\n\Z")

    def test_a_wrong_argument_is_one_line(self) -> None:
        ended = self.run_program("raft_bench", "--nosuch")
        self.assertEqual(ended.returncode, 2)
        self.assertRegex(ended.stderr, r"\A[^\n]+\n\Z")

    def test_names_fit_the_figures(self) -> None:
        names = {measured.short_name(name) for name in self.run_program(
            "raft_bench", "--benchmark_list_tests=true").stdout.split()}
        for work in peer_runs.ALL_WORK:
            self.assertIn(work.case(), names)
        for name in (MAIN, f"{MAIN}/snapshot_every:10000", "largest_rpc",
                     "discard/entries:200000", "discard/entries:1000000",
                     "install/bytes:100000000", "memory/commands:1000000",
                     "restart/entries:1000000", "append/entries:1000",
                     "catch_up/commands:1000000", "idle/clusters:100",
                     "machine/round_trip/two_cpus", "rpc/blocking/one_cpu",
                     "shards/hand_over", "shards/move/bytes:100000000",
                     "shards/groups:4/clients:1024", "scaling/groups:32",
                     "sequential/servers:3/one_cpu", "heartbeats/servers:5"):
            self.assertIn(name, names)
