"""What user code calls inputs and outputs, as artifacts.

A file or directory is the artifact `PATH@DIGEST`: the same content at the same place is one
artifact, whichever process, step or run meets it. A uri with a version is `URI@VERSION`. A uri with
neither is what this process last wrote there, else the artifact `uri:URI`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.client.cache_answers import Place
from lineage_store.fingerprints.values import fingerprint
from lineage_store.lineage.identity import digest_of, version_of
from lineage_store.model import Artifact, ArtifactState
from lineage_store.recording.complaints import complain
from lineage_store.recording.naming import bounded
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.values import as_property

DEFAULT_TYPE = "Artifact"

Given = Artifact | Path | str | int
"""An artifact, a file or directory, a uri, or the id of an artifact."""

Inputs = Mapping[str, Given | Sequence[Given]]


def listed(given: Given | Sequence[Given]) -> list[Given]:
    """Return one input, or several under one name, as a list."""
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping)
    return list(given) if several else [given]  # type: ignore[arg-type, list-item]


def as_input(recorder: Recorder, given: Given) -> Artifact | int:
    """Return the artifact that an input stands for.

    Raises:
        InvalidArgument: It is none of what an input can be.
        OSError: The file can't be read.
    """
    if isinstance(given, Path):
        return of_path(recorder, given, DEFAULT_TYPE)
    if isinstance(given, Artifact):
        return given if given.id is not None else identified(given)
    if isinstance(given, str):
        unnamed = Artifact(type=DEFAULT_TYPE, uri=given, external_id=bounded(f"uri:{given}"))
        return recorder.known(given) or unnamed
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise errors.InvalidArgument(
        f"a {type(given).__name__} is no input: give an Artifact, a Path, a uri or an id"
    )


def of_path(
    recorder: Recorder, path: Path, type_name: str, properties: Mapping[str, Any] | None = None
) -> Artifact:
    """Return the artifact of a file or directory, by its content.

    Raises:
        OSError: It can't be read.
    """
    uri = str(path.absolute())
    digest = fingerprint(path)
    external_id = bounded(f"{uri}@{digest}")
    known = recorder.known(external_id)
    if known is not None and type_name == DEFAULT_TYPE and not properties:
        return known
    found: dict[str, Any] = {"digest": digest}
    if path.is_file():
        found["bytes"] = path.stat().st_size
    return Artifact(
        type=type_name,
        uri=uri,
        external_id=external_id,
        state=ArtifactState.LIVE,
        custom_properties={**as_properties(properties), **found},
    )


def copy_of(recorder: Recorder, original: Artifact, path: Path) -> Artifact:
    """Return the artifact of a copy of a file or directory: the same content at another place."""
    uri = str(path.absolute())
    copy = Artifact(
        type=original.type,
        type_id=original.type_id if original.type is None else None,
        uri=uri,
        external_id=bounded(f"{uri}@{digest_of(original)}"),
        state=ArtifactState.LIVE,
        properties=original.properties,
        custom_properties=original.custom_properties,
    )
    recorder.remember(copy)
    return copy


def as_properties(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return values as custom properties."""
    return {name: as_property(value) for name, value in (values or {}).items()}


def identified(artifact: Artifact) -> Artifact:
    """Return an artifact with a type, and with an external id if there is one."""
    has_type = artifact.type is not None or artifact.type_id is not None
    type_name = artifact.type if has_type else DEFAULT_TYPE
    return replace(artifact, type=type_name, external_id=external_id_of(artifact))


def external_id_of(artifact: Artifact) -> str | None:
    """Return the external id of an artifact, or what its uri and its content or version tell."""
    if artifact.external_id is not None or artifact.uri is None:
        return artifact.external_id
    content = digest_of(artifact) or version_of(artifact)
    return None if content is None else bounded(f"{artifact.uri}@{content}")


def input_places(recorder: Recorder, inputs: Inputs | None) -> list[Place]:
    """Return the places of inputs; one that can't be read is left out, and told."""
    places = []
    for name, several in (inputs or {}).items():
        for at, given in enumerate(listed(several)):
            try:
                artifact = as_input(recorder, given)
            except (OSError, errors.LineageError) as error:
                complain(f"input {error}", "the input %s is not recorded: %s", name, error)
                continue
            tied = artifact.id if isinstance(artifact, Artifact) and artifact.id else artifact
            places.append(Place(artifact=tied, name=name, index=at))
    return places
