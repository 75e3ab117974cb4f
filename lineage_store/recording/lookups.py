"""The key of a step, and what the cache says to it, with local files looked at."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.cache.keys import Identity, Key, identity_of, make_key, step_components
from lineage_store.client.cache_answers import Claim, Hit, Miss, MissReason, Place
from lineage_store.fingerprints.values import fingerprint
from lineage_store.lineage.identity import digest_of
from lineage_store.model import Artifact
from lineage_store.recording.complaints import complain
from lineage_store.recording.described import StepDescription
from lineage_store.recording.options import Caching
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.restoring import has_content


@dataclass(frozen=True, slots=True)
class Found:
    """What to do about a step: take over the hit, or run it, perhaps under a claim."""

    hit: Hit | None = None
    miss: Miss | None = None
    claim: Claim | None = None


def key_of(described: StepDescription, places: Sequence[Place], caching: Caching) -> Key | str:
    """Return the cache key of a step, or why it has none: something can't be told from others."""
    try:
        return make_key(
            step_components(
                described.type,
                version=described.version,
                code=described.code,
                image=described.image,
                command=described.command,
                parameters=_told_apart(described.parameters),
                environment=_told_apart(described.environment),
                inputs=_identities(described, places, caching.identity),
            )
        )
    except (errors.LineageError, OSError) as error:
        complain(f"key {error}", "the step %s is not cached: %s", described.name, error)
        return str(error)


def _told_apart(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as a key takes them: those without canonical text by their fingerprint."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    try:
        encode(value)
    except errors.InvalidArgument:
        return {"fingerprint": fingerprint(value)}
    return value


def _identities(
    described: StepDescription, places: Sequence[Place], by: Identity
) -> dict[str, list[dict[str, Any]]]:
    """Return the identities of the inputs, by name.

    Raises:
        InvalidArgument: An input has none, or is not among the places.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in described.inputs or {}}
    for place in places:
        artifact = place.artifact
        if isinstance(artifact, int):
            artifact = described_artifact(described, place) or Artifact(id=artifact)
        found[place.name].append(identity_of(artifact, by))
    if sum(map(len, found.values())) != len(list(described.each_input())):
        raise errors.InvalidArgument("an input can't be read")
    return found


def described_artifact(described: StepDescription, place: Place) -> Artifact | None:
    """Return the artifact that was given for a place that is tied by its id."""
    for name, index, given in described.each_input():
        if (name, index) == (place.name, place.index) and isinstance(given, Artifact):
            return given
    return None


def decide(
    recorder: Recorder, key: Key, holder: str, caching: Caching, around: Collection[str]
) -> Found:
    """Return whether a step may be skipped, and the claim to run it if not.

    Args:
        recorder: Asks the store.
        key: What the step stands for.
        holder: Who holds the claim.
        caching: How the step uses the cache.
        around: The holders of steps that this one runs in.
    """
    if recorder.is_child:
        return Found()
    decision = recorder.decisions.decide(key, holder, caching, around)
    if isinstance(decision, Miss):
        return Found(miss=decision, claim=decision.claim)
    if decision is None:
        return Found()
    changed = changed_output(decision) if caching.verify else None
    if changed is None:
        return Found(hit=decision)
    complain(f"verify {changed}", "%s; the step runs again", changed)
    miss = Miss(reason=MissReason.OUTPUT_MISSING, detail=changed, execution_id=decision.source.id)
    return Found(miss=miss, claim=recorder.decisions.claim(key, holder, caching))


def changed_output(hit: Hit) -> str | None:
    """Return what is wrong with the outputs that are files of this machine; None: nothing."""
    for place in hit.places:
        artifact = place.artifact
        path = local_path(artifact) if isinstance(artifact, Artifact) else None
        if path is None or not isinstance(artifact, Artifact):
            continue
        if not path.exists():
            return f"the cached output {path} is not there"
        digest = digest_of(artifact)
        is_known = digest is not None and digest.algorithm == "sha256"
        if digest is not None and is_known and not has_content(path, digest):
            return f"the cached output {path} is no longer what it was"
    return None


def local_path(artifact: Artifact) -> Path | None:
    """Return where an artifact is on this machine, if its uri is an absolute path."""
    uri = (artifact.uri or "").removeprefix("file://")
    path = Path(uri)
    return path if uri and path.is_absolute() else None
