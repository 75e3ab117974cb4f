"""What the cache answers: decisions, claims, entries, and why a key is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lineage_store.cache.keys import Component, Key
from lineage_store.entities import Artifact, EventType, Execution
from lineage_store.entities.values import PropertyValue, from_value, optional
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


class MissReason(StrEnum):
    """Why no entry is good enough; said of the newest entry of the key."""

    REASON_UNSPECIFIED = "REASON_UNSPECIFIED"
    NEVER_SEEN = "NEVER_SEEN"
    TOO_OLD = "TOO_OLD"
    EXPIRED = "EXPIRED"
    OUTPUT_NOT_LIVE = "OUTPUT_NOT_LIVE"
    OUTPUT_MISSING = "OUTPUT_MISSING"
    NOT_VERIFIED = "NOT_VERIFIED"
    INVALIDATED = "INVALIDATED"
    SOURCE_NOT_COMPLETE = "SOURCE_NOT_COMPLETE"


class WaitEvent(StrEnum):
    """What became of a key that was waited for."""

    EVENT_UNSPECIFIED = "EVENT_UNSPECIFIED"
    PUBLISHED = "PUBLISHED"
    RELEASED = "RELEASED"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    STILL_IN_FLIGHT = "STILL_IN_FLIGHT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The exclusive right to run what a key stands for, until it expires.

    Attributes:
        scope: Of the key.
        digest: Of the key, 32 bytes.
        holder: Who has it, as the holder calls itself.
        token: Grows with each new holder; what is published with an older one is refused.
        expires_at: In ms since the epoch, by the clock of the store.
    """

    scope: str
    digest: bytes
    holder: str
    token: int
    expires_at: int

    def to_message(self) -> Any:
        """Return the claim as a v1 message."""
        return pb.Claim(
            scope=self.scope,
            digest=self.digest,
            holder=self.holder,
            token=self.token,
            expires_at_milliseconds=self.expires_at,
        )

    @classmethod
    def from_message(cls, message: Any) -> "Claim":
        """Return the claim that a v1 message holds."""
        return cls(
            scope=message.scope,
            digest=message.digest,
            holder=message.holder,
            token=message.token,
            expires_at=message.expires_at_milliseconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An artifact in the place it has in the signature of a step.

    Attributes:
        artifact: The artifact; in what is recorded also its id.
        name: Of the input or output.
        index: Among those of one name, from 0.
        event_type: None: INPUT among the inputs, OUTPUT among the outputs.
        time: When it was read or written, in ms; None: when it is recorded.
    """

    artifact: Artifact | int
    name: str
    index: int = 0
    event_type: EventType | None = None
    time: int | None = None

    def to_message(self) -> Any:
        """Return the place as a v1 message.

        Raises:
            InvalidArgument: A field of the artifact has a value that can't be kept.
        """
        given = self.artifact
        artifact = metadata_pb2.Artifact(id=given) if isinstance(given, int) else given.to_message()
        placed: Any = pb.StepArtifact(artifact=artifact, name=self.name, index=self.index)
        if self.event_type is not None:
            placed.event_type = metadata_pb2.Event.Type.Value(self.event_type)
        if self.time is not None:
            placed.happened_at_milliseconds = self.time
        return placed

    @classmethod
    def from_message(cls, message: Any) -> "Place":
        """Return the place that a v1 message holds."""
        kind = optional(message, "event_type")
        return cls(
            artifact=Artifact.from_message(message.artifact),
            name=message.name,
            index=message.index,
            event_type=None if kind is None else EventType(metadata_pb2.Event.Type.Name(kind)),
            time=optional(message, "happened_at_milliseconds"),
        )


def by_name(places: Sequence[Place]) -> dict[str, list[Artifact]]:
    """Return the artifacts of each name, in the order of their indexes."""
    found: dict[str, list[Artifact]] = {}
    for place in sorted(places, key=lambda place: (place.name, place.index)):
        if isinstance(place.artifact, Artifact):
            found.setdefault(place.name, []).append(place.artifact)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An entry that is good enough: what it stands for need not run.

    Attributes:
        entry_id: Of the entry.
        source: The execution that the entry is of.
        original_execution_id: The one that really ran.
        places: The outputs, ordered by name and index.
        output_parameters: What else the step put out, by name.
        age: How long ago it was published, in ms.
        hit_count: How often the entry was recorded as used.
    """

    entry_id: int
    source: Execution
    original_execution_id: int
    places: Sequence[Place] = ()
    output_parameters: Mapping[str, PropertyValue] = field(default_factory=dict)
    age: int = 0
    hit_count: int = 0

    @property
    def outputs(self) -> dict[str, list[Artifact]]:
        """The artifacts of each output, in the order of their indexes."""
        return by_name(self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """No entry is good enough: run it.

    Attributes:
        reason: Why the newest entry is not.
        detail: One sentence for people.
        entry_id: The newest entry, if there is one.
        execution_id: Whose entry that is.
        artifact_id: The output that is to blame, if one is.
        claim: The claim, if it was asked for and taken.
    """

    reason: MissReason
    detail: str = ""
    entry_id: int | None = None
    execution_id: int | None = None
    artifact_id: int | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """Someone else runs it now.

    Attributes:
        holder: Who, as the holder calls itself.
        expires_at: When the claim ends unless it is extended, in ms since the epoch.
    """

    holder: str
    expires_at: int


Decision = Hit | Miss | InFlight


def decision_of(message: Any) -> Decision:
    """Return the decision that a LookupResult message holds."""
    outcome = message.WhichOneof("outcome")
    if outcome == "hit":
        return _hit(message.hit)
    if outcome == "in_flight":
        found = message.in_flight
        return InFlight(holder=found.holder, expires_at=found.expires_at_milliseconds)
    ids = {name: optional(message.miss, name) for name in _MISS_IDS}
    return Miss(
        reason=MissReason(pb.LookupResult.Miss.Reason.Name(message.miss.reason)),
        detail=message.miss.detail,
        claim=Claim.from_message(message.claim) if message.HasField("claim") else None,
        **ids,
    )


_MISS_IDS = ("entry_id", "execution_id", "artifact_id")


def _hit(message: Any) -> Hit:
    return Hit(
        entry_id=message.entry_id,
        source=Execution.from_message(message.source),
        original_execution_id=message.original_execution_id,
        places=[Place.from_message(output) for output in message.outputs],
        output_parameters=values_of(message.output_parameters),
        age=message.age_milliseconds,
        hit_count=message.hit_count,
    )


def values_of(messages: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """Return the values of a map of Value messages."""
    return {name: from_value(value) for name, value in messages.items()}


def components_of(messages: Sequence[Any]) -> tuple[Component, ...]:
    """Return the components of KeyComponent messages."""
    return tuple(Component(message.name, message.value) for message in messages)


def component_messages(components: Key | Sequence[Component]) -> list[Any]:
    """Return KeyComponent messages of a key or of components."""
    given = components.components if isinstance(components, Key) else components
    return [pb.KeyComponent(name=found.name, value=found.value) for found in given]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """What ties a key to the execution that produced what it stands for.

    Attributes:
        id: Of the entry.
        scope: Entries of one scope are not seen in another.
        digest: Of the key, 32 bytes.
        execution_id: The execution whose outputs it has.
        original_execution_id: The one that really ran.
        components: What the key was made from.
        published_at: In ms since the epoch, as are the other times.
        expires_at: None: it does not.
        hit_count: How often it was recorded as used.
        last_hit_at: None: never.
        invalidated_at: None: it is valid.
        invalidated_by: Who.
        invalidated_why: Why.
    """

    id: int
    scope: str
    digest: bytes
    execution_id: int
    original_execution_id: int
    components: tuple[Component, ...] = ()
    published_at: int = 0
    expires_at: int | None = None
    hit_count: int = 0
    last_hit_at: int | None = None
    invalidated_at: int | None = None
    invalidated_by: str | None = None
    invalidated_why: str | None = None

    @classmethod
    def from_message(cls, message: Any) -> "CacheEntry":
        """Return the entry that a v1 message holds."""
        times = ("expires_at", "last_hit_at", "invalidated_at")
        return cls(
            **{name: getattr(message, name) for name in _ENTRY_FIELDS},
            **{name: optional(message, f"{name}_milliseconds") for name in times},
            components=components_of(message.components),
            published_at=message.published_at_milliseconds,
            invalidated_by=optional(message, "invalidated_by"),
            invalidated_why=optional(message, "invalidated_why"),
        )


_ENTRY_FIELDS = ("id", "scope", "digest", "execution_id", "original_execution_id", "hit_count")


@dataclass(frozen=True, slots=True)
class ComponentDifference:
    """A component that two keys do not share.

    Attributes:
        name: Of the component.
        stored: Its canonical text in the entry; None: it has none of this name.
        given: Its canonical text in the key that was looked up; None: likewise.
    """

    name: str
    stored: str | None
    given: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a key is new.

    Attributes:
        nearest: What it was compared with; None: there is nothing to compare with.
        differences: The components that are not the same.
        equal_components: How many are.
    """

    nearest: CacheEntry | None
    differences: Sequence[ComponentDifference]
    equal_components: int

    @classmethod
    def from_message(cls, message: Any) -> "Explanation":
        """Return the explanation that an ExplainResponse holds."""
        nearest = CacheEntry.from_message(message.nearest) if message.HasField("nearest") else None
        differences = [
            ComponentDifference(found.name, optional(found, "stored"), optional(found, "given"))
            for found in message.differences
        ]
        return cls(
            nearest=nearest, differences=differences, equal_components=message.equal_components
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """How many entries there are, and what became of them.

    Attributes:
        entries: All of them.
        invalidated: Of these.
        expired: Of these.
        hits: How often entries were recorded as used.
        claims_held: Claims that have not expired.
    """

    entries: int
    invalidated: int
    expired: int
    hits: int
    claims_held: int
