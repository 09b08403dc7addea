"""Tests of reader.py: the labs on top of Raft.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.services_test`, in the root.
"""

import unittest

from tools.compare import logs, names, reader
from tools.compare.samples import (AGREE, DATA, PASSED, as_events,
                                   names_and_results, read, report_of, side,
                                   without_v)

ONE_CLIENT = "  ... Passed --  15.2  5  4323  916\n"
BASIC = f"""=== RUN   TestBasic3A
Test: one client (3A) ...
{ONE_CLIENT}--- PASS: TestBasic3A (15.18s)
"""
PARTITION = """=== RUN   TestOnePartition3A
Test: progress in majority (3A) ...
  ... Passed --   0.6  5    69    2
Test: no progress in minority (3A) ...
  ... Passed --   1.0  5   130    3
Test: completion after heal (3A) ...
  ... Passed --   1.1  5    59    3
--- PASS: TestOnePartition3A (3.15s)
"""
TIMED_OUT = "info: linearizability check timed out, assuming history is ok\n"


def figures_of(log: str) -> logs.Figures:
    """Returns the figures of the log's first test."""
    figures = read(log)[0].figures
    assert figures
    return figures


class Figures(unittest.TestCase):
    """What the Passed lines count."""

    def test_the_last_column_counts_operations(self) -> None:
        for log in (BASIC, without_v(BASIC), BASIC.replace("3A", "4A")):
            self.assertEqual([("TestBasic3A", "PASS")], names_and_results(log))
            self.assertEqual(logs.Figures(15.2, 4323, ops=916), figures_of(log))

    def test_of_raft_it_counts_commits(self) -> None:
        log = AGREE.replace(PASSED, ONE_CLIENT)  # as in 2018
        self.assertEqual(logs.Figures(15.2, 4323, commits=916), figures_of(log))

    def test_of_unknown_tests_the_title_tells(self) -> None:
        for title, figures in (
                ("Test: mine", logs.Figures(15.2, 4323, ops=916)),
                ("Test (2B): mine", logs.Figures(15.2, 4323, commits=916))):
            self.assertEqual(figures, figures_of(f"{title} ...\n{ONE_CLIENT}"))

    def test_the_lines_of_2025(self) -> None:
        line = "  ... Passed --  time  3.2s #peers 5 #RPCs  5902 #Ops 1153\n"
        for title, name in (("Test: one client (4B basic)", "TestBasic4B"),
                            ("Test RSM basic", "TestBasic4A")):
            log = f"{title} (reliable network)...\n{line}"
            self.assertEqual([(name, "PASS")], names_and_results(log))
            self.assertEqual(logs.Figures(3.2, 5902, ops=1153), figures_of(log))

    def test_operations_that_are_not_counted(self) -> None:
        for title, line in (
                ("Test: ops complete fast enough (3A) ...",
                 "  ... Passed --   1.2  3  2747    0"),
                ("Test: one client (4B speed) (reliable network)...",
                 "  ... Passed --  time  1.2s #peers 3 #RPCs  2747 #Ops    0")):
            self.assertEqual(logs.Figures(1.2, 2747),
                             figures_of(f"{title}\n{line}\n"))

    def test_several_lines_are_summed(self) -> None:
        self.assertEqual(logs.Figures(3.0, 40, 6000, 8), figures_of(
            AGREE.replace(PASSED, 2 * PASSED)))


