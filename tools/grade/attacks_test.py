"""Every attack of attacks/ and the like, on the tests as they grade.

`make grade-test`. The attacks of a folder are one program, which makes the one
that it is called after; it stands for a student's Raft, or service.
"""

import ctypes
import os
import re
import shutil
import tempfile
import time
import unittest
from collections.abc import Iterable, Iterator
from concurrent import futures
from contextlib import suppress
from pathlib import Path

from tools import ROOT, events
from tools.build import build
from tools.grade.result import Grade, TestResult
from tools.process import Launcher, ask, inherited

# Where files would be, if one could be written.
LEFT = [Path("/tmp/raft_lab_attack"), Path("/dev/shm/raft_lab_attack"),
        ROOT / "raft_lab_attack"]
# Far more than a test that fails takes, far less than an attack would.
LIMIT_S = 240


def landlock_version() -> int:
    """Returns the kernel's version of Landlock; 0 or less if it has none."""
    create_ruleset, ask_for_version = 444, 1
    return int(ctypes.CDLL(None).syscall(create_ruleset, None, 0,
                                         ask_for_version))


# Without it a Raft's process can read what its user can (docs/staff.md).
HAS_LANDLOCK = landlock_version() > 0


def names(sources: Iterable[Path]) -> list[str]:
    """Returns those of these files: what a name is compared with, or looked up
    as."""
    text = "".join(source.read_text() for source in sources)
    found = re.findall(r'Name\(\) [!=]=\s+"(\w+)"|^    \{"(\w+)"', text, re.M)
    return sorted({compared or listed for compared, listed in found})


