"""The keyword arguments of runs and steps that hooks put together from several sources."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from lineage_store.entities import Artifact
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.options import Caching


class RunOptions(TypedDict):
    """The arguments of `Hook.run` that identify and describe a run."""

    name: str
    pipeline: str
    run_id: str
    project: str | None
    properties: Mapping[str, object]


class CodeOptions(TypedDict):
    """The arguments of `Run.step` for its code: the digest, or the reason why it has none."""

    code: str | None
    uncached: str | None
    files: Sequence[WatchedFile]


class KeyOptions(CodeOptions):
    """The arguments of `Run.step` for its code, and the other parts of its key."""

    environment: Mapping[str, object] | None


class CacheOptions(TypedDict, total=False):
    """The arguments of `Run.step` for its caching, or the property that says why it has none."""

    cache: bool | Caching
    environment: Mapping[str, str]
    files: Sequence[WatchedFile]
    properties: Mapping[str, str]


class StepOptions(CodeOptions):
    """The arguments of `Run.step` for inputs, parameters and code."""

    inputs: dict[str, list[Artifact]]
    params: Mapping[str, object]