class Names(unittest.TestCase):
    """Which test a log tells of."""

    def test_several_titles_are_one_test(self) -> None:
        for log in (PARTITION, without_v(PARTITION)):
            self.assertEqual([("TestOnePartition3A", "PASS")],
                             names_and_results(log))
            self.assertEqual(logs.Figures(2.7, 258, ops=8),
                             figures_of(log)._replace(seconds=2.7))
            self.assertAlmostEqual(2.7, figures_of(log).seconds)
            self.assertEqual(2, len(read(2 * log)))

    def test_a_test_with_several_titles_that_is_cut(self) -> None:
        log = PARTITION[:PARTITION.index("  ... Passed --   1.1")]
        for text in (log, without_v(log)):
            self.assertEqual([("TestOnePartition3A", "cut")],
                             names_and_results(text))

    def test_a_test_with_several_titles_that_fails(self) -> None:
        for end in range(3):
            log = PARTITION
            for line in PARTITION.splitlines(keepends=True)[2 + 2 * end:]:
                log = log.replace(line, "")
            log += "--- FAIL: TestOnePartition3A (3.15s)\n"
            for text in (log, without_v(log)):
                self.assertEqual([("TestOnePartition3A", "FAIL")],
                                 names_and_results(text))

    def test_two_titles_with_one_passed_line(self) -> None:
        log = ("=== RUN   TestSnapshotRPC4C\n"
               "Test: snapshots, one client (4C SnapshotsRPC) (reliable "
               "network)...\nTest: InstallSnapshot RPC (4C) (reliable network)"
               "...\n  ... Passed --  time  2.8s #peers 3 #RPCs   240 #Ops   65"
               "\n--- PASS: TestSnapshotRPC4C (2.90s)\n")
        for text in (log, without_v(log)):
            self.assertEqual([("TestSnapshotRPC4C", "PASS")],
                             names_and_results(text))
            self.assertEqual(logs.Figures(2.8, 240, ops=65), figures_of(text))

    def test_the_title_tells_years_apart(self) -> None:
        for title, name in (("Test: one client (4A) ...", "TestBasic3A"),
                            ("Test RSM basic (reliable network)...",
                             "TestBasic4A")):
            for verdict in ("PASS", "FAIL"):
                log = (f"=== RUN   TestBasic4A\n{title}\n"
                       f"--- {verdict}: TestBasic4A (3.15s)\n")
                self.assertEqual([(name, verdict)], names_and_results(log))
                self.assertEqual("TestBasic4A", read(log)[0].own)
            self.assertEqual([(name, "FAIL")], names_and_results(
                f"{title}\n--- FAIL: TestBasic4A (3.15s)\n"))

    def test_the_package_tells_them_apart_too(self) -> None:
        crash = "=== RUN   TestSpeed4B\npanic: oops\n"
        for package, name in (("6.5840/kvraft", "TestSpeed3B"),
                              ("6.5840/kvraft1", "TestSpeed4B"),
                              ("kvraft", "TestSpeed3B")):
            self.assertEqual([(name, "CRASHED")], names_and_results(
                f"compare: package {package}\n{crash}"))
            events = as_events(crash).replace(
                '"Action"', f'"Package": "{package}", "Action"')
            self.assertEqual([(name, "CRASHED")], names_and_results(events))
        self.assertEqual([("TestSpeed4B", "CRASHED")], names_and_results(crash))

    def test_the_network_tells_the_twins_of_2025_apart(self) -> None:
        for network, name in (("reliable", "TestPersistPartition4B"),
                              ("unreliable", "TestPersistPartitionUnreliable4B")
                              ):
            log = ("Test: restarts, partitions, many clients (4B restarts, "
                   f"partitions, many clients) ({network} network)...\n")
            self.assertEqual([(name, "cut")], names_and_results(log))
            # Early in 2025 the tester had some networks the wrong way round.
            self.assertEqual([("TestPersistPartition4B", "cut")],
                             names_and_results("=== RUN   "
                                               f"TestPersistPartition4B\n{log}")
                             )

    def test_titles_of_2020(self) -> None:
        for part, between, name in (
                ("3A", "", "TestPersistPartitionUnreliableLinearizable3A"),
                ("3B", "snapshots, ", "TestSnapshotUnreliableRecoverConcurrent"
                 "PartitionLinearizable3B")):
            self.assertEqual([(name, "PASS")], names_and_results(
                f"Test: unreliable net, restarts, partitions, {between}many "
                f"clients, linearizability checks ({part}) ...\n{ONE_CLIENT}"))

    def test_titles_that_no_lab_here_has(self) -> None:
        title = "Test: concurrent puts and lunch breaks...\n"
        self.assertEqual(
            [("Test: concurrent puts and lunch breaks", "PASS")],
            names_and_results(title + "  ... Passed\n"))
        self.assertEqual([("TestMine", "FAIL")], names_and_results(
            f"=== RUN   TestMine\n{title}  ... Passed\n"
            "    config.go:75: test took longer than 120 seconds\n"
            "--- FAIL: TestMine (150.42s)\n"))

    def test_all_of_a_year_are_in_its_log(self) -> None:
        for year, labs, count in (
                ("kv-2022", ("kvraft",), 23),
                ("kv-2025", ("rsm", "kvraft1"), 30),
                ("shard-2024", ("shardctrler", "shardkv"), 17),
                ("shard-2025", ("shardkv1",), 23)):
            log = reader.read_file(str(DATA / f"go-{year}.txt"))
            known = {name for name in names.RANK if names.lab_of(name) in labs}
            self.assertEqual(known, {test.name for test in log.tests})
            self.assertEqual(count, len(log.tests))


