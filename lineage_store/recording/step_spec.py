"""The specification of a step, complete before it runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.artifacts import ArtifactLike, Inputs, as_list
from lineage_store.recording.options import Caching


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """The specification of a step, complete before it runs.

    Attributes:
        name: Of the step within its pipeline.
        type: Of its execution.
        key: Of this attempt.
        index: The number of steps of this name that the run had before.
        attempt: From 1.
        inputs: Its inputs.
        parameters: Its parameters.
        version: Of the step.
        code: The digest of its code.
        image: The image that it runs in.
        command: The command that runs in the image.
        environment: The parts of the environment that decide about its outputs.
        properties: Other properties to record.
        caching: The options of the cache; None: it does not use the cache.
        uncached: The reason why it can't be cached, whatever the store has; None: it can.
        ignored: The parameters and inputs that are no part of its key.
        secret: The parameters that nobody may read in the store.
        outputs: For each parameter that names an output file, the suffixes of the files.
        files: Files that its key rests on beside its inputs, and their states.
    """

    name: str
    type: str
    key: str
    index: int
    attempt: int
    inputs: Inputs | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    version: str | None = None
    code: str | None = None
    image: str | None = None
    command: Sequence[str] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    caching: Caching | None = None
    uncached: str | None = None
    ignored: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[WatchedFile] = ()

    def each_input(self) -> Iterator[tuple[str, int, ArtifactLike]]:
        """Yield name, index and value of each input."""
        for name, several in (self.inputs or {}).items():
            for at, value in enumerate(as_list(several)):
                yield name, at, value
