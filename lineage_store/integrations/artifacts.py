"""Inputs and outputs of steps, as artifacts that are the same in every process and every hook.

| thing | uri | it is the same artifact if |
| --- | --- | --- |
| a file or directory | its absolute path | path and content are the same |
| something elsewhere | the uri | uri, and digest or else version, are the same |
| a value in memory | `value:SCOPE/NAME` | name and content are the same |

A thing with neither digest nor version is the same only within one run, and has the property
`not_hashed`, which says why.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

from lineage_store import errors
from lineage_store.entities import Artifact, ArtifactState
from lineage_store.fingerprints.code import value_digest
from lineage_store.fingerprints.code.guards import WatchedFile, file_state
from lineage_store.fingerprints.values import fingerprint
from lineage_store.masking import masked_text
from lineage_store.recording.arguments import names_a_file
from lineage_store.recording.artifacts import DEFAULT_TYPE, as_properties
from lineage_store.recording.naming import bounded

HASH_BYTES = "LINEAGE_STORE_HASH_BYTES"
"""The environment variable with the maximum size, in bytes, of a thing that hooks hash."""

DEFAULT_HASH_BYTES = 1024 * 1024 * 1024

_LONGEST_PATH = 4096
"""Characters of a path."""

Properties = Mapping[str, object]


def file_artifact(
    path: Path | str,
    run_id: str,
    *,
    type: str = DEFAULT_TYPE,  # noqa: A002 - the field of an artifact has this name
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of a local file or directory; never raises.

    Args:
        path: Its path.
        run_id: The id of the run; part of the external id if it can't be hashed.
        type: Of the artifact.
        properties: Its other properties.
    """
    path = Path(path)
    uri = str(path.absolute())
    try:
        size = _bytes_of(path)
        if size > _limit():
            return _too_large(path, uri, size, type, properties)
        content = {"digest": fingerprint(path)} | ({"bytes": size} if path.is_file() else {})
    except (OSError, errors.LineageError) as error:
        return _unhashed(uri, run_id, _reason(error), type, properties)
    return _live_artifact(
        f"{uri}@{content['digest']}", uri, type, {**(properties or {}), **content}
    )


