"""The facts about a tool that the conformance suite needs to run the churn pipeline in it.

A tool supplies one `Adapter` in `tests/hooks/adapter_TOOL.py`, as `ADAPTER`, and the files of its
pipeline in `tests/hooks/projects/TOOL`. Everything else is shared.
"""

import importlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.hooks.expected import CHURN

ROOT = Path(__file__).parents[2]


class Adapter(ABC):
    """The way in which one tool runs the churn pipeline.

    Attributes:
        name: Of the tool, its extra and its environment in .venv-hooks.
        modes: How it can run the pipeline; the first is the usual one.
        parallel: Those of `modes` in which steps run at the same time.
        retries: Whether it tries a step again that failed, in the first mode.
        caches: Whether LINEAGE_STORE_CACHE makes it skip unchanged steps.
        keeping: Variables without which it keeps nothing that could stand for a step.
        kept_output: A file that a step writes, and the step.
        cuts_off: Whether it skips a step whose inputs were made again, with equal content.
        code: A file of the project, a text to replace in it, and its replacement, to give
            `train_large` other instructions that do the same.
        returns: Whether a step puts out values, and numbers among them are results.
        extra: Steps of its own that the tool wants each pipeline to have.
        pipeline: The name of the context of the pipeline.
        project: That of the project; None: the tool has no such thing.
        data: Where each thing of `expected.CHURN` is, relative to the project; None: it is only in
            memory, and its uri ends with its name.
        in_memory: The name of such a thing instead, where the tool names values by itself.
    """

    name: str
    modes: tuple[str, ...] = ("sequential",)
    parallel: tuple[str, ...] = ()
    retries: bool = False
    caches: bool = False
    keeping: ClassVar[dict[str, str]] = {}
    kept_output: tuple[str, str] = ("metrics", "evaluate")
    cuts_off: bool = True
    code: tuple[str, str, str]
    returns: bool = True
    extra: frozenset[str] = frozenset()
    pipeline: str
    project: str | None = None
    data: dict[str, str | None]
    in_memory: ClassVar[dict[str, str]] = {}

    def set_depth(self, directory: Path, depth: int) -> None:
        """Give `train_large` another depth, as a user would."""
        raise NotImplementedError(f"{self.name} skips nothing: {directory} {depth}")

    def after(self, *ran: str) -> dict[str, str]:
        """Return the states of the recorded steps if these ran and all others were known.

        For a tool with `caches`, in its first mode. Steps that it does not look at are left out;
        those that it can't skip are COMPLETE.
        """
        return {name: "COMPLETE" if name in ran else "CACHED" for name in CHURN}

    @property
    def python(self) -> Path:
        """The interpreter of the tool's environment."""
        return ROOT / ".venv-hooks" / self.name / "bin" / "python"

    @property
    def files(self) -> Path:
        """The files of the pipeline, which are copied for each test."""
        return Path(__file__).parent / "projects" / self.name

    @abstractmethod
    def command(self, mode: str) -> list[str]:
        """Return the command that runs the pipeline; its directory is the project."""

    def environment(self, directory: Path) -> dict[str, str]:
        """Return variables that the tool needs beside those of all tools."""
        del directory
        return {}

    def prepare(self, directory: Path) -> None:
        """Prepare a fresh copy of the project, once."""
        del directory

    def step_name(self, name: str) -> str:
        """Return the tool's name of a step of `expected.CHURN`."""
        return name

    def params(self, step: str, params: dict[str, object]) -> dict[str, object]:
        """Return parameters of a step of `expected.CHURN` as the tool names them."""
        del step
        return params


def adapters() -> list[Adapter]:
    """Return the adapters of all tools."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("adapter_*.py"))
    return [importlib.import_module(f"tests.hooks.{name}").ADAPTER for name in modules]
