"""Answers of the cache: decisions, claims, entries, and explanations of new keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from lineage_store.cache.keys import Component, Key
from lineage_store.client.step_artifacts import StepArtifact, artifacts_by_name
from lineage_store.entities import Artifact, Execution
from lineage_store.entities.values import PropertyValue, from_value, optional
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


class MissReason(StrEnum):
    """The reason why the newest entry of a key is not good enough."""

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
    """The event that ended the wait for a key."""

    EVENT_UNSPECIFIED = "EVENT_UNSPECIFIED"
    PUBLISHED = "PUBLISHED"
    RELEASED = "RELEASED"
    LEASE_EXPIRED = "LEASE_EXPIRED"
    STILL_IN_FLIGHT = "STILL_IN_FLIGHT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The exclusive right to run the step of a key, until it expires.

    Attributes:
        scope: The scope of the key.
        digest: The digest of the key, 32 bytes.
        holder: The name that the holder gave itself.
        token: Grows with each new holder; publications with an older one are refused.
        expires_at: In ms since the epoch, by the clock of the store.
    """

    scope: str
    digest: bytes
    holder: str
    token: int
    expires_at: int

    def to_message(self) -> pb.Claim:
        """Return the claim as a v1 message."""
        return pb.Claim(
            scope=self.scope,
            digest=self.digest,
            holder=self.holder,
            token=self.token,
            expires_at_milliseconds=self.expires_at,
        )

    @classmethod
    def from_message(cls, message: pb.Claim) -> "Claim":
        """Return the claim that a v1 message holds."""
        return cls(
            scope=message.scope,
            digest=message.digest,
            holder=message.holder,
            token=message.token,
            expires_at=message.expires_at_milliseconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An entry is good enough: the step need not run.

    Attributes:
        entry_id: The id of the entry.
        source: The execution that published the entry.
        original_execution_id: The execution that really ran.
        step_artifacts: The outputs, ordered by name and index.
        output_parameters: The other outputs of the step, by name.
        age: The time since it was published, in ms.
        hit_count: The number of recorded uses of the entry.
    """

    entry_id: int
    source: Execution
    original_execution_id: int
    step_artifacts: Sequence[StepArtifact] = ()
    output_parameters: Mapping[str, PropertyValue] = field(default_factory=dict)
    age: int = 0
    hit_count: int = 0

    @property
    def outputs(self) -> dict[str, list[Artifact]]:
        """The artifacts of each output, in the order of their indexes."""
        return artifacts_by_name(self.step_artifacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """No entry is good enough: run the step.

    Attributes:
        reason: Why the newest entry is not good enough.
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
    """Someone else runs the step now.

    Attributes:
        holder: The name that the holder of the claim gave itself.
        expires_at: When the claim ends unless it is extended, in ms since the epoch.
    """

    holder: str
    expires_at: int


Decision = Hit | Miss | InFlight


def decision_of(message: pb.LookupResult) -> Decision:
    """Return the decision that a LookupResult message holds."""
    outcome = message.WhichOneof("outcome")
    if outcome == "hit":
        return _hit(message.hit)
    if outcome == "in_flight":
        claim = message.in_flight
        return InFlight(holder=claim.holder, expires_at=claim.expires_at_milliseconds)
    ids = {name: optional(message.miss, name) for name in _MISS_IDS}
    return Miss(
        reason=MissReason(pb.LookupResult.Miss.Reason.Name(message.miss.reason)),
        detail=message.miss.detail,
        claim=Claim.from_message(message.claim) if message.HasField("claim") else None,
        **ids,
    )


_MISS_IDS = ("entry_id", "execution_id", "artifact_id")


def _hit(message: pb.LookupResult.Hit) -> Hit:
    return Hit(
        entry_id=message.entry_id,
        source=Execution.from_message(message.source),
        original_execution_id=message.original_execution_id,
        step_artifacts=[StepArtifact.from_message(output) for output in message.outputs],
        output_parameters=values_of(message.output_parameters),
        age=message.age_milliseconds,
        hit_count=message.hit_count,
    )


def values_of(messages: Mapping[str, metadata_pb2.Value]) -> dict[str, PropertyValue]:
    """Return the values of a map of Value messages."""
    return {name: from_value(value) for name, value in messages.items()}


def components_of(messages: Iterable[pb.KeyComponent]) -> tuple[Component, ...]:
    """Return the components of KeyComponent messages."""
    return tuple(Component(message.name, message.value) for message in messages)


def component_messages(components: Key | Sequence[Component]) -> list[pb.KeyComponent]:
    """Return KeyComponent messages of a key or of components."""
    parts = components.components if isinstance(components, Key) else components
    return [pb.KeyComponent(name=component.name, value=component.value) for component in parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """An entry of the cache: it ties a key to an execution and its outputs.

    Attributes:
        id: The id of the entry.
        scope: The scope of the key; entries of one scope are not seen in another.
        digest: The digest of the key, 32 bytes.
        execution_id: The execution whose outputs it has.
        original_execution_id: The execution that really ran.
        components: The components of the key.
        published_at: In ms since the epoch, as are the other times.
        expires_at: None: it does not expire.
        hit_count: The number of recorded uses.
        last_hit_at: None: it was never used.
        invalidated_at: None: it is valid.
        invalidated_by: Who invalidated it.
        invalidated_why: Why it was invalidated.
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
    def from_message(cls, message: pb.CacheEntry) -> "CacheEntry":
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
        name: The name of the component.
        stored: Its canonical text in the entry; None: the entry lacks it.
        given: Its canonical text in the key that was looked up; None: the key lacks it.
    """

    name: str
    stored: str | None
    given: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """An explanation of a new key: its differences from the nearest entry.

    Attributes:
        nearest: The entry that it was compared with; None: there is none.
        differences: The components that are not the same.
        equal_components: The number of components that are the same.
    """

    nearest: CacheEntry | None
    differences: Sequence[ComponentDifference]
    equal_components: int

    @classmethod
    def from_message(cls, message: pb.ExplainResponse) -> "Explanation":
        """Return the explanation that an ExplainResponse holds."""
        nearest = CacheEntry.from_message(message.nearest) if message.HasField("nearest") else None
        differences = [
            ComponentDifference(
                difference.name, optional(difference, "stored"), optional(difference, "given")
            )
            for difference in message.differences
        ]
        return cls(
            nearest=nearest, differences=differences, equal_components=message.equal_components
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """Counts of the entries of a cache, and of their uses.

    Attributes:
        entries: The number of all entries.
        invalidated: The number of invalidated ones.
        expired: The number of expired ones.
        hits: The number of recorded uses.
        claims_held: The number of claims that have not expired.
    """

    entries: int
    invalidated: int
    expired: int
    hits: int
    claims_held: int
