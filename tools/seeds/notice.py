"""What the simulator says of the machine, shown once in a command.

Where the processor lacks FSGSBASE the simulator takes another engine, and says
so on standard error (sim/README.md). Programs that run many simulated
processes and read what these print call show() first.
"""

import os
import subprocess
import sys
from pathlib import Path


def show(program: str | Path) -> None:
    """Passes on what `program`, of raft_sim's kind, says of this machine;
    whatever is started from then on does not repeat it."""
    listing = subprocess.run(
        [program, "--list"], env=os.environ | {"SIM_SEED": "1", "SIM_ONLY": "-"},
        text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        errors="replace", check=False)
    for line in listing.stderr.splitlines():
        if line.startswith("sim: engine "):
            print(line, file=sys.stderr)
    os.environ["SIM_NOTICE"] = "off"
