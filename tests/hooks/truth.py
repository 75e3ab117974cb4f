"""Projects in which many things are changed at once, one for each step.

A project is in `projects/truth_TOOL`. A line that ends with `# becomes: TEXT`, or the next line
with that alone, is TEXT once the project is changed. Each step puts out
`data/out/STEP.ANYTHING`. By its name a step is

- `same…`: nothing is changed that it depends on, and it must be a hit;
- `never…`: it can't be told whether anything changed, and it must run and say why;
- any other: one thing that it depends on is changed, and it must run.
"""

import os
import re
import shutil
from pathlib import Path
from typing import ClassVar

from tests.hooks.adapter_kedro import Kedro
from tests.hooks.adapter_luigi import Luigi
from tests.hooks.adapter_prefect import Prefect
from tests.hooks.adapters import Adapter
from tests.hooks.project import Project

MARK = re.compile(r"^( *)(?:\S.*?)?(?:  |\n *)# becomes: ?(.*)$", re.MULTILINE)
OUT = Path("data/out")


class Truth(Adapter):
    """The way in which a tool runs the project whose steps are changed.

    Attributes:
        moves: Whether steps may be hits when the project is in another directory.
        reasons: The reason of each step that is never cached, after NOT_CACHED.
    """

    moves = False
    reasons: ClassVar[dict[str, str]]
    data: ClassVar = {"raw": "data/touched.txt"}

    @property
    def files(self) -> Path:
        """The files of the project."""
        return Path(__file__).parent / "projects" / f"truth_{self.name}"


class TruthKedro(Truth, Kedro):
    reasons: ClassVar = {"never_fingerprint": "global MOVING"}


class TruthLuigi(Truth, Luigi):
    reasons: ClassVar = {
        "NeverFingerprint": "global MOVING",
        "NeverDynamic": "the tasks that it requires while it runs are not known before",
    }

    def command(self, mode: str) -> list[str]:
        luigi = str(self.python.with_name("luigi"))
        return [luigi, "--module", "tasks", "All", "--local-scheduler", "--no-lock"]


class TruthPrefect(Truth, Prefect):
    moves = True
    reasons: ClassVar = {"never_fingerprint": "global MOVING"}

    def command(self, mode: str) -> list[str]:
        return [str(self.python), "flow.py"]

    def environment(self, directory: Path) -> dict[str, str]:
        home = str(directory.parent / "prefect")
        return {**super().environment(directory), **self.keeping, "PREFECT_HOME": home}


TRUTHS: list[Truth] = [TruthKedro(), TruthLuigi(), TruthPrefect()]


def change(project: Project) -> None:
    """Change all that is marked, touch each file, and move the project if its tool allows it."""
    for path in sorted(project.directory.rglob("*")):
        if path.is_file() and OUT not in path.relative_to(project.directory).parents:
            text = path.read_text()
            path.write_text(MARK.sub(r"\1\2", text))
            os.utime(path, (1, 1))
    assert isinstance(project.adapter, Truth)
    if project.adapter.moves:
        project.directory = Path(shutil.move(project.directory, project.directory.with_name("new")))


def outcomes(project: Project) -> dict[str, bytes]:
    """Return the outputs of the steps, by the names of their files."""
    return {path.name: path.read_bytes() for path in sorted((project.directory / OUT).iterdir())}


def step_of(file: str) -> str:
    """Return the step that puts out a file."""
    return file.partition(".")[0]


def is_same(step: str) -> bool:
    """Return whether nothing is changed that a step depends on."""
    return step.lower().startswith("same")
