"""Builds a program of this tree, or of a copy of it: the one place that calls
the build."""

from pathlib import Path

from tools import ROOT
from tools.command import Problem
from tools.process import Launcher, inherited

LIMIT_S = 1200
# The caller's own make must not hand its jobs or its variables down.
NOT_INHERITED = ("MAKE", "MFLAGS", "SIM_", "LAB_", "ORACLE", "GLOG_", "RAFT",
                 "PLACE", "VARIANT")


def build(program: str, variant: str = "plain", *, tree: Path = ROOT,
          place: str = "out", raft: str = "", jobs: int = 1,
          has_checks: bool = True, launcher: Launcher | None = None) -> str:
    """Builds PLACE/VARIANT/PROGRAM in `tree`; returns that path.

    `raft` is the folder of another Raft; without `has_checks` raft/ has none
    of its own CHECKs. Raises Problem with the first error.
    """
    target = f"{place}/{variant}/{program}"
    command = ["make", "-s", "--no-print-directory", f"-j{jobs}",
               f"PLACE={place}", f"VARIANT={variant}", target,
               f"RAFT_CHECKS={'on' if has_checks else 'off'}"]
    if raft:
        command.append(f"RAFT={raft}")
    done = (launcher or Launcher()).run(command, cwd=tree, limit=LIMIT_S,
                                        env=inherited(*NOT_INHERITED))
    if done.status != 0:
        said = done.output.splitlines()
        errors = [line for line in said if "rror" in line
                  or "undefined reference" in line]
        raise Problem((errors or said or ["make failed"])[0])
    return target
