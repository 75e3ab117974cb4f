"""The key of a step and the decision of the cache on it, with local files checked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lineage_store import errors
from lineage_store.cache.keys import Key, identity_of, make_key, step_components
from lineage_store.client.cache_answers import Claim, Hit, Miss, MissReason
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.lineage.identity import digest_of
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.options import Caching
from lineage_store.recording.parameters import Files, components
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.restoring import has_content
from lineage_store.recording.step_spec import StepSpec


@dataclass(frozen=True, slots=True)
class StepDecision:
    """The decision on a step: take over the hit, or run it, perhaps under a claim."""

    hit: Hit | None = None
    miss: Miss | None = None
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class StepKey:
    """The key of a step, and the files that it rests on beside the inputs, with their states."""

    key: Key
    files: tuple[WatchedFile, ...] = ()


def key_of(spec: StepSpec, places: Sequence[StepArtifact], caching: Caching) -> StepKey | str:
    """Return the cache key of a step, or the reason why it has none."""
    if spec.uncached is not None:
        return spec.uncached
    files: Files = list(spec.files)
    try:
        key = make_key(_components(spec, places, caching, files))
    except RecursionError:
        return "its parameters are nested too deep"
    except (errors.LineageError, OSError) as error:
        return str(error)
    except Exception as error:  # such as of a dict that another thread changes meanwhile
        return f"its parameters can't be read: {type(error).__name__}: {error}"[:500]
    return StepKey(key, tuple(files))


def _components(
    spec: StepSpec, places: Sequence[StepArtifact], caching: Caching, files: Files
) -> dict[str, object]:
    secret, ignored = spec.secret, spec.ignored
    parameters = {k: v for k, v in spec.parameters.items() if k not in ignored}
    return step_components(
        spec.type,
        version=spec.version,
        code=spec.code,
        image=spec.image,
        command=spec.command,
        parameters=components(parameters, "parameter", secret=secret, files=files),
        environment=components(spec.environment, "environment", secret=secret, files=files),
        inputs=_identities(spec, places, caching),
        outputs=spec.outputs,
    )


def _identities(
    spec: StepSpec, places: Sequence[StepArtifact], caching: Caching
) -> dict[str, list[dict[str, object]]]:
    """Return the identities of the inputs, by name.

    Raises:
        InvalidArgument: An input has none, or is not among the places.
    """
    names = [name for name in spec.inputs or {} if name not in spec.ignored]
    identities: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    for place in places:
        if place.name in identities:
            artifact = place.artifact
            if isinstance(artifact, int):
                artifact = original_artifact(spec, place) or Artifact(id=artifact)
            identities[place.name].append(_identity(artifact, caching))
    expected = sum(name in identities for name, _, _ in spec.each_input())
    if sum(map(len, identities.values())) != expected:
        raise errors.InvalidArgument("an input can't be read")
    return identities


def _identity(artifact: Artifact, caching: Caching) -> dict[str, object]:
    """Return the identity of an input in a key, for example its content and base name."""
    identity = identity_of(artifact, caching.identity)
    name = _base_name(artifact.uri) if caching.names and "content" in identity else ""
    return {**identity, "name": name} if name else identity


def _base_name(uri: str | None) -> str:
    """Return the last part of a uri; "" for a value, which has a name and no file."""
    if not uri or uri.startswith("value:"):
        return ""
    return uri.rstrip("/").rpartition("/")[2]


def original_artifact(spec: StepSpec, place: StepArtifact) -> Artifact | None:
    """Return the artifact that user code passed for an input recorded by its id."""
    for name, index, value in spec.each_input():
        if (name, index) == (place.name, place.index) and isinstance(value, Artifact):
            return value
    return None


def decide(
    recorder: Recorder, key: Key, holder: str, caching: Caching, enclosing: Collection[str]
) -> StepDecision:
    """Return whether a step may be skipped, and the claim to run it if not.

    Args:
        recorder: Asks the store.
        key: The cache key of the step.
        holder: The holder of the claim.
        caching: How the step uses the cache.
        enclosing: The holders of steps that this one runs in.
    """
    if recorder.is_child:
        return StepDecision()
    if caching.refresh:
        return StepDecision(claim=recorder.decisions.claim(key, holder, caching))
    decision = recorder.decisions.decide(key, holder, caching, enclosing)
    if isinstance(decision, Miss):
        return StepDecision(miss=decision, claim=decision.claim)
    if decision is None:
        return StepDecision()
    changed = changed_output(decision) if caching.verify else None
    if changed is None:
        return StepDecision(hit=decision)
    warn_once(f"verify {changed}", "%s; the step runs again", changed)
    miss = Miss(reason=MissReason.OUTPUT_MISSING, detail=changed, execution_id=decision.source.id)
    return StepDecision(miss=miss, claim=recorder.decisions.claim(key, holder, caching))


def changed_output(hit: Hit) -> str | None:
    """Return the trouble with outputs that are files of this machine; None: there is none."""
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
            return f"the cached output {path} has changed since"
    return None


def local_path(artifact: Artifact) -> Path | None:
    """Return the path of an artifact on this machine, if its uri is an absolute path."""
    uri = (artifact.uri or "").removeprefix("file://")
    path = Path(uri)
    return path if uri and path.is_absolute() else None
