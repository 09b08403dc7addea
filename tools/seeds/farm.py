"""Runs shell commands through GNU parallel, on this machine or on several.

Always true: each command that was started and not ended by stop() is reported
exactly once, as soon as it is over; nothing that was started outlives an
interrupt. Needs GNU parallel (Debian's package).
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.command import Problem
from tools.process import Launcher

_POLL_S = 0.1
# What parallel does to jobs that are to end: ask, then force.
_END = "INT,8000,KILL"


class NoFarm(Problem):
    """Why nothing can be run."""


@dataclass
class Done:
    """What became of one command."""
    index: int  # in the list of commands
    host: str   # ":" is this machine
    seconds: float
    status: int  # of the shell; minus the signal, if one ended it
    output: str
    errors: str


def check_machines(sshlogins: str) -> None:
    """Finds a file of machines that cannot be used."""
    if not sshlogins:
        return
    try:
        text = Path(sshlogins).read_text("utf-8", "replace")
    except OSError as error:
        raise NoFarm(f"cannot read SSHLOGINS={sshlogins}: {error.strerror}; "
                     "give a file with a machine in each line") from error
    lines = [line.strip() for line in text.splitlines()]
    if not any(line and not line.startswith("#") for line in lines):
        raise NoFarm(f"no machine is in SSHLOGINS={sshlogins}; give a file "
                     "with a machine in each line, : for this one")


class Farm:
    """GNU parallel at work on one list of commands.

    `folder` is where the commands run, on every machine. `jobs` run at a time
    on each; None: one for each of its cores. With `halts` the first failure
    ends all; with `bar` parallel draws its progress bar on standard error.
    """

    def __init__(self, folder: Path, jobs: int | None = None,
                 sshlogins: str = "", halts: bool = False,
                 bar: bool = False) -> None:
        check_machines(sshlogins)
        self.halts = halts
        self._bar = bar
        self._folder = folder
        self._options = ["--workdir", str(folder), "--termseq", _END]
        self._options += ["--jobs", str(jobs)] if jobs else []
        self._options += ["--halt", "now,fail=1"] if halts else []
        self._options += ["--bar"] if bar else []
        if sshlogins:
            self._options += ["--sshloginfile", str(Path(sshlogins).resolve())]
        self._launcher = Launcher()
        self._was_stopped = False

    def results(self, commands: list[str], job_log: Path) -> Iterator[Done]:
        """Runs the commands; yields each as it ends.

        `job_log` becomes parallel's job log. Raises NoFarm if parallel itself
        fails.
        """
        with tempfile.TemporaryDirectory(prefix="farm-") as name:
            scratch = Path(name)
            job_log.write_text("")
            (scratch / "commands").write_text("\n".join(commands) + "\n")
            missing, failed = len(commands), False
            process = self._start(job_log, scratch)
            try:
                for done in self._follow(process, job_log, scratch):
                    missing -= 1
                    failed = failed or done.status != 0
                    yield done
            finally:
                self._launcher.end(process)  # if the caller has failed
            if missing and not self._was_stopped and not \
                    (self.halts and failed):
                raise NoFarm("GNU parallel ended early: "
                             + self._complaint(scratch))

    def stop(self) -> None:
        """Ends all that runs."""
        self._was_stopped = True
        self._launcher.stop()

    def _start(self, job_log: Path, scratch: Path) -> subprocess.Popen[str]:
        command = ["parallel", "--will-cite", "--plain", *self._options,
                   "--joblog", str(job_log), "--results", str(scratch / "{#}"),
                   "--arg-file", str(scratch / "commands")]
        with (scratch / "stderr").open("w") as stderr:
            try:
                return self._launcher.start(
                    command, cwd=self._folder, stdout=subprocess.DEVNULL,
                    stderr=None if self._bar else stderr)
            except FileNotFoundError as error:
                raise NoFarm("GNU parallel is missing; run: make deps") \
                    from error

    @staticmethod
    def _follow(process: subprocess.Popen[str], job_log: Path,
                scratch: Path) -> Iterator[Done]:
        rest = ""
        ended = False
        with job_log.open(errors="replace") as log:
            while not ended:
                ended = process.poll() is not None
                *lines, rest = (rest + log.read()).split("\n")
                for line in lines:
                    if line[0].isdigit():  # not the heading
                        yield read_line(line, scratch)
                if not ended:
                    time.sleep(_POLL_S)

    @staticmethod
    def _complaint(scratch: Path) -> str:
        said = (scratch / "stderr").read_text(errors="replace").strip()
        return said.partition("\n")[0] or "see what it printed above"


def read_line(line: str, scratch: Path) -> Done:
    """Takes a line of the job log apart."""
    number, host, _, seconds, _, _, status, ended_by, _ = line.split("\t", 8)

    def take(name: str) -> str:
        path = scratch / name
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        path.unlink(missing_ok=True)
        return text

    take(f"{number}.seq")
    return Done(int(number) - 1, host, float(seconds),
                -int(ended_by) if int(ended_by) else int(status),
                output=take(number), errors=take(f"{number}.err"))
