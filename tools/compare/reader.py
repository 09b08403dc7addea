"""Reads what `go test`, or our program, said of its tests.

The lab and its solutions also print, often without an end of line, and even
between the two halves of a Passed line. Without -v only failing tests are
named; the others are known by their titles.
"""

import io
import re
from pathlib import Path

from tools.command import Problem
from tools.compare import grammar, names, text
from tools.compare.logs import Cost, Figures, Log, Test

_CRASH_OF_OURS = re.compile(r"crashed: |exit status \d+: (?:before|after) ")
_RECOVERED = re.compile(r" \[recovered.*\]\s*$")
_NOT_BUILT = re.compile(r"^FAIL\s.*\[\w+ failed\]", re.MULTILINE)
_ILLEGAL = "history is not linearizable"
_LOG_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)? ")


class _Reader:
    """Collects the tests of one log from its events, in order.

    How a test ended is clear only when something follows that is not its own:
    the next test, or the end of the log.
    """

    def __init__(self) -> None:
        self.log = Log()
        self._test: Test | None = None  # the last
        self._package = ""  # in which the next tests are, if that is said
        self._awaits_figures = False
        self._has_network = False  # its title has: then it is of 2025
        self._has_service_title = False  # not one of a Raft test
        self._said = ""   # its last line that is no event
        self._cause = ""  # what may have ended the process, in its words
        self._race = ""
        self._end = ""    # of the run: what says so, or log.Fatal before it
        self._has_exited = False  # at that end: its tests have none

    def read(self, log: str) -> Log:
        """Returns what is in the log; once only."""
        for line in io.StringIO(log, newline="\n"):
            events = grammar.find(line, may_be_half=self._awaits_figures)
            for event in events:
                getattr(self, f"_on_{event.lastgroup}")(event)
            if not events and not line.isspace():
                self._said = line
        self._close(is_last=True)
        self._find_fault()
        return self.log

    def _open(self, name: str, named_by_go: bool, own: str = "") -> Test:
        self._close()
        self._test = Test(name, named_by_go, own or name)
        self._awaits_figures = self._has_exited = False
        self._has_network = self._has_service_title = False
        self._said = self._cause = self._race = self._end = ""
        self.log.tests.append(self._test)
        return self._test

    def _close(self, is_last: bool = False) -> None:
        """Decides whether the last test has ended the process."""
        test = self._test
        if not test or test.crash:
            return
        if test.has_ended:
            has_failed = test.verdict == "FAIL"
            test.has_stopped = self._has_exited or bool(self._cause) and (
                has_failed or (is_last and not self._end))
            why = "" if has_failed else "after its end: "
        else:
            test.has_stopped = bool(self._cause or self._end)
            why = ""
        if test.has_stopped:
            test.crash = why + (self._cause or self._race or self._end)

    def _find_fault(self) -> None:
        cut = [test for test in self.log.tests if test.result == "cut"]
        if cut:
            self.log.fault = f"breaks off in {cut[0].name}"
        elif not self._end and not (self._test and self._test.crash):
            self.log.fault = "has no last line (PASS, FAIL or ok)"

    def _on_run(self, event: re.Match[str]) -> None:
        own = event["running"]
        self._open(names.canonical(own, self._package), named_by_go=True,
                   own=own)

    def _on_title(self, event: re.Match[str]) -> None:
        title = names.title_of(event["titled"], event["network"] or "")
        test = self._test
        if not test or not self._is_title_of(test, title):
            test = self._open(title.name, named_by_go=False, own=title.own)
        elif title.own == test.own:
            test.name = title.name  # where the year's name means two tests
        test.titled, test.passed = True, False
        self._has_network = bool(event["network"])
        self._has_service_title = not title.name.startswith(("Test (2",
                                                             "Test (3"))

    @staticmethod
    def _is_title_of(test: Test, title: names.Title) -> bool:
        """Whether the last test prints that title, perhaps as another one."""
        if test.verdict:
            return False
        if test.titled and title.name == test.name:
            return test.named_by_go or not title.is_first
        return test.named_by_go and not (test.titled and
                                         names.lab_of(title.name))

    def _on_passed(self, _: re.Match[str]) -> None:
        test = self._test
        if not test or test.has_ended:
            test = self._open("(no title)", named_by_go=False)
        test.passed = self._awaits_figures = True
        self._end, self._has_exited = "", False  # the test has printed that

    def _on_figures(self, event: re.Match[str]) -> None:
        size = int(event["bytes"]) if event["bytes"] else None
        done = int(event["done"])
        is_service = size is None and self._is_service
        # In 2025 the last is what its lines with names call #Ops.
        has_commits = not is_service and not self._has_network
        self._add(Figures(float(event["seconds"]), int(event["rpcs"]), size,
                          done if has_commits else None,
                          done or None if is_service else None))

    def _on_figures_2025(self, event: re.Match[str]) -> None:
        # Of Raft it is 0 in 2025, and never the commits.
        ops = int(event["ops_2025"]) if self._is_service else 0
        self._add(Figures(float(event["seconds_2025"]),
                          int(event["rpcs_2025"]), ops=ops or None))

    @property
    def _is_service(self) -> bool:
        """Whether the last test is one of a service on Raft."""
        if not self._test:
            return False
        lab = names.lab_of(self._test.name)
        return lab not in names.RAFT if lab else self._has_service_title

    def _add(self, figures: Figures) -> None:
        if self._test and self._awaits_figures:
            before = self._test.figures
            self._test.figures = before.plus(figures) if before else figures
            self._awaits_figures = False

    def _on_verdict(self, event: re.Match[str]) -> None:
        own, test = event["name"], self._test
        if not test or not self._is_verdict_of(test, own):
            test = self._open("", named_by_go=True)
        if test.name not in names.candidates(own):
            test.name = names.canonical(own, self._package)
        test.own, test.verdict = own, event["verdict_is"]
        test.took = float(event["took"])
        test.why = test.why or self._cause
        if test.verdict == "FAIL" and _CRASH_OF_OURS.match(test.why):
            test.crash = test.why
        self._cause, self._end, self._has_exited = "", "", False

    @staticmethod
    def _is_verdict_of(test: Test, own: str) -> bool:
        if test.verdict:
            return False
        nameless = not test.named_by_go and not names.lab_of(test.name)
        return test.name in names.candidates(own) or (nameless and
                                                      not test.passed)

    def _on_why(self, event: re.Match[str]) -> None:
        test, why = self._test, (event["place"] or event[0]).strip()
        if test and not test.why:
            test.why = why
        elif test and _ILLEGAL in why and _ILLEGAL not in test.why:
            test.why += f"; {_ILLEGAL}"  # of several messages the last

    def _on_unknown(self, _: re.Match[str]) -> None:
        if self._test:
            self._test.unknown += 1

    def _on_page(self, event: re.Match[str]) -> None:
        if self._test:
            self._test.page = event["file"]

    def _on_cause(self, event: re.Match[str]) -> None:
        self._cause = self._cause or _RECOVERED.sub("", event[0]).strip()

    def _on_race(self, event: re.Match[str]) -> None:
        self._race = event[0]

    def _on_exit(self, event: re.Match[str]) -> None:
        if not self._end:
            self._has_exited = True
            self._end_with(event)

    def _on_fail(self, event: re.Match[str]) -> None:
        if not self._end:
            self._end_with(event)

    def _end_with(self, event: re.Match[str]) -> None:
        said = event.string[:event.start()].strip() or self._said
        said = _LOG_STAMP.sub("", said).strip()  # by log.Fatal?
        is_signal = event[0].startswith("signal")
        self._end = event[0].strip() if is_signal or not said else said

    def _on_end_of_tests(self, event: re.Match[str]) -> None:
        if not self._test or self._test.has_ended:
            self._end = self._end or event[0].strip()

    def _on_package(self, event: re.Match[str]) -> None:
        self._package = event["folder"]

    def _on_began(self, event: re.Match[str]) -> None:
        self.log.began.append(event["when"].strip())

    def _on_seed(self, event: re.Match[str]) -> None:
        self.log.seeds.append(event["number"])

    def _on_used(self, event: re.Match[str]) -> None:
        cpu = float(event["cpu"])
        if event["peak"]:
            self.log.costs.append(Cost(cpu, float(event["peak"])))
        elif self._test:
            self._test.cpu = cpu

    def _on_failed(self, event: re.Match[str]) -> None:
        if self._test:
            self._test.why = event["message"].strip()
            if event["way"] == "crash":
                self._test.crash = self._test.why


def read(log: str) -> Log:
    """Returns the tests that a log's text tells of."""
    return _Reader().read(text.printed(log))


def read_file(path: str) -> Log:
    """Returns the tests of a saved log."""
    try:
        said = text.decode(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}; give the file "
                      "with a run's whole output") from error
    how = "make it with: go test -v >file 2>&1 (ours: make test >file 2>&1)"
    if not said.strip():
        raise Problem(f"{path} is empty; {how}")
    log = read(said)
    if not log.tests and _NOT_BUILT.search(said):
        raise Problem(f"{path} says that the Go lab does not build: mend that; "
                      f"then {how}")
    if not log.tests:
        raise Problem(f"{path} is no log of go test: no lab test is in it; "
                      f"{how}")
    return log
