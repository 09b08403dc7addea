"""What can be graded: a Raft (lab 2), and a service on one (lab 3)."""

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