def command_lines() -> Iterator[bytes]:
    """Yields what runs on this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


class Attacks(unittest.TestCase):
    """None earns a point, or leaves anything."""

    KIND = "raft"  # of the programs
    SOURCES: tuple[Path, ...] = (ROOT / "tools/grade/attacks/attacks.cc",)
    TESTS: tuple[str, ...] = ("TestInitialElection2A", "TestBasicAgree2B",
                              "TestPersist12C")
    folder: tempfile.TemporaryDirectory[str]
    hosts: dict[bool, Path]

    @classmethod
    def rooms(cls) -> list[str]:
        """Returns the arguments of theirs.sh that stand for the attacks."""
        return [f"raft={cls.SOURCES[0].parent}"]

    @classmethod
    def skeleton(cls, room: str, sources: Iterable[Path] = ()) -> str:
        """Returns an argument of theirs.sh: a room that has the headers of the
        unsolved one, and these sources."""
        folder = ROOT / "out/grade-test" / room
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        ask([ROOT / "tools/skeleton/files.sh", room, folder])
        for source in folder.glob("*.cc"):
            source.unlink()
        for source in sources:
            shutil.copy(source, folder)
        return f"{room}={folder}"

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory(prefix="attacks-")
        place = ask([ROOT / "tools/theirs.sh", *cls.rooms()]).stdout.strip()
        jobs = os.cpu_count() or 1
        for how in ("", "_sim"):
            build(f"{cls.KIND}_judge{how}", jobs=jobs)
        cls.hosts = {
            is_simulated: ROOT / build(f"{cls.KIND}_host{how}", place=place,
                                       jobs=jobs)
            for is_simulated, how in ((False, ""), (True, "_sim"))}

    @classmethod
    def tearDownClass(cls) -> None:
        cls.folder.cleanup()

    def grade(self, name: str, simulated: bool) -> tuple[Grade, events.Run]:
        """Returns what the attack gets."""
        kind = "sim" if simulated else "real"
        program = Path(self.folder.name) / kind / name
        program.parent.mkdir(exist_ok=True)
        shutil.copy(self.hosts[simulated], program)
        judge = ROOT / f"out/plain/{self.KIND}_judge{'_sim' * simulated}"
        environment = inherited("SIM_", "LAB_") | {
            "RAFT_PROGRAM": str(program), "RAFT_MEMORY_GB": "1",
            "RAFT_DISKS": "opaque"}
        if simulated:
            environment |= {"SIM_SEED": "1", "SIM_ONLY": "--child",
                            "SIM_PROFILE": "fair"}
        ended = Launcher().run(
            [judge, f"--run=^({'|'.join(self.TESTS)})$", "--json", "--seed=1",
             "--parallel=3", "--watchdog_seconds=6", "--grace_seconds=2"],
            env=environment, limit=LIMIT_S, cwd=ROOT)
        grade = Grade(name)
        grade.tests = {test: TestResult("1") for test in self.TESTS}
        run = events.read(ended.output, ended.status)
        grade.read_run(run, "make test")
        return grade, run

    def check(self, name: str, simulated: bool) -> str:
        """Returns what is wrong; nothing if the attack came to nothing."""
        grade, run = self.grade(name, simulated)
        kind = "simulated" if simulated else "in real time"
        if grade.total({"1": 100}) > 0:
            passed = [test for test, result in grade.tests.items()
                      if result.passed]
            return f"{name}, {kind}: earned points: {passed}"
        if run.trouble or len(run.tests) != len(self.TESTS):
            return f"{name}, {kind}: the run has no result: {run.trouble}"
        lines = [line for line in run.text.splitlines()
                 if line.strip().startswith("ATTACK: ")
                 and ("reads" not in line or HAS_LANDLOCK)]
        if lines:
            return f"{name}, {kind}: {lines[0]}"
        return ""

    def test_none_earns_a_point(self) -> None:
        """All of them, some at a time, for they mostly wait."""
        attacks = names(self.SOURCES)
        self.assertGreaterEqual(len(attacks), 8)
        with futures.ThreadPoolExecutor(6) as pool:
            wrong = [said for said in pool.map(
                lambda it: self.check(*it),
                [(name, simulated) for simulated in (False, True)
                 for name in attacks]) if said]
        self.assertEqual([], wrong)
        self.assertEqual([], [path for path in LEFT if path.exists()])
        time.sleep(0.5)
        running = b" ".join(command_lines())
        self.assertNotIn(self.folder.name.encode(), running)
        self.assertNotIn(b"attack_daemon", running)


BEFORE_MAIN = ROOT / "tools/grade/service_attacks/before_main.cc"


class ServiceAttacks(Attacks):
    """The same of the key/value service."""

    KIND = "service"
    SOURCES = (ROOT / "tools/grade/service_attacks/attacks.cc", BEFORE_MAIN)
    TESTS = ("TestBasic3A", "TestSpeed3A", "TestOnePartition3A",
             "TestSnapshotRPC3B")

    @classmethod
    def rooms(cls) -> list[str]:
        return [cls.skeleton("kvraft", cls.SOURCES)]


class ShardedAttacks(Attacks):
    """The same of lab 4: one file is both of its rooms."""

    KIND = "sharded"
    SOURCES = (ROOT / "tools/grade/sharded_attacks/attacks.cc", BEFORE_MAIN)
    TESTS = ("TestBasic", "TestMinimalAgain", "TestStaticShards",
             "TestJoinLeave", "TestChallenge2Unaffected")

    @classmethod
    def rooms(cls) -> list[str]:
        return [cls.skeleton("shardctrler", cls.SOURCES[1:]),
                cls.skeleton("shardkv", cls.SOURCES[:1])]


class ShardKV1Attacks(Attacks):
    """The same of lab 4 as 2025 has it."""

    KIND = "shardkv1"
    SOURCES = (ROOT / "tools/grade/shardkv1_attacks/attacks.cc", BEFORE_MAIN)
    TESTS = ("TestInitQuery5A", "TestStaticOneShardGroup5A", "TestJoinLeave5B",
             "TestPartitionControllerJoin5C")

    @classmethod
    def rooms(cls) -> list[str]:
        return [cls.skeleton("shardkv1", cls.SOURCES)]


if __name__ == "__main__":
    unittest.main()
