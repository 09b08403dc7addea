"""The lab's tests: their names and titles, from 2020 to 2025.

Who calls it: logs.py, sides.py and figures.py. Always true: a test has one name
here, its oldest: 2A even where the course has called that part 3A, since 2024.
Names that are not the course's stay as they are.
"""

import re

# In the order in which 2023 runs them. A title that changed over the years is
# there once for each wording.
KNOWN_TESTS = [
    ("TestInitialElection2A", "initial election"),
    ("TestReElection2A", "election after network failure"),
    ("TestManyElections2A", "multiple elections"),
    ("TestBasicAgree2B", "basic agreement"),
    ("TestRPCBytes2B", "RPC byte count"),
    ("TestFollowerFailure2B", "test progressive failure of followers"),
    ("TestLeaderFailure2B", "test failure of leaders"),
    ("TestFailAgree2B", "agreement despite follower disconnection"),
    ("TestFailAgree2B", "agreement after follower reconnects"),
    ("TestFailNoAgree2B", "no agreement if too many followers disconnect"),
    ("TestConcurrentStarts2B", "concurrent Start()s"),
    ("TestRejoin2B", "rejoin of partitioned leader"),
    ("TestBackup2B", "leader backs up quickly over incorrect follower logs"),
    ("TestCount2B", "RPC counts aren't too high"),
    ("TestPersist12C", "basic persistence"),
    ("TestPersist22C", "more persistence"),
    ("TestPersist32C",
     "partitioned leader and one follower crash, leader restarts"),
    ("TestFigure82C", "Figure 8"),
    ("TestUnreliableAgree2C", "unreliable agreement"),
    ("TestFigure8Unreliable2C", "Figure 8 (unreliable)"),
    ("TestReliableChurn2C", "churn"),
    ("TestUnreliableChurn2C", "unreliable churn"),
    ("TestSnapshotBasic2D", "snapshots basic"),
    ("TestSnapshotInstall2D", "install snapshots (disconnect)"),
    ("TestSnapshotInstallUnreliable2D",
     "install snapshots (disconnect+unreliable)"),
    ("TestSnapshotInstallCrash2D", "install snapshots (crash)"),
    ("TestSnapshotInstallUnCrash2D", "install snapshots (unreliable+crash)"),
    ("TestSnapshotAllCrash2D", "crash and restart all servers"),
    ("TestSnapshotInit2D", "snapshot initialization after crash"),
]
RANK = {name: rank for rank, (name, _) in enumerate(KNOWN_TESTS)}
_NAME_OF_TITLE = {f"({name[-2:]}): {title}": name
                  for name, title in KNOWN_TESTS}

# In 2025 these two bear the title of another test; only the network, which is
# printed behind it, tells them apart.
_UNRELIABLE_TWIN = {
    "TestSnapshotInstall2D": "TestSnapshotInstallUnreliable2D",
    "TestSnapshotInstallCrash2D": "TestSnapshotInstallUnCrash2D",
}


def canonical(name: str) -> str:
    """Returns the name that a test of the course has here."""
    older = re.sub(r"3([A-D])$", r"2\1", name)
    return older if older in RANK else name


def name_of_title(title: str, network: str) -> str:
    """Returns whose title "(3A): ..." is; an unknown one names itself.

    `network` is "reliable" or "unreliable" if the log says so, else empty.
    """
    name = _NAME_OF_TITLE.get(re.sub(r"^\(3", "(2", title))
    if name is None:
        return f"Test {title}"
    return _UNRELIABLE_TWIN.get(name, name) if network == "unreliable" else name


def is_selected(name: str, run: str) -> bool:
    """Whether RUN means that test, by any of its names."""
    known = canonical(name)
    names = {name, known}
    if known in RANK:
        names.add(re.sub(r"2([A-D])$", r"3\1", known))
    return any(re.search(run, each) for each in names)
