"""Tests of lab.py: where the Go lab's packages are, and how they are built.

Called by the test Tools.Compare of tests/unit/tools/tools_test.cc; by hand
`/usr/bin/python3 -B -m unittest tools.compare.lab_test`, in the root.
"""

import os
from pathlib import Path
from unittest import mock

from tools.compare import compare, lab
from tools.compare.stand_ins import KV_TEST, LAB_TEST, CommandTest, go_source


class Finding(CommandTest):
    """The folders of the packages."""

    def folders(self, given: str | Path, which: str = "",
                run: str = "") -> list[str]:
        """Returns where LAB and RUN lead."""
        return [str(each.folder) for each in lab.find_packages(
            str(given), compare.LABS[which], run)]

    def write_package(self, path: str, *tests: str) -> str:
        """Writes a package with these tests, returns its folder."""
        return str(self.write(f"{path}/x_test.go", go_source(*tests)).parent)

    def test_raft_of_all_years(self) -> None:
        for name in ("src/raft1", "src/raft", "raft1", "raft", "x"):
            top = self.folder / f"course-{name.replace('/', '-')}"
            self.write(f"{top}/src/kvraft/test_test.go", KV_TEST)
            folder = self.write(f"{top}/{name}/test.go_test.go",
                                LAB_TEST).parent
            given = folder if name == "x" else top
            self.assertEqual([str(folder)], self.folders(given))

    def test_the_key_value_lab_of_all_years(self) -> None:
        for name in ("src/kvraft", "kvraft", "x"):
            for number in (3, 4):
                top = f"course{number}-{name.replace('/', '-')}"
                self.write(f"{top}/src/raft/test_test.go", LAB_TEST)
                # One of the names is rsm's too.
                folder = self.write_package(f"{top}/{name}", f"Basic{number}A",
                                            f"Persist{number}A",
                                            f"PersistOneClient{number}A")
                given = folder if name == "x" else str(self.folder / top)
                self.assertEqual([folder], self.folders(given, "3"))
        for name in ("src/kvraft1", "kvraft1"):
            top = f"2025-{name.replace('/', '-')}"
            self.write(f"{top}/src/raft1/test_test.go", LAB_TEST)
            rsm = self.write_package(f"{top}/{name}/rsm", "Basic4A",
                                     "Snapshot4C")
            service = self.write_package(f"{top}/{name}", "Basic4B", "Speed4C")
            self.assertEqual([rsm, service],
                             self.folders(self.folder / top, "3"))
            self.assertEqual([rsm, service], self.folders(service))
            self.assertEqual([rsm], self.folders(rsm))

    def test_names_that_are_of_two_labs(self) -> None:
        folder = self.write_package("a/rsm", "Basic4A", "Concurrent4A")
        package, = lab.find_packages(folder, (), "")
        self.assertEqual("rsm", package.lab)
        folder = self.write_package("a/kvraft", "Basic4A", "Speed4B")
        package, = lab.find_packages(folder, (), "")
        self.assertEqual([("TestBasic4A", "TestBasic3A"),
                          ("TestSpeed4B", "TestSpeed3B")],
                         list(package.both_names))

    def test_run_chooses(self) -> None:
        raft = self.write_package("2022/src/raft", "BasicAgree2B", "Persist12C")
        service = self.write_package("2022/src/kvraft", "Basic3A", "Speed3B")
        newer = self.write_package("2024/src/raft", "BasicAgree3B")
        newer_service = self.write_package("2024/src/kvraft", "Basic4A",
                                           "Speed4B", "SnapshotRPC4B")
        for top, which, run, *folders in (
                ("2022", "", "2B", raft), ("2022", "", "3B", service),
                ("2022", "", "4B", service), ("2022", "2", "3B", raft),
                ("2022", "", "Basic", raft, service), ("2022", "", "", raft),
                ("2022", "2", "Basic", raft), ("2022", "3", "", service),
                ("2022/src/raft", "", "3B", raft), ("2024", "", "2B", newer),
                ("2024", "", "3B", newer), ("2024", "", "4B", newer_service),
                ("2024", "3", "3B", newer_service)):
            self.assertEqual(folders, self.folders(self.folder / top, which,
                                                   run), (top, which, run))

    def test_the_sharded_labs_packages(self) -> None:
        self.write_package("src/labrpc", "Basic", "Types", "Bytes")
        ctrler = self.write_package("src/shardmaster", "Basic", "Multi")
        service = self.write_package("src/shardkv", "JoinLeave5B",
                                     "Rejection5A")
        newer = self.write_package("new/shardkv1", "JoinLeave5B", "JoinBasic5A")
        for where, which, run, *folders in (
                ("src", "4", "", ctrler, service),
                ("src", "", "", ctrler, service), ("src", "", "Basic", ctrler),
                ("src", "", "5B", service), ("new", "", "", newer)):
            self.assertEqual(folders, self.folders(self.folder / where, which,
                                                   run))
        package, = lab.find_packages(newer, (), "")
        self.assertEqual(("shardkv1", [("TestJoinLeave5B", "TestJoinLeave5B"),
                                       ("TestJoinBasic5A", "TestJoinBasic5A")]),
                         (package.lab, list(package.both_names)))

    def test_no_lab(self) -> None:
        self.expect_refusal("is no directory", "--go_lab=/nonexistent")
        self.expect_refusal("is no directory", f"--go_lab={self.log}")
        self.expect_refusal("no raft, kvraft or shardkv package",
                            f"--go_lab={self.bin}")
        self.expect_refusal("no kvraft package", f"--go_lab={self.lab}",
                            "--lab=3")
        self.expect_refusal('matches RUN "5A"', f"--go_lab={self.lab}",
                            "--run=5A")
        self.expect_refusal("no shardkv1 package", f"--go_lab={self.lab}",
                            "--lab=5")
        self.expect_refusal("LAB=6: give 2 for Raft, 3 for the",
                            f"--go_lab={self.lab}", "--lab=6")

    def test_at_any_depth(self) -> None:
        top = self.folder / "a"
        deep = self.write("a/b/c/6.824/src/raft/x_test.go", LAB_TEST).parent
        service = self.write("a/b/c/6.824/src/kvraft/x_test.go", KV_TEST).parent
        for hidden in (".git", "vendor", "node_modules"):
            self.write(f"a/{hidden}/raft/x_test.go", LAB_TEST)
        self.assertEqual([str(deep)], self.folders(top))
        self.assertEqual([str(service)], self.folders(top, "3"))
        self.assertEqual([str(service)], self.folders(top, run="Speed"))
        # The usual place is taken without a look at the others.
        usual = self.write("a/src/raft/x_test.go", LAB_TEST).parent
        self.assertEqual([str(usual)], self.folders(top))
        self.assertEqual([str(usual)], self.folders(top, run="3A"))

    def test_more_than_one(self) -> None:
        for name in ("2021/raft", "2022/raft"):
            self.write(f"a/{name}/x_test.go", LAB_TEST)
        self.expect_refusal("2 raft packages below",
                            f"--go_lab={self.folder / 'a'}", lines=3)


