"""The inputs and outputs of user code, as artifacts.

A file or directory is the artifact `PATH@DIGEST`: the same content at the same place is one
artifact, whichever process, step or run meets it. A uri with a version is `URI@VERSION`. A uri with
neither is the artifact that this process last wrote there, else `uri:URI`.
"""

from collections.abc import Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact, ArtifactState
from lineage_store.entities.values import PropertyValue
from lineage_store.fingerprints.values import fingerprint
from lineage_store.lineage.identity import digest_of, version_of
from lineage_store.masking import masked_text
from lineage_store.recording.gaps import Gaps
from lineage_store.recording.naming import bounded
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.values import as_property, clean, with_article

DEFAULT_TYPE = "Artifact"

ArtifactLike = Artifact | Path | str | int
"""An artifact, a file or directory, a uri, or the id of an artifact."""

Inputs = Mapping[str, ArtifactLike | Sequence[ArtifactLike]]

_SEVERAL = (Sequence, Set, KeysView, ValuesView, Iterator)


def as_list(value: ArtifactLike | Sequence[ArtifactLike]) -> list[ArtifactLike]:
    """Return one input, or several under one name, as a list.

    Anything else, such as a table that yields its columns, is one input.
    """
    several = isinstance(value, _SEVERAL) and not isinstance(value, str | bytes | bytearray)
    return list(value) if several else [value]  # type: ignore[arg-type, list-item]


def as_artifact(recorder: Recorder, value: ArtifactLike, noun: str) -> Artifact | int:
    """Return the artifact that an input or an output stands for.

    Args:
        recorder: Knows the artifacts of this process.
        value: The input or output as user code has it.
        noun: "input" or "output".

    Raises:
        InvalidArgument: The value can't be an artifact.
        OSError: The file can't be read.
    """
    if isinstance(value, Path):
        return of_path(recorder, value, DEFAULT_TYPE)
    if isinstance(value, Artifact):
        return value if value.id is not None else identified(value)
    if isinstance(value, str):
        uri = masked_text(value)
        unnamed = Artifact(type=DEFAULT_TYPE, uri=uri, external_id=bounded(f"uri:{uri}"))
        return recorder.find_artifact(uri) or unnamed
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise errors.InvalidArgument(
        f"{with_article(type(value).__name__)} is no {noun}: "
        "give an Artifact, a Path, a uri or an id"
    )


def of_path(
    recorder: Recorder, path: Path, type_name: str, properties: Mapping[str, object] | None = None
) -> Artifact:
    """Return the artifact of a file or directory, by its content.

    Raises:
        OSError: It can't be read.
    """
    uri = str(path.absolute())
    digest = fingerprint(path)
    external_id = bounded(f"{uri}@{digest}")
    known_artifact = recorder.find_artifact(external_id)
    if known_artifact is not None and type_name == DEFAULT_TYPE and not properties:
        return known_artifact
    content: dict[str, Any] = {"digest": digest}
    if path.is_file():
        content["bytes"] = path.stat().st_size
    return Artifact(
        type=type_name,
        uri=uri,
        external_id=external_id,
        state=ArtifactState.LIVE,
        custom_properties={**as_properties(properties), **content},
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


def as_properties(values: Mapping[str, object] | None) -> dict[str, PropertyValue]:
    """Return values as custom properties."""
    return {bounded(clean(name)): as_property(value) for name, value in (values or {}).items()}


def identified(artifact: Artifact) -> Artifact:
    """Return an artifact with a type, and with an external id if there is one."""
    has_type = artifact.type is not None or artifact.type_id is not None
    type_name = artifact.type if has_type else DEFAULT_TYPE
    uri = None if artifact.uri is None else masked_text(artifact.uri)
    if (type_name, uri) != (artifact.type, artifact.uri):
        artifact = replace(artifact, type=type_name, uri=uri)
    identity = external_id_of(artifact)
    if identity == artifact.external_id:
        return artifact
    return replace(artifact, external_id=identity)


def external_id_of(artifact: Artifact) -> str | None:
    """Return the external id of an artifact, or one made of its uri and its content or version."""
    if artifact.external_id is not None or artifact.uri is None:
        return artifact.external_id
    content = digest_of(artifact) or version_of(artifact)
    return None if content is None else bounded(f"{artifact.uri}@{content}")


def input_places(
    recorder: Recorder, inputs: Inputs | None, gaps: Gaps | None = None
) -> list[StepArtifact]:
    """Return the places of inputs; one that can't be recorded is left out, and noted in `gaps`."""
    places = []
    by_name: Any = inputs or {}
    if not isinstance(by_name, Mapping):
        _note(gaps, "*", f"{with_article(type(inputs).__name__)} has no names: give a dict")
        return []
    for name, several in by_name.items():
        for at, value in enumerate(as_list(several)):
            try:
                places.append(_input_place(recorder, name, at, value))
            except Exception as error:
                _note(gaps, name, error)
    return places


def _input_place(recorder: Recorder, name: str, at: int, value: ArtifactLike) -> StepArtifact:
    """Return the place of an input.

    Raises:
        LineageError: It stands for no artifact, or for one that can't be sent.
        OSError: The file can't be read.
    """
    artifact = as_artifact(recorder, value, "input")
    reference = artifact.id if isinstance(artifact, Artifact) and artifact.id else artifact
    place = StepArtifact(artifact=reference, name=name, index=at)
    is_plain = isinstance(value, Path) and str(value).isascii()
    if not (is_plain and isinstance(name, str) and name.isascii()):
        place.to_message()  # raises here, where only this input is lost, and not the whole record
    return place


def _note(gaps: Gaps | None, name: str, why: object) -> None:
    if gaps is not None:
        gaps.add("input", name, why)


def as_output(
    recorder: Recorder,
    value: ArtifactLike | None,
    type_name: str,
    properties: Mapping[str, object],
    external_id: str,
) -> Artifact:
    """Return the artifact that an output stands for, with state and external id.

    By the external id a later step can name it before the store has given it an id.

    Args:
        recorder: Knows the artifacts of this process.
        value: The output as user code has it; None: something without a uri.
        type_name: Of the artifact, if it is made here.
        properties: Its other properties, if it is made here.
        external_id: For an artifact that nothing else identifies.

    Raises:
        LineageError: It stands for none, or for one that can't be sent.
        OSError: The file can't be read.
    """
    if isinstance(value, Path):
        artifact = of_path(recorder, value, type_name, properties)
    elif isinstance(value, str) or value is None:
        uri = None if value is None else masked_text(value)
        artifact = Artifact(type=type_name, uri=uri, custom_properties=as_properties(properties))
    else:
        reference = as_artifact(recorder, value, "output")
        artifact = Artifact(id=reference) if isinstance(reference, int) else reference
    identity = external_id_of(artifact)
    if artifact.id is None:
        state = ArtifactState.LIVE if artifact.state is None else artifact.state
        artifact = replace(artifact, state=state, external_id=identity or bounded(external_id))
    elif identity != artifact.external_id:
        artifact = replace(artifact, external_id=identity)
    artifact.to_message()  # raises here, where only this output is lost, and not the whole record
    return artifact
