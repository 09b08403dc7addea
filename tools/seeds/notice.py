"""What the simulator says of the machine, shown once in a command.

The simulator says on standard error which engine it takes, why, and what that
costs (sim/README.md). Programs that run many simulated processes and read what
these print call show() first.
"""

import os
import sys
from pathlib import Path

from tools.process import ask


def show(program: str | Path) -> None:
    """Passes on what `program`, of raft_sim's kind, says of this machine;
    whatever is started from then on does not repeat it."""
    listing = ask([program, "--list"],
                  env=os.environ | {"SIM_SEED": "1", "SIM_ONLY": "-"})
    for line in listing.stderr.splitlines():
        if line.startswith("sim: engine "):
            print(line, file=sys.stderr)
    os.environ["SIM_NOTICE"] = "off"
