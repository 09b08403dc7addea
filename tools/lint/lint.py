#!/usr/bin/env python3
"""Checks what a formatter cannot: structure, sizes and rules of this project.

lint.sh calls it with all sources. Each finding is a line `file:line: what`; the
exit status is 1 if there is any.
"""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tools import ROOT

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70

# An oracle is one of the harness's observers: it includes no more of tests/.
ORACLE = "tests/oracle/"
ORACLE_MAY_INCLUDE = {"tests/harness/observer.h", "tests/harness/message.h"}

# The libraries whose own style is to be included in quotes.
LIBRARIES = {"absl", "cereal", "gflags", "glog", "gmock", "gtest"}

# What must not appear, and where it may: a file, or a folder with its slash.
BANNED: list[tuple[str, str, set[str]]] = [
    (r"\bstd::(mutex|condition_variable|lock_guard|unique_lock|scoped_lock)\b",
     "use base/mutex.h", {"base/mutex.h", "sim/test/"}),
    (r"\bstd::(\w+_mutex|condition_variable_any|shared_lock)\b",
     "use base/mutex.h", {"sim/test/"}),
    (r"\babsl::(\w*Mutex\w*|CondVar|\w*BitGen)\b",
     "not instrumented for ThreadSanitizer: use base/", set()),
    (r"(\.|->)detach\(\)", "threads are joined by their owner",
     {"sim/test/"}),
    (r"NO_THREAD_SAFETY_ANALYSIS", "clang must see every lock", set()),
    (r"no_sanitize", "no sanitizer is switched off", set()),
    (r"#include <glog/", "include base/logging.h", {"base/logging.h"}),
]


def strip_comment(line: str) -> str:
    """Returns the line without its // comment."""
    return line.split("//", 1)[0]


@cache
def may_include() -> dict[str, set[str]]:
    """Returns what each folder may include of ours, by the link lines: what
    CMakeLists.txt says that its library uses, and what these use."""
    text = (ROOT / "CMakeLists.txt").read_text()
    folders: dict[str, str] = {}  # by library
    allowed: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^ *lab_library\((\S+)([^)]*)\)", text,
                                 re.M):
        words = rest.split()
        folder = words[words.index("FOLDER") + 1] if "FOLDER" in words else name
        folders[name] = folder = folder.partition("/$")[0]
        allowed.setdefault(folder, {folder})
        if "USES" in words:
            for used in words[words.index("USES") + 1:]:
                if used not in folders:
                    break  # the next keyword
                allowed[folder] |= allowed[folders[used]]
    # The compiler puts it before raft/ (tools/mutants/no_checks.h); attacks
    # stand for a student's room.
    return allowed | {"tools": allowed["raft"],
                      "tools/grade/service_attacks": allowed["kvraft"],
                      "tools/grade/sharded_attacks": allowed["shardkv"],
                      "tools/grade/shardkv1_attacks": allowed["shardkv1"]}


def folder_of(path: str) -> str:
    """Returns the folder of a library that a file lies in, or the first."""
    folders = [folder for folder in may_include()
               if path.startswith(f"{folder}/")]
    return max(folders, key=len, default=path.partition("/")[0])


def include_fault(folder: str, bracket: str, included: str) -> str:
    """Returns what is wrong with an include in that folder, or nothing."""
    target = folder_of(included)
    if target not in may_include():
        if bracket == "<" or target in LIBRARIES:
            return ""
        return "include by the path from the root"
    if bracket == "<":
        return "our own headers are included in quotes"
    if target not in may_include().get(folder, {folder}):
        return f"{folder}/ must not include {target}/"
    return ""


def oracle_fault(path: str, included: str) -> str:
    """Returns what is wrong with an include in the oracle, or nothing."""
    if (path.startswith(ORACLE) and included.startswith("tests/")
            and not included.startswith(ORACLE)
            and included not in ORACLE_MAY_INCLUDE):
        return f"{ORACLE} must not include {included}"
    return ""


def check_includes(path: str, lines: list[str]) -> list[str]:
    """Includes go strictly down."""
    folder = folder_of(path)
    found = []
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if match is None:
            continue
        fault = (include_fault(folder, *match.groups())
                 or oracle_fault(path, match[2]))
        if fault:
            found.append(f"{path}:{number}: {fault}")
    return found


def check_guard(path: str, lines: list[str]) -> list[str]:
    """The include guard is the path."""
    if not path.endswith(".h"):
        return []
    guard = re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"
    if f"#ifndef {guard}" in lines and f"#define {guard}" in lines:
        return []
    return [f"{path}:1: the include guard must be {guard}"]


def is_allowed(path: str, allowed: set[str]) -> bool:
    """True if the file, or a folder that it lies in, is among them."""
    return path in allowed or any(
        place.endswith("/") and path.startswith(place) for place in allowed)


def check_banned(path: str, lines: list[str]) -> list[str]:
    """Names that this project does not use."""
    return [
        f"{path}:{number}: {why}"
        for number, line in enumerate(lines, 1)
        for pattern, why, allowed in BANNED
        if not is_allowed(path, allowed)
        and re.search(pattern, strip_comment(line))
    ]


def check_length(path: str, lines: list[str]) -> list[str]:
    """Files stay short, and headers open with what they are."""
    found = []
    if len(lines) > MAX_FILE_LINES:
        found.append(f"{path}:{MAX_FILE_LINES}: has {len(lines)} lines, more "
                     f"than {MAX_FILE_LINES}")
    if path.endswith(".h") and not (lines and lines[0].startswith("// ")):
        found.append(f"{path}:1: a header opens with what it is")
    return found


def check_functions(paths: list[str]) -> list[str]:
    """Functions stay short; ctags knows where they end."""
    output = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f",
         "--language-force=C++", "-f", "-", *paths],
        check=True, capture_output=True, text=True).stdout
    found = []
    for tag in map(json.loads, output.splitlines()):
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        if length > MAX_FUNCTION_LINES:
            found.append(f"{tag['path']}:{tag['line']}: {tag['name']} has "
                         f"{length} lines, more than {MAX_FUNCTION_LINES}")
    return found


def main(paths: list[str]) -> int:
    """Checks the files named on the command line."""
    found = check_functions(paths)
    for path in paths:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        for check in (check_includes, check_guard, check_banned, check_length):
            found += check(path, lines)
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
