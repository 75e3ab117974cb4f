"""Decides whether an entry is good enough, by its age, its source and its outputs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lineage_store.cache.slots import Slot, label
from lineage_store.database.staging.artifact_reports import StoredReport
from lineage_store.database.staging.cache_entries import CacheEntryRow
from lineage_store.entities import Artifact
from lineage_store.lineage.identity import same_content
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

Reason = cache_pb2.LookupResult.Miss

FINISHED = frozenset({pb.Execution.COMPLETE, pb.Execution.CACHED})
"""The states of an execution whose outputs may be used."""

US_PER_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Conditions on entries; times in ms.

    Attributes:
        max_age: The oldest that an entry may be; None: any age.
        not_before: Published at this time or later; None: at any time.
        require_live: Whether all outputs must be LIVE.
        verified_within: The longest since each output was verified; None: it need not be.
    """

    max_age: int | None = None
    not_before: int | None = None
    require_live: bool = True
    verified_within: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """An artifact that an execution wrote, and its slot."""

    slot: Slot
    artifact: Any


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer to a lookup.

    Attributes:
        execution: The source; None if it is not in the store.
        outputs: Its outputs, ordered by slot.
        published_at: When it was published, in ms: its age counts from here.
        entry: The entry; None for an execution that was found by its fingerprint.
    """

    execution: Any
    outputs: Sequence[Output]
    published_at: int
    entry: CacheEntryRow | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """The reason why a candidate is not good enough.

    Attributes:
        reason: A LookupResult.Miss.Reason.
        detail: One sentence.
        artifact_id: The output that is to blame; None: none of them is.
    """

    reason: cache_pb2.LookupResult.Miss.Reason
    detail: str
    artifact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest candidate that is good enough, or the newest one with the reason against it.

    Attributes:
        candidate: The candidate; None: there is none.
        rejection: Why it is no hit; None: it is one.
    """

    candidate: Candidate | None
    rejection: Rejection | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by one policy at one time.

    Attributes:
        policy: The policy.
        now: The time in ms.
        reports: The newest report on each artifact that has any.
    """

    policy: Policy
    now: int
    reports: Mapping[int, StoredReport] = field(default_factory=dict)

    def decide(self, candidates: Sequence[Candidate]) -> Decision:
        """Choose among candidates, newest first."""
        first: Decision | None = None
        for candidate in candidates:
            rejection = next(self._rejections(candidate), None)
            if rejection is None:
                return Decision(candidate, None)
            first = first or Decision(candidate, rejection)
        return first or Decision(None, Rejection(Reason.NEVER_SEEN, "nothing was published for it"))

    def _rejections(self, candidate: Candidate) -> Iterator[Rejection]:
        if candidate.entry is not None:
            yield from self._entry_rejections(candidate.entry)
        if candidate.execution is None or candidate.execution.last_known_state not in FINISHED:
            yield Rejection(Reason.SOURCE_NOT_COMPLETE, _state_of(candidate.execution))
        yield from self._age_rejections(candidate.published_at)
        for check in (self._missing_payload, self._not_live, self._not_verified):
            for output in candidate.outputs:
                yield from check(output)

    def _entry_rejections(self, entry: CacheEntryRow) -> Iterator[Rejection]:
        if entry.invalidated_at is not None:
            by = f" by {entry.invalidated_by}" if entry.invalidated_by else ""
            why = f": {entry.invalidated_why}" if entry.invalidated_why else ""
            yield Rejection(Reason.INVALIDATED, f"it was invalidated{by}{why}")
        if entry.expires_at is not None and entry.expires_at <= self.now:
            since = self.now - entry.expires_at
            yield Rejection(Reason.EXPIRED, f"it expired {_duration(since)} ago")

    def _age_rejections(self, published_at: int) -> Iterator[Rejection]:
        age = self.now - published_at
        if self.policy.max_age is not None and age > self.policy.max_age:
            allowed = _duration(self.policy.max_age)
            yield Rejection(Reason.TOO_OLD, f"it is {_duration(age)} old; {allowed} are allowed")
        if self.policy.not_before is not None and published_at < self.policy.not_before:
            early = _duration(self.policy.not_before - published_at)
            yield Rejection(Reason.TOO_OLD, f"it was published {early} too early")

    def _missing_payload(self, output: Output) -> Iterator[Rejection]:
        if output.artifact is None:
            yield Rejection(Reason.OUTPUT_MISSING, f"{label(output.slot)} is not in the store")
            return
        report = self.reports.get(output.artifact.id)
        if report is not None and report.status == cache_pb2.ArtifactReport.MISSING:
            by = f" by {report.by}" if report.by else ""
            detail = f"the payload of {_output_label(output)} was reported missing{by}"
            yield Rejection(Reason.OUTPUT_MISSING, detail, output.artifact.id)

    def _not_live(self, output: Output) -> Iterator[Rejection]:
        state = output.artifact.state
        if self.policy.require_live and state != pb.Artifact.LIVE:
            detail = f"{_output_label(output)} is {pb.Artifact.State.Name(state)}, not LIVE"
            yield Rejection(Reason.OUTPUT_NOT_LIVE, detail, output.artifact.id)

    def _not_verified(self, output: Output) -> Iterator[Rejection]:
        if self.policy.verified_within is None:
            return
        detail = self._unverified(output, self.policy.verified_within)
        if detail is not None:
            yield Rejection(
                Reason.NOT_VERIFIED, f"{_output_label(output)} {detail}", output.artifact.id
            )

    def _unverified(self, output: Output, within: int) -> str | None:
        report = self.reports.get(output.artifact.id)
        if report is None:
            return "was never verified"
        ago = self.now - report.recorded_at // US_PER_MS
        if ago > within:
            return f"was verified {_duration(ago)} ago; {_duration(within)} are allowed"
        if report.digest and _contradicts(output.artifact, report.digest):
            return "was seen with another digest than the recorded one"
        return None


def _contradicts(artifact: pb.Artifact, digest: str) -> bool:
    reported_artifact = Artifact(custom_properties={"digest": digest})
    return same_content(Artifact.from_message(artifact), reported_artifact) is False


def _output_label(output: Output) -> str:
    return f"{label(output.slot)} (artifact {output.artifact.id})"


def _state_of(execution: pb.Execution | None) -> str:
    if execution is None:
        return "its execution is not in the store"
    state = pb.Execution.State.Name(execution.last_known_state)
    return f"execution {execution.id} is {state}, not COMPLETE"


def _duration(milliseconds: int) -> str:
    """Return a duration for people: "1.5 s"."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if milliseconds >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{milliseconds} ms"