def uri_artifact(
    uri: str,
    run_id: str,
    *,
    digest: str | None = None,
    version: str | None = None,
    why: str = "the tool tells neither digest nor version",
    type: str = DEFAULT_TYPE,  # noqa: A002
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of something at a uri; that of a local file is made by its content.

    Args:
        uri: Its uri.
        run_id: The id of the run; part of the external id if there is nothing else.
        digest: Of its content, "sha256:…" or "md5:…".
        version: Of the content at the uri, such as an entity tag or the id of a version.
        why: The reason to record if neither is known.
        type: Of the artifact.
        properties: Its other properties.
    """
    uri = masked_text(uri)
    parts = urlsplit(uri)
    local = unquote(parts.path) if parts.scheme == "file" else uri
    is_local = parts.scheme in {"", "file"} and Path(local).is_absolute()
    if is_local and digest is None and version is None:
        return file_artifact(local, run_id, type=type, properties=properties)
    identity_properties = {"digest": digest} if digest else {"version": version}
    identity = digest or version
    if not identity:
        return _unhashed(uri, run_id, why, type, properties)
    return _live_artifact(
        f"{uri}@{identity}", uri, type, {**(properties or {}), **identity_properties}
    )


def value_artifact(
    scope: str,
    name: str,
    value: object,
    run_id: str,
    *,
    type: str = DEFAULT_TYPE,  # noqa: A002
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of a value that is kept nowhere but in memory; never raises.

    Args:
        scope: The project, or else the pipeline, that the name belongs to.
        name: The tool's name of the value: the step that made it, and its name there.
        value: The value.
        run_id: The id of the run; part of the external id if it can't be hashed.
        type: Of the artifact.
        properties: Its other properties.
    """
    uri = f"value:{scope}/{name}"
    kind = f"{value.__class__.__module__}.{value.__class__.__qualname__}".removeprefix("builtins.")
    own_properties = {**(properties or {}), "python_type": kind}
    try:
        if _bytes_in(value) > _limit():
            return _unhashed(
                uri, run_id, f"it has more than {_limit()} bytes", type, own_properties
            )
        digest = fingerprint(value)
    except Exception as error:  # of the value's own methods, which may be anything
        return _unhashed(uri, run_id, _reason(error), type, own_properties)
    return _live_artifact(f"{uri}@{digest}", uri, type, {**own_properties, "digest": digest})


def unhashed_reason(label: str, artifacts: Iterable[tuple[str, Artifact]]) -> str | None:
    """Return the reason why one of these artifacts is not hashed; None: all are.

    Args:
        label: Their noun in the reason: "its input".
        artifacts: The artifacts, each with its name.
    """
    for name, artifact in artifacts:
        why = artifact.custom_properties.get("not_hashed")
        if why is not None and "version" not in artifact.custom_properties:
            return f"{label} {name} is not hashed: {why}"
    return None


def each_of(several: Mapping[str, Sequence[Artifact]]) -> Iterator[tuple[str, Artifact]]:
    """Yield each artifact with its name."""
    for name, artifacts in several.items():
        for artifact in artifacts:
            yield name, artifact


def arguments_in_key(arguments: Mapping[str, object], files: list[WatchedFile]) -> dict[str, str]:
    """Return the components of a step's key that stand for its arguments.

    Their sources do not tell all: a list may hold the outputs of several steps, in any order, and
    other values beside them, and a path may be where a step writes. So paths count as texts; but
    text that names an existing file counts by the content of the file as well.

    Args:
        arguments: By name.
        files: Takes the files whose content counts, and their states.

    Raises:
        InvalidArgument: One of them can't be told from others.
        OSError: A file within can't be read.
    """
    file_digests = dict(_files_named_in(dict(arguments), files))
    contents = {"files": fingerprint(file_digests)} if file_digests else {}
    return {
        "arguments": value_digest(without_files(dict(arguments)), "argument", files),
        **contents,
    }


def _files_named_in(value: object, files: list[WatchedFile]) -> Iterator[tuple[str, str]]:
    """Yield each text in a value that names a file or directory, and the digest of that."""
    if type(value) is str:
        path = named_path(value)
        if path is not None:
            state = file_state(str(path))
            digest = _bounded_digest(path)
            files.append(WatchedFile(str(path), state, digest))
            yield value, digest
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _files_named_in(item, files)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _files_named_in(item, files)


def named_path(text: str) -> Path | None:
    """Return the file that a text names, or the directory if the text can be nothing else."""
    if names_a_file(text):
        return Path(text)
    is_path = any(sign and sign in text for sign in (os.sep, os.altsep))
    is_path = is_path and 0 < len(text) <= _LONGEST_PATH and text.isprintable()
    with suppress(OSError, ValueError):
        return Path(text) if is_path and Path(text).is_dir() else None
    return None


def _bounded_digest(path: Path) -> str:
    if _bytes_of(path) > _limit():
        raise errors.InvalidArgument(f"{path} has more than {_limit()} bytes ({HASH_BYTES})")
    return fingerprint(path)


def without_files(value: object) -> object:
    """Return a value with paths as texts: the location of a file, and not its content."""
    if isinstance(value, PurePath):
        return f"path {value}"
    if isinstance(value, dict):
        return {key: without_files(item) for key, item in value.items()}
    return list(map(without_files, value)) if isinstance(value, list | tuple) else value


def _limit() -> int:
    with suppress(ValueError):
        return int(os.environ.get(HASH_BYTES, ""))
    return DEFAULT_HASH_BYTES


def _bytes_of(path: Path) -> int:
    """Return the size of a file, or of all files of a directory, in bytes.

    Raises:
        OSError: It is not there, or can't be read.
    """
    if not path.is_dir():
        return path.stat().st_size
    size = 0
    for directory, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                size += (Path(directory) / name).stat().st_size
        if size > _limit():
            break
    return size


def _bytes_in(value: object) -> int:
    """Return about how many bytes a value has, if it can tell without being read."""
    size: Any = getattr(value, "nbytes", None)
    if size is None and hasattr(value, "memory_usage"):
        usage = value.memory_usage()
        size = usage.sum() if hasattr(usage, "sum") else usage
    if size is None and isinstance(value, str | bytes | bytearray):
        size = len(value)
    return int(size or 0)


def _too_large(
    path: Path, uri: str, size: int, type_name: str, properties: Properties | None
) -> Artifact:
    """Return the artifact of a file that is too large to hash, by its size and its time."""
    status = path.stat()
    version = f"{size} bytes, {status.st_mtime_ns} ns"
    why = f"it has more than {_limit()} bytes"
    identity_properties = {"version": version, "bytes": size, "not_hashed": why}
    return _live_artifact(
        f"{uri}@{version}", uri, type_name, {**(properties or {}), **identity_properties}
    )


def _unhashed(
    uri: str, run_id: str, why: str, type_name: str, properties: Properties | None
) -> Artifact:
    """Return the artifact of a thing without digest or version, identified by its run."""
    return _live_artifact(
        f"{uri}@{run_id}", uri, type_name, {**(properties or {}), "not_hashed": why}
    )


def _live_artifact(external_id: str, uri: str, type_name: str, properties: Properties) -> Artifact:
    return Artifact(
        type=type_name,
        uri=uri,
        external_id=bounded(external_id),
        state=ArtifactState.LIVE,
        custom_properties=as_properties(properties),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, errors.LineageError):
        return error.message
    return f"{type(error).__name__}: {error}"[:500]
