"""Builds a program: the one place in Python that calls the build."""

import re
from collections.abc import Sequence

from tools import ROOT
from tools.command import Problem
from tools.process import Launcher, inherited

LIMIT_S = 1200
# The caller's own variables must not come down.
NOT_INHERITED = ("MAKE", "MFLAGS", "SIM_", "LAB_", "ORACLE", "GLOG_", "RAFT",
                 "PLACE")
ERROR = re.compile(r"\berror\b|undefined reference|multiple definition")


def build(program: str, variant: str = "plain", *, place: str = "out",
          base: str = "out", jobs: int = 1, has_checks: bool = True,
          has_units: bool = False, launcher: Launcher | None = None,
          limits: Sequence[str] = (), limit: float = LIMIT_S) -> str:
    """Builds PLACE/VARIANT/PROGRAM with build.sh; returns that path.

    A place other than out has a tree/, in which some folders are others; what
    is not changed by that is taken from `base`. Without `has_checks` such a
    raft/ has none of its own CHECKs; with `has_units` its programs have the
    unit tests too. It runs below the command `limits`, and at most `limit`
    seconds. Raises Problem with the first error.
    """
    target = f"{place}/{variant}/{program}"
    command = [*limits, "tools/build.sh", f"-j{jobs}", f"--base={base}",
               f"--checks={'on' if has_checks else 'off'}",
               *(["--units"] if has_units else []), target]
    done = (launcher or Launcher()).run(command, cwd=ROOT, limit=limit,
                                        env=inherited(*NOT_INHERITED))
    if done.status is None:
        raise Problem(f"the build took more than {limit:.0f} s")
    if done.status != 0:
        said = done.output.splitlines()
        errors = [line for line in said if ERROR.search(line)]
        raise Problem((errors or said or ["the build failed"])[0])
    return target
