"""Copies of the tree to break something in, and commands that run in them.

Who calls it: mutate.py here and tools/mutants/run.py. Needs the standard
library only. A copy lies in out/mutants/ and takes over the objects that are
already built, with their times, so that make builds only what was changed.

Always true: what was started here has ended, with all its children, when
run_limited() returns or end_all() has been called.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("out/mutants")
SOURCES = ["base", "rpc", "labrpc", "persister", "raft", "sim", "tests", "tools",
           "Makefile"]
BUILD_LIMIT_S = 1200
# The caller's own make must not hand its jobs or its variables down.
NOT_INHERITED = ("MAKE", "MFLAGS", "SIM_", "LAB_", "ORACLE", "GLOG_", "RAFT",
                 "PLACE", "VARIANT")
# The runner ends its children when it is interrupted.
GRACE_S = 10

# What runs now, to be ended when this program is.
running: set[subprocess.Popen] = set()
stopped = threading.Event()  # nothing new is to start


class Broken(Exception):
    """Something else than what is tested is wrong; the text says what."""


def copy(source: Path, folder: Path) -> None:
    """Copies a file or a folder into `folder`, with all times."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(source), str(folder)], check=True)


def copy_tree(name: str, variant: str) -> Path:
    """Copies the sources and a variant's objects; returns the new tree."""
    tree = ROOT / FOLDER / name
    shutil.rmtree(tree, ignore_errors=True)
    for source in SOURCES:
        copy(ROOT / source, tree)
    objects = ROOT / "out" / variant / "obj"
    if objects.exists():
        copy(objects, tree / "out" / variant)
    return tree


def start(command: list[str], tree: Path,
          settings: dict[str, str]) -> subprocess.Popen:
    """Starts a command in `tree`, in a session of its own."""
    if stopped.is_set():
        raise Broken("stopped")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(NOT_INHERITED)}
    process = subprocess.Popen(command, cwd=tree, env=environment | settings,
                               text=True, errors="replace",
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT,
                               start_new_session=True)
    running.add(process)
    return process


def session_of(stat: Path) -> int:
    """Returns the session of a process by its /proc/N/stat; 0 if it is gone."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def kill(process_id: int) -> None:
    """Kills a process; it may just have ended."""
    try:
        os.kill(process_id, signal.SIGKILL)
    except ProcessLookupError:
        pass


def end(process: subprocess.Popen) -> None:
    """Ends the process, if it still runs, and all that it has started."""
    try:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        pass
    # What is broken may hang long after its parents' end.
    for stat in Path("/proc").glob("[0-9]*/stat"):
        if session_of(stat) == process.pid:
            kill(int(stat.parent.name))
    process.wait()
    running.discard(process)


def end_all() -> None:
    """Ends all that runs, for good."""
    stopped.set()
    for process in list(running):
        end(process)


def run_limited(command: list[str], tree: Path, limit: float,
                last_words: str = "\0", settings: dict[str, str] | None = None
                ) -> tuple[int | None, list[str]]:
    """Runs a command in `tree`. Returns its status and its output's lines.

    No status if it had to be ended: after `limit` seconds, or behind the first
    line that begins with `last_words`. `settings` are added to the environment.
    """
    begin = time.monotonic()
    process = start(command, tree, settings or {})
    alarm = threading.Timer(limit, end, [process])
    alarm.start()
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith(last_words):
                return None, lines
        status = process.wait()
        return None if time.monotonic() - begin > limit else status, lines
    finally:
        alarm.cancel()
        end(process)


def build(name: str, tree: Path, target: str, *arguments: str) -> None:
    """Builds out/VARIANT/PROGRAM; what is no C++ is a mistake in the list."""
    variant = target.split("/")[1]
    command = ["make", "--no-print-directory", "-j1", f"VARIANT={variant}",
               *arguments, target]
    status, output = run_limited(command, tree, BUILD_LIMIT_S)
    if status != 0:
        errors = [line for line in output if "rror" in line]
        said = (errors or output or ["nothing"])[0]
        raise Broken(f"{name} does not build: {said}")
