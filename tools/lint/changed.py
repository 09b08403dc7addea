"""lint-changed COMMIT SOURCES...: prints those that changed since that commit,
or that include one that did, directly or not.

lint.sh calls it. All changed, if what clang-tidy checks changed. Exit status 2
if there is no such commit.
"""

import re
import subprocess
from pathlib import Path

from tools.command import Problem

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def git(*words: str) -> list[str]:
    """Returns the lines that git prints."""
    return subprocess.run(["git", *words], check=True, text=True,
                          capture_output=True).stdout.splitlines()


def affected(changed: set[str], includes: dict[str, set[str]]) -> set[str]:
    """Returns the files that changed or include, directly or not, one that
    did. `includes`: of each file."""
    found = changed & set(includes)
    while more := {path for path, included in includes.items()
                   if path not in found and included & found}:
        found |= more
    return found


def main(arguments: list[str]) -> int:
    """Prints what the command line asks for."""
    since, *paths = arguments
    try:
        git("rev-parse", "--verify", "--quiet", "--end-of-options",
            f"{since}^{{commit}}")
    except subprocess.CalledProcessError:
        raise Problem(f"SINCE={since}: git knows no such commit") from None
    changed = set(git("diff", "--name-only", since, "--"))
    changed |= set(git("ls-files", "--others", "--exclude-standard"))
    if any(Path(path).name == ".clang-tidy" for path in changed):
        changed = set(paths)
    includes = {path: set(INCLUDE.findall(
        Path(path).read_text(encoding="utf-8"))) for path in paths}
    chosen = affected(changed, includes)
    print("".join(f"{path}\n" for path in paths if path in chosen), end="")
    return 0
