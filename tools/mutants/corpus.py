"""The mutants: what their files say, and how they are put into a tree.

A file NAME.patch is a head of `Key: value` lines and a unified diff of one
folder, raft/ or a service's (README.md shows one). Nothing here changes the
tree that the patches lie in.
"""

import hashlib
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.command import Problem

# The folders that are broken, and the labs whose tests judge each.
SERVICES, SHARDED = "rsm,kvraft", "shardctrler,shardkv"
# No lab knows of the storage: its unit tests judge it, in a program of theirs.
STORAGE = "persister/files"
LABS = {"raft": "raft", "rsm": SERVICES, "kvraft": SERVICES,
        "shardctrler": SHARDED, "shardkv": SHARDED, "shardkv1": "shardkv1",
        STORAGE: ""}
# How a mutant's program is built and run: the variant of the Makefile.
VARIANTS = {"sim": "plain", "sim-slow": "plain", "sim-race": "race",
            "sim-asan": "asan"}


@dataclass(frozen=True)
class Mutant:
    """One fault."""
    name: str
    folder: str         # a key of LABS
    rule: str           # its number in the folder's README.md
    what: str           # completes "this Raft ...", "this server ...",
                        # "this storage ..."
    seen: str           # where
    killers: list[str]  # names of tests, the likeliest to notice it first
    run: str            # a key of VARIANTS
    patch: str          # the whole file

    @property
    def variant(self) -> str:
        """Names the folder of out/ that its program belongs to."""
        return VARIANTS[self.run]

    @property
    def program(self) -> str:
        """Names the program with the tests that judge it."""
        return "storage_sim" if self.folder == STORAGE else "raft_sim"

    @property
    def digest(self) -> str:
        """Names this content."""
        return hashlib.sha256(self.patch.encode()).hexdigest()[:16]


ORIGINAL = Mutant("original", "raft", "-", "is as it should be", "", [], "sim",
                  "")


def parse(name: str, text: str) -> Mutant:
    """Takes a file apart."""
    head, mark, _ = text.partition("--- a/")
    values = dict(re.findall(r"^(\w+): (.*\S)$", head, re.M))
    unknown = set(values) - {"Breaks", "Seen", "Killers", "Run"}
    missing = {"Breaks", "Seen", "Killers"} - set(values)
    if not mark or unknown or missing:
        what = sorted(unknown) or sorted(missing) or ["--- a/raft/..."]
        raise Problem(f"{name}.patch: {'unknown' if unknown else 'lacks'} "
                     f"{', '.join(what)}")
    breaks = re.fullmatch(r"([A-Z]\d+) (.+)", values["Breaks"])
    if breaks is None:
        raise Problem(f"{name}.patch: Breaks: names no rule like \"I1 ...\"")
    folders = set(re.findall(r"^(?:---|\+\+\+) (?:[ab]/)?(.*)/", text, re.M))
    if len(folders) > 1 or not folders <= set(LABS):
        raise Problem(f"{name}.patch changes {', '.join(sorted(folders))}, not "
                      f"one of {', '.join(LABS)} alone")
    run = values.get("Run", "sim")
    if run not in VARIANTS:
        raise Problem(f"{name}.patch: Run: {run} is none of "
                     f"{', '.join(VARIANTS)}")
    return Mutant(name, folders.pop(), breaks[1], breaks[2], values["Seen"],
                  values["Killers"].split("|"), run, text)


def rules_of(readme: str) -> set[str]:
    """Returns the numbers of the rules that a README lists."""
    return set(re.findall(r"^\* ([A-Z]\d+)\. ", readme, re.M))


def apply(mutant: Mutant, tree: Path, *, dry: bool = False) -> None:
    """Changes the tree; with `dry` it only looks whether it could."""
    if shutil.which("patch") is None:
        raise Problem("missing: patch; run: make deps")
    command = ["patch", "-p1", "--fuzz=0", "--force", "--silent",
               "--no-backup-if-mismatch", *(["--dry-run"] if dry else [])]
    done = subprocess.run(command, input=mutant.patch, cwd=tree, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines() or ["?"]
        raise Problem(f"{mutant.name}.patch does not apply: {said[0]}")


def load(folder: Path, root: Path) -> list[Mutant]:
    """Returns all mutants in `folder`, each of which fits the tree `root`."""
    mutants = [parse(path.stem, path.read_text())
               for path in sorted((folder / "patches").glob("*.patch"))]
    for mutant in mutants:
        readme = f"{mutant.folder}/README.md"
        if mutant.rule not in rules_of((root / readme).read_text()):
            raise Problem(f"{mutant.name}.patch: {readme} has no rule "
                          f"{mutant.rule}")
        apply(mutant, root, dry=True)
    return mutants