class Environment(CommandTest):
    """Whether the lab is a module."""

    def setUp(self) -> None:
        super().setUp()
        (self.folder / "scratch").mkdir()

    def environment(self, imports: str) -> tuple[str, str]:
        """Returns GO111MODULE and GOPATH for a lab with these imports."""
        self.write("6.824/src/raft/raft.go", f"package raft\n\n{imports}\n")
        found = lab.go_environment(self.lab, self.folder / "scratch")
        return found["GO111MODULE"], found.get("GOPATH", "")

    def test_a_module(self) -> None:
        self.write("6.824/src/go.mod", "module 6.824\n")
        for imports in ('import "6.824/labrpc"', 'import "fmt"', "",
                        '// not "../labrpc"', 'var s = "../labrpc"'):
            self.assertEqual(("on", ""), self.environment(imports))
        found = lab.go_environment(self.lab, self.folder)
        self.assertEqual("off", found["GOWORK"])

    def test_a_lab_without_one(self) -> None:
        for mod in ("", "module my\n"):
            if mod:  # above the lab, of a project around it
                self.write("go.mod", mod)
            for imports in ('import "../labrpc"', 'import (\n\t"fmt"\n\t'
                            '"../labgob"\n)', 'import rpc "../labrpc"'):
                self.assertEqual(("off", ""), self.environment(imports))

    def test_one_that_imports_by_a_name_alone(self) -> None:
        scratch = self.folder / "scratch"
        with mock.patch.dict(os.environ, GOPATH="/mine"):
            self.assertEqual(("off", f"{scratch}:/mine"),
                             self.environment('import "labrpc"'))
        self.assertEqual(self.lab.parent, (scratch / "src").resolve())

    def test_one_below_gopath(self) -> None:
        with mock.patch.dict(os.environ, GOPATH=str(self.folder / "6.824")):
            self.assertEqual(("off", str(self.folder / "scratch")),
                             self.environment('import "../labrpc"'))


