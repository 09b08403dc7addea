"""Runs one command: `/usr/bin/python3 -B -m tools COMMAND ARGUMENTS`."""

import importlib
import sys

from tools import command

# Named as the Makefile's targets; what begins with another's name and a dash
# and is no target is a part of that one, or for hands.
COMMANDS = {
    "bench": "bench.bench",
    "compare": "tools.compare.compare",
    "grade": "tools.grade.grade",
    "ci": "tools.ci.ci",
    "lint": "tools.lint.lint",
    "lint-changed": "tools.lint.changed",
    "lint-words": "tools.lint.words",
    "mutate": "tools.mutate.mutate",
    "mutants": "tools.mutants.mutants",
    "sim": "tools.seeds.seeds",
    "sim-mutants": "tools.sim_mutants.sim_mutants",
    "sim-same": "tools.seeds.same",
    "stress": "tools.stress.stress",
    "trace": "tools.trace.record",
    "trace-show": "tools.trace.show",
    "trace-shots": "tools.trace.shots",
    "trace-synthetic": "tools.trace.synthetic",
}


def main(arguments: list[str]) -> int:
    """Returns the exit status."""
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        print(f"tools: give a command: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    module = importlib.import_module(COMMANDS[name])
    if name.startswith(("lint-", "trace-")):  # parts of one command
        name = name.partition("-")[0]
    return command.run(name, module.main, arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
