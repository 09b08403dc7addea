"""The project's tools: `/usr/bin/python3 -B -m tools COMMAND`, in the root."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
