"""What can be graded: a Raft (lab 2), and a service on one (labs 3 and 4, of
which 2025's edition is 5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT
from tools.command import Problem


@dataclass(frozen=True)
class Lab:
    """A lab, and the programs that grade it."""
    number: int
    rooms: tuple[str, ...]  # the folders that may be a student's
    kind: str               # of the programs: KIND_judge, KIND_host
    weights: Path
    seeds: int = 20         # how many, unless the command says
    race_seeds: int = 3

    def rooms_in(self, folder: Path) -> dict[str, str]:
        """Returns a student's folders by what they are."""
        if self.number == 2:
            return {"raft": str(folder)}
        rooms = {room: str(folder / room) for room in self.rooms
                 if (folder / room).is_dir()}
        if not rooms:
            raise Problem(f"{folder.name} has no folder "
                          f"{', '.join(self.rooms[:-1])} or {self.rooms[-1]}")
        return rooms


WEIGHTS = ROOT / "tools/grade"
RAFT = Lab(2, ("raft",), "raft", WEIGHTS / "grade_weights.json")
SERVICE = Lab(3, ("raft", "rsm", "kvraft"), "service",
              WEIGHTS / "grade_weights_3.json")
SHARDED = Lab(4, (*SERVICE.rooms, "shardctrler", "shardkv"), "sharded",
              WEIGHTS / "grade_weights_4.json")
# A seed has hundreds of processes, and takes a minute.
SHARDED_2025 = Lab(5, (*SERVICE.rooms, "shardkv1"), "shardkv1",
                   WEIGHTS / "grade_weights_5.json", seeds=5, race_seeds=1)
LABS = (RAFT, SERVICE, SHARDED, SHARDED_2025)
ROOMS = tuple(dict.fromkeys(room for lab in LABS for room in lab.rooms))


def lab_of(number: str, rooms: Iterable[str]) -> Lab:
    """Returns the lab of that number; without one, the first that has all of
    these folders."""
    for lab in LABS:
        if number == str(lab.number) or not number and set(rooms) <= {
                *lab.rooms}:
            return lab
    if number:
        raise Problem(f"LAB={number}: give 2, 3, 4 or 5, or a folder")
    raise Problem("these folders are of two editions of lab 4: give "
                  "SHARDCTRLER= and SHARDKV=, or SHARDKV1=")
