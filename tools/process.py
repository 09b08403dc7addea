"""Starts programs, and ends them with all that they have started.

Always true: what a Launcher's run() has started has ended, with all its
children, when run() returns or raises. Each program has a session of its own,
so that ctrl-C reaches it only through stop() or end().
"""

import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tools.command import INTERRUPTED

# The test runner ends its children when it is interrupted.
GRACE_S = 10
# More is the output of one that never ends.
OUTPUT_LIMIT = 100_000_000  # characters
LINE_LIMIT = 1_000_000
# How a program ends that was interrupted: as it should, or because it has only
# just started.
INTERRUPTED_STATUSES = (INTERRUPTED, -signal.SIGINT)


class Ended(NamedTuple):
    """How a program ended, and what it printed."""
    status: int | None  # minus the signal, if one ended it; None: end() did
    output: str


class Stopped(Exception):
    """Nothing is started any more."""


def inherited(*without: str) -> dict[str, str]:
    """Returns the environment, but for names that begin like these."""
    return {name: value for name, value in os.environ.items()
            if not (without and name.startswith(without))}


def ask(command: Sequence[str | Path], **options: Any
        ) -> subprocess.CompletedProcess[str]:
    """Runs a program that answers at once; returns what it said."""
    return subprocess.run(command, text=True, errors="replace", check=False,
                          capture_output=True, **options)


def children_seconds() -> float:
    """Returns the CPU time of all programs that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _session_of(stat: Path) -> int:
    """Returns the session of a process by its /proc/N/stat; 0 if it is gone."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


class Launcher:
    """The programs that a command runs."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self.is_stopped = False

    def start(self, command: Sequence[str | Path], **options: Any
              ) -> subprocess.Popen[str]:
        """Starts a program; the caller waits for it, and calls end()."""
        if self.is_stopped:
            raise Stopped
        process = subprocess.Popen(
            command, text=True, errors="replace", start_new_session=True,
            stdin=subprocess.DEVNULL, **options)
        self._running.add(process)
        if self.is_stopped:  # since the question above
            self._end_beside(process)
        return process

    def run(self, command: Sequence[str | Path], *,
            limit: float | None = None, cwd: Path | None = None,
            env: Mapping[str, str] | None = None, errors_only: bool = False,
            on_line: Callable[[str], object] | None = None) -> Ended:
        """Runs a program to its end.

        It is ended after `limit` seconds, when it has printed OUTPUT_LIMIT, or
        after the first line for which `on_line` returns true. Standard error is
        part of the output, or all of it with `errors_only`. A line longer than
        LINE_LIMIT comes in parts.
        """
        process = self.start(
            command, cwd=cwd, env=env,
            stdout=subprocess.DEVNULL if errors_only else subprocess.PIPE,
            stderr=subprocess.PIPE if errors_only else subprocess.STDOUT)
        stream = process.stderr if errors_only else process.stdout
        assert stream is not None
        lines = []
        status: int | None = None
        with stream, self._limited(process, limit) as is_over:
            left = OUTPUT_LIMIT
            while line := stream.readline(LINE_LIMIT):
                lines.append(line)
                left -= len(line)
                if left <= 0:
                    lines.append(f"\nended: it printed more than "
                                 f"{OUTPUT_LIMIT // 1_000_000} MB\n")
                if left <= 0 or (on_line and on_line(line)):
                    is_over.set()
                    break
            else:
                status = process.wait()
        return Ended(None if is_over.is_set() else status, "".join(lines))

    @contextmanager
    def _limited(self, process: subprocess.Popen[str], limit: float | None
                 ) -> Iterator[threading.Event]:
        """Ends the process at the latest after `limit` seconds, and on exit if
        it did not end well. The event says whether it was to be ended."""
        is_over = threading.Event()

        def end_late() -> None:
            is_over.set()
            self.end(process)

        alarm = threading.Timer(limit or 0, end_late)
        if limit is not None:
            alarm.start()
        try:
            yield is_over
        finally:
            alarm.cancel()
            if process.poll() != 0 or is_over.is_set():
                self.end(process)
            self._running.discard(process)

    def stop(self) -> None:
        """Ends all that runs, and starts nothing new."""
        self.is_stopped = True
        for process in list(self._running):
            self._end_beside(process)

    def end(self, process: subprocess.Popen[str]) -> None:
        """Ends a program, if it still runs, and all that it has started."""
        with suppress(ProcessLookupError, subprocess.TimeoutExpired):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(GRACE_S)
        # What is broken may hang long after its parents' end.
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if _session_of(stat) == process.pid:
                with suppress(ProcessLookupError):
                    os.kill(int(stat.parent.name), signal.SIGKILL)
        process.wait()
        self._running.discard(process)

    def _end_beside(self, process: subprocess.Popen[str]) -> None:
        threading.Thread(target=self.end, args=[process]).start()
