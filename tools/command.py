"""What all commands share: their one error, their arguments, how they end.

Exit status of each command: its own 0 or 1; 2 for a Problem, with one line on
standard error; 130 if interrupted.
"""

import argparse
import fcntl
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INTERRUPTED = 130
BROKEN_PIPE = 141


class Problem(Exception):
    """One line that says what is wrong and what to do.

    `details` explain it, in lines above that one.
    """

    def __init__(self, line: str, details: Iterable[str] = ()) -> None:
        super().__init__(line)
        self.details = list(details)


def number(name: str, text: str, least: int, most: int) -> int:
    """Returns the whole number in `text`, the value of NAME=."""
    # No number of ours is longer; Python refuses to read very long ones.
    if not re.fullmatch("[0-9]{1,20}", text) or \
            not least <= int(text) <= most:
        raise Problem(f"{name}={text} is wrong: give a whole number from "
                      f"{least} to {most}")
    return int(text)


class Arguments(argparse.ArgumentParser):
    """A command line that make has filled in: an empty value was not given."""

    def __init__(self, description: str | None) -> None:
        super().__init__(description=(description or "").partition("\n")[0],
                         allow_abbrev=False)

    def texts(self, *names: str, default: str = "") -> None:
        """Takes --name=TEXT for each name."""
        for name in names:
            self.add_argument(f"--{name}", default=default)

    def number(self, name: str, default: int | None, least: int, most: int,
               variable: str = "") -> None:
        """Takes --name=NUMBER; messages call it NAME=, or `variable`."""
        variable = variable or name.upper()
        self.add_argument(f"--{name}", default=default, type=lambda text:
                          number(variable, text, least, most))

    def choice(self, name: str, *allowed: str, hint: str) -> None:
        """Takes --name=TEXT, one of `allowed`; the first is the default."""
        def check(text: str) -> str:
            if text not in allowed:
                raise Problem(f"{name.upper()}={text} is wrong: give {hint}")
            return text
        self.add_argument(f"--{name}", default=allowed[0], type=check)

    def disk(self) -> None:
        """Takes --disk=slow."""
        self.choice("disk", "", "slow", hint="slow, or leave it out")

    def read(self, arguments: list[str]) -> Any:
        """Returns the options."""
        return self.parse_args([argument for argument in arguments if not
                                re.fullmatch(r"--\w+=", argument)])

    def error(self, message: str) -> Any:
        raise Problem(message)


def theirs_argument(theirs: str) -> str:
    """Returns RAFT= and the like, as they were typed, for a line to be copied
    into a shell; nothing for ours."""
    return f" {theirs}" if theirs else ""


def disk_options(disk: str) -> list[str]:
    """Returns what has the test program make slow disks, if that is asked."""
    return [f"--disk={disk}"] if disk else []


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failure to write `path` into a Problem."""
    try:
        yield
    except OSError as error:
        raise Problem(f"cannot write {error.filename or path}: "
                      f"{error.strerror}; make room for it") from error


def write_whole(path: Path, text: str, *, with_folder: bool = True) -> None:
    """Writes a file, never half of it, and makes its folder."""
    partial = path.with_suffix(".part")
    with writing(path):
        if with_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path, command: str) -> Iterator[None]:
    """Holds a folder that one such command at a time writes to."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(f"another {command} is at work here: wait for its "
                          "end") from error
        yield


def on_interrupt(handler: Callable[..., None]) -> None:
    """Calls `handler` for ctrl-C, in place of an exception that would cut
    something off."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, handler)


def run(name: str, main: Callable[[list[str]], int],
        arguments: list[str]) -> int:
    """Runs a command; returns its exit status."""
    on_interrupt(signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):  # someone may be watching
        sys.stdout.reconfigure(line_buffering=True, errors="replace")
    try:
        return main(arguments)
    except Problem as problem:
        for line in problem.details:
            print(line, file=sys.stderr)
        print(f"{name}: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of the output has seen enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt as interrupt:
        if str(interrupt):
            print(f"{name}: {interrupt}", file=sys.stderr)
        return INTERRUPTED