class Sharded(unittest.TestCase):
    """The sharded lab's logs."""

    def test_all_years_are_the_same_tests(self) -> None:
        years = [[(test.name, test.result) for test in
                  reader.read_file(str(DATA / f"go-shard-{year}.txt")).tests]
                 for year in ("2020", "2022-slow", "2024")]
        # In 2020 one test was optional, called otherwise, and came later.
        self.assertEqual(("TestConcurrent3", "PASS"), years[0][12])
        self.assertIn(("TestUnreliable1", "FAIL"), years[1])
        found = [{name for name, _ in year} for year in years]
        self.assertEqual(found[0], found[1])
        self.assertEqual({"TestMinimalAgain", "TestRejection"},
                         found[2] - found[1])

    def test_the_title_tells_years_apart(self) -> None:
        for title, name in (("Test (5B): join then leave ...", "TestJoinLeave"),
                            ("Test (5B): Join/leave while a shardgrp is down..."
                             " (reliable network)...", "TestJoinLeave5B")):
            log = (f"=== RUN   TestJoinLeave5B\n{title}\n"
                   "--- FAIL: TestJoinLeave5B (3.15s)\n")
            for text in (log, without_v(log)):
                self.assertEqual([(name, "FAIL")], names_and_results(text))

    def test_a_title_of_two_tests_names_neither(self) -> None:
        text = (DATA / "go-shard-2025.txt").read_text("utf-8")
        tests = [test.name for test in read(without_v(text))]
        # The first of them has failed: then go test says its name.
        self.assertEqual(5, sum(name.startswith("Test (") for name in tests))
        self.assertEqual(18, sum(name.startswith("Test") and
                                 "(" not in name for name in tests))

    def test_the_networks_test_of_the_same_name(self) -> None:
        log = "=== RUN   TestBasic\nTest: {} ...\n--- FAIL: TestBasic (0.1s)\n"
        for title, name, lab in (("Basic", "TestBasic (labrpc)", ""),
                                 ("Basic leave/join", "TestBasic",
                                  "shardctrler")):
            self.assertEqual([(name, "FAIL")],
                             names_and_results(log.format(title)))
            self.assertEqual(lab, names.lab_of(name))

    def test_a_test_without_figures_is_compared_by_its_seconds(self) -> None:
        go = reader.read_file(str(DATA / "go-shard-2022-slow.txt"))
        ours = reader.read_file(str(DATA / "go-shard-2024.txt"))
        said = report_of(side("Go lab", go), side("ours", ours))
        self.assertIn("Go lab: 14 passed, 1 failed\n", said)
        self.assertRegex(said, r"\nTestMulti +PASS PASS +0\.9 +\S+ \d\.\d\d\n")
        self.assertRegex(said, r"\nTestUnreliable1 +FAIL PASS +150\.4 +\S+\n")
        self.assertIn("config.go:75: test took longer than 120 seconds", said)


class Linearizability(unittest.TestCase):
    """What the check of a history says."""

    def report(self, log: str) -> str:
        """Returns what is said of such a log of Go's."""
        return report_of(side("Go lab", reader.read(log)),
                         side("ours", reader.read(BASIC)))

    def test_checks_that_found_nothing_out_are_counted(self) -> None:
        log = BASIC.replace(ONE_CLIENT, 3 * TIMED_OUT + ONE_CLIENT) + BASIC
        for text in (log, without_v(log)):
            self.assertEqual([3, 0], [test.unknown for test in read(text)])
            said = self.report(text)
            self.assertIn("Go lab: 2 passed, 0 failed, 3 linearizability "
                          "checks timed out\n", said)
            self.assertIn("Go lab: TestBasic3A: the linearizability check "
                          "timed out, and the tester takes the history for "
                          "right (3 times)\n", said)
        self.assertNotIn("timed out", self.report(BASIC))

    def failed(self, *lines: str) -> str:
        """Returns the log of a test that failed with these lines."""
        return BASIC.replace(ONE_CLIENT, "".join(
            f"{line}\n" for line in lines)).replace("PASS:", "FAIL:")

    def test_a_history_that_is_not_linearizable(self) -> None:
        for illegal, page in (
                ("    test_test.go:382: history is not linearizable",
                 "info: wrote history visualization to /tmp/1.html"),
                ("Fatal: history is not linearizable",
                 "info: wrote visualization to /tmp/1.html")):
            for lines in ((illegal, page), (page, illegal)):
                self.assertIn("\nGo lab: TestBasic3A: "
                              f"{illegal.strip()}; see /tmp/1.html\n",
                              self.report(self.failed(*lines)))
        self.assertNotIn("see", self.report(self.failed(
            "info: failed to create temp file for visualization")))

    def test_it_is_said_though_another_message_is_first(self) -> None:
        log = self.failed(
            "    test_test.go:126: get wrong value, key 0, wanted:",
            "    config.go:59: failure",
            "    test_test.go:382: history is not linearizable")
        self.assertEqual(["test_test.go:126: get wrong value, key 0, wanted:; "
                          "history is not linearizable"],
                         [test.why for test in read(log)])
