"""Small programs of one step or a few, and what is changed in them, as they stand in `programs/`.

`== NAME` begins a program: its `main.py`, then `### PATH` and the text of each other file. A line
`-- OLD => NEW` is a change after which the outcome is another, and `++ OLD => NEW` one after which
the step must still be a hit; `PATH: ` before them names a file other than `main.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path(__file__).parent / "programs"
HEADER = """import os
from lineage_store.recording import step
SAVED = os.environ["SAVED"]
"""
CACHED = "cache=True, save=SAVED"
MAIN = "\ndef main(): return b(3)\n"
NEVER_CACHED = " [never cached]"


@dataclass(frozen=True)
class Change:
    """One thing that is changed in a program.

    Attributes:
        text: As it stands in the file.
        is_hit: The outcome is the same, and the steps must still be hits.
        path: The file that is changed.
        old: What is replaced, once.
        new: By what.
    """

    text: str
    is_hit: bool
    path: str
    old: str
    new: str


@dataclass
class Program:
    """A program and its changes.

    Attributes:
        name: What it is about.
        is_cached: A second run of it hits.
        files: Their texts by their paths.
        changes: What is changed, each time one thing.
    """

    name: str
    is_cached: bool
    files: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def changed(self, change: Change) -> dict[str, str]:
        """Return its files with one thing changed."""
        text = self.files[change.path]
        assert change.old in text, f"{self.name}: {change.text}: there is no {change.old!r}"
        return {**self.files, change.path: text.replace(change.old, change.new, 1)}


def read(name: str) -> list[Program]:
    """Return the programs of a file."""
    programs: list[Program] = []
    path = ""
    for line in (PLACE / name).read_text().splitlines():
        if line.startswith("== "):
            is_cached = not line.endswith(NEVER_CACHED)
            programs.append(Program(line[3:].removesuffix(NEVER_CACHED), is_cached))
            path = "main.py"
            programs[-1].files[path] = HEADER
        elif line.startswith("### "):
            path = line[4:]
            programs[-1].files[path] = ""
        elif line.startswith(("-- ", "++ ")):
            programs[-1].changes.append(_change(line, programs[-1].files))
        else:
            programs[-1].files[path] += re.sub(r"cache=True(?!, save)", CACHED, line) + "\n"
    for program in programs:
        if "def main(" not in program.files["main.py"]:
            program.files["main.py"] += MAIN
    return programs


def _change(line: str, files: dict[str, str]) -> Change:
    text = line[3:].replace("\\n", "\n")
    path = "main.py"
    named = re.match(r"([\w/]+\.\w+|[\w/]+): ", text)
    if named is not None and named.group(1) in files:
        path, text = named.group(1), text[named.end() :]
    old, _, new = text.partition(" => ") if " => " in text else text.partition(" =>")
    return Change(line[3:], line.startswith("++"), path, old, new)


def write(files: dict[str, str], directory: Path) -> None:
    """Write the files of a program."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)


def each() -> Iterator[tuple[str, Program]]:
    """Yield each program with the name of its file."""
    for path in sorted(PLACE.glob("*.txt")):
        for program in read(path.name):
            yield path.stem, program
