"""Runs one command: `/usr/bin/python3 -B -m tools COMMAND ARGUMENTS`."""

import importlib
import sys

from tools import command

# The targets of the Makefile have these names; the last four are for hands.
COMMANDS = {
    "bench": "bench.bench",
    "compare": "tools.compare.compare",
    "grade": "tools.grade.grade",
    "lint": "tools.lint.lint",
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
    return command.run(name.partition("-")[0] if name.startswith("trace-")
                       else name, module.main, arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
