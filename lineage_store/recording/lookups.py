"""The key of a step, and what the cache says to it, with local files looked at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.cache.keys import Key, identity_of, make_key, step_components
from lineage_store.client.cache_answers import Claim, Hit, Miss, MissReason
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.lineage.identity import digest_of
from lineage_store.recording.diagnostics import complain
from lineage_store.recording.options import Caching
from lineage_store.recording.parameters import Files, components
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.restoring import has_content
from lineage_store.recording.step_spec import StepDescription


@dataclass(frozen=True, slots=True)
class Found:
    """What to do about a step: take over the hit, or run it, perhaps under a claim."""

    hit: Hit | None = None
    miss: Miss | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class StepKey:
    """The key of a step, and the files that it rests on beside the inputs, with their states."""

    key: Key
    files: tuple[WatchedFile, ...] = ()


def key_of(
    described: StepDescription, places: Sequence[StepArtifact], caching: Caching
) -> StepKey | str:
    """Return the cache key of a step, or why it has none: something can't be told from others."""
    if described.uncached is not None:
        return described.uncached
    files: Files = list(described.files)
    try:
        key = make_key(_components(described, places, caching, files))
    except RecursionError:
        return "its parameters are nested too deep"
    except (errors.LineageError, OSError) as error:
        return str(error)
    except Exception as error:  # such as of a dict that another thread changes meanwhile
        return f"its parameters can't be read: {type(error).__name__}: {error}"[:500]
    return StepKey(key, tuple(files))


def _components(
    described: StepDescription, places: Sequence[StepArtifact], caching: Caching, files: Files
) -> dict[str, Any]:
    secret, ignored = described.secret, described.ignored
    parameters = {k: v for k, v in described.parameters.items() if k not in ignored}
    return step_components(
        described.type,
        version=described.version,
        code=described.code,
        image=described.image,
        command=described.command,
        parameters=components(parameters, "parameter", secret=secret, files=files),
        environment=components(described.environment, "environment", secret=secret, files=files),
        inputs=_identities(described, places, caching),
        outputs=described.outputs,
    )


def _identities(
    described: StepDescription, places: Sequence[StepArtifact], caching: Caching
) -> dict[str, list[dict[str, Any]]]:
    """Return the identities of the inputs, by name.

    Raises:
        InvalidArgument: An input has none, or is not among the places.
    """
    names = [name for name in described.inputs or {} if name not in described.ignored]
    identities: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for place in places:
        if place.name in identities:
            artifact = place.artifact
            if isinstance(artifact, int):
                artifact = described_artifact(described, place) or Artifact(id=artifact)
            identities[place.name].append(_identity(artifact, caching))
    expected = sum(name in identities for name, _, _ in described.each_input())
    if sum(map(len, identities.values())) != expected:
        raise errors.InvalidArgument("an input can't be read")
    return identities


def _identity(artifact: Artifact, caching: Caching) -> dict[str, Any]:
    """Return what stands for an input: its content, say, and the base name of its file."""
    identity = identity_of(artifact, caching.identity)
    name = _base_name(artifact.uri) if caching.names and "content" in identity else ""
    return {**identity, "name": name} if name else identity


def _base_name(uri: str | None) -> str:
    """Return the last part of a uri; "" for a value, which has a name and no file."""
    if not uri or uri.startswith("value:"):
        return ""
    return uri.rstrip("/").rpartition("/")[2]


def described_artifact(described: StepDescription, place: StepArtifact) -> Artifact | None:
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
    if caching.refresh:
        return Found(claim=recorder.decisions.claim(key, holder, caching))
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
    for place in hit.step_artifacts:
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