class Building(CommandTest):
    """What is built, and what is said if it is not."""

    def test_a_module_is_run_as_one(self) -> None:
        self.write("6.824/src/go.mod", "module 6.824\n")
        self.compare(f"--go_lab={self.lab}")
        self.assertIn(f" in {self.lab} module=on path=\n", self.called("go"))

    def test_the_servers_of_2026(self) -> None:
        self.write("6.5840/src/main/raft1d.go", "package main\n")
        self.write("6.5840/src/main/kvraft1d.go", "package main\n")
        folder = self.write("6.5840/src/raft1/raft_test.go", LAB_TEST).parent
        self.compare(f"--go_lab={self.folder / '6.5840'}")
        first, second = self.called("go").splitlines()
        self.assertRegex(first, rf"\Atest -c -vet=off -o .* in {folder} ")
        self.assertRegex(second, r"\Abuild -o main/raft1d main/raft1d\.go in "
                         rf"{folder.parent} ")
        self.assertTrue((folder.parent / "main/raft1d").exists())

    def test_the_key_value_servers_of_2026(self) -> None:
        source = self.folder / "6.5840/src"
        for name in ("raft1d", "kvraft1d", "rsm1d"):
            self.write(f"{source}/main/{name}.go", "package main\n")
        self.write(f"{source}/kvraft1/x_test.go", go_source("Basic4B"))
        self.write(f"{source}/kvraft1/rsm/x_test.go", go_source("Basic4A"))
        self.compare(f"--go_lab={source.parent}", "--lab=3")
        called = self.called("go").splitlines()
        self.assertEqual(4, len(called))
        self.assertIn(f" in {source}/kvraft1/rsm ", called[0])
        self.assertRegex(called[1], r"\Abuild -o main/rsm1d main/rsm1d\.go in "
                         rf"{source} ")
        self.assertIn(f" in {source}/kvraft1 ", called[2])
        self.assertRegex(called[3], r"\Abuild -o main/kvraft1d ")

    def test_a_lab_that_does_not_build(self) -> None:
        errors = [f"./raft.go:{number}: oops" for number in range(1, 20)]
        self.write("go.broken", "# raft\n" + "\n".join(errors))
        status, out, err = self.compare(f"--go_lab={self.lab}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn("# raft\n./raft.go:1: oops\n", err)
        self.assertNotIn(":10: oops", err)
        self.assertIn("does not build: mend that, or", err.splitlines()[-1])
        self.assertEqual("", self.called("raft") + self.called("ours"))

    def expect_needs(self, needed: str, says: str, go_mod: str) -> None:
        """Expects that a lab that does not build is said to need that Go."""
        self.write("go.broken", says)
        self.write("6.824/src/go.mod", go_mod)
        status, out, err = self.compare(f"--go_lab={self.lab}")
        self.assertEqual((2, ""), (status, out))
        self.assertIn(f"needs Go {needed}, this is 1.19.8: install that, or",
                      err.splitlines()[-1])

    def test_a_lab_for_a_newer_go(self) -> None:
        errors = "".join(f"./raft.go:{number}: undefined: min\n"
                         for number in range(10))
        self.expect_needs("1.22", f"# x/raft\n{errors}too many errors\n"
                          "note: module requires Go 1.22\n", "module x\n")
        self.expect_needs("1.22", errors, "module x\n\ngo 1.22\n")
        self.expect_needs(
            "1.22.3", "go: errors parsing go.mod:\ngo.mod:3: invalid go "
            "version '1.22.3'\n", "module x\n\ngo 1.22.3\ntoolchain go1.23\n")
        self.expect_needs("1.100", "go: go.mod requires go >= 1.100 (running "
                          "go 1.21.0; GOTOOLCHAIN=local)\n", "module x\n")
        self.expect_needs("1.20", "# dependency\nnote: module requires Go "
                          "1.20\n", "module x\n\ngo 1.15\n")

        self.expect_needs("1.22", "raft.go:3:8: package math/rand/v2 is not in "
                          "GOROOT (/usr/lib/go/src/math/rand/v2)\n", "")
        self.expect_needs("1.21", 'raft.go:3:8: cannot find package "slices" '
                          "in any of:\n", "")

    def test_a_newer_go_is_not_to_blame_for_everything(self) -> None:
        self.write("go.broken", 'raft.go:1: cannot find package "mine"\n')
        for version in ("1.19", "1.15", "1.9"):
            self.write("6.824/src/go.mod", f"module x\n\ngo {version}\n")
            _, _, err = self.compare(f"--go_lab={self.lab}")
            self.assertIn("does not build: mend", err.splitlines()[-1])
