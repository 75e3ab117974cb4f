"""What is known of a step before it runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.artifacts import Given, Inputs, listed
from lineage_store.recording.options import Caching


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDescription:
    """What is known of a step before it runs.

    Attributes:
        name: Of the step within its pipeline.
        type: Of its execution.
        key: Of this attempt.
        index: How many steps of this name the run had before.
        attempt: From 1.
        inputs: What it reads.
        parameters: What else it is given.
        version: Of the step.
        code: The digest of its code.
        image: What it runs in.
        command: What is run in the image.
        environment: What of the environment decides about its outputs.
        properties: What else is recorded.
        caching: How it uses the cache; None: not at all.
        uncached: Why it can't be cached whatever the store knows; None: it can.
        ignored: The parameters and inputs that are no part of its key.
        secret: The parameters that nobody may read in the store.
        outputs: For each parameter that says where it writes, the suffixes of the files.
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

    def each_input(self) -> Iterator[tuple[str, int, Given]]:
        """Yield name, index and value of each input."""
        for name, several in (self.inputs or {}).items():
            for at, given in enumerate(listed(several)):
                yield name, at, given
