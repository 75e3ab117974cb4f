"""What steps read and write, as artifacts that are the same in every process and every hook.

| what | uri | it is the same artifact if |
| --- | --- | --- |
| a file or directory | its absolute path | path and content are the same |
| something elsewhere | the uri | uri, and digest or else version, are the same |
| a value in memory | `value:SCOPE/NAME` | name and content are the same |

What has neither digest nor version is the same only within one run, and has the property
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
"""The environment variable that says how large a thing may be to be hashed by a hook."""

DEFAULT_HASH_BYTES = 1024 * 1024 * 1024

_LONGEST_PATH = 4096
"""Characters of a path."""

Properties = Mapping[str, Any]


def file_artifact(
    path: Path | str,
    within: str,
    *,
    type: str = DEFAULT_TYPE,  # noqa: A002 - the field of an artifact has this name
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of a local file or directory; never raises.

    Args:
        path: Where it is.
        within: The id of the run; tells it from others if it can't be hashed.
        type: Of the artifact.
        properties: What else is known of it.
    """
    path = Path(path)
    uri = str(path.absolute())
    try:
        size = _bytes_of(path)
        if size > _limit():
            return _too_large(path, uri, size, type, properties)
        known = {"digest": fingerprint(path)} | ({"bytes": size} if path.is_file() else {})
    except (OSError, errors.LineageError) as error:
        return _untold(uri, within, _reason(error), type, properties)
    return _made(f"{uri}@{known['digest']}", uri, type, {**(properties or {}), **known})


def uri_artifact(
    uri: str,
    within: str,
    *,
    digest: str | None = None,
    version: str | None = None,
    why: str = "the tool tells neither digest nor version",
    type: str = DEFAULT_TYPE,  # noqa: A002
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of something at a uri; that of a local file is made by its content.

    Args:
        uri: Where it is.
        within: The id of the run; tells it from others if there is nothing else.
        digest: Of its content, "sha256:…" or "md5:…".
        version: Of what is at the uri, such as an entity tag or the id of a version.
        why: What is said if neither is known.
        type: Of the artifact.
        properties: What else is known of it.
    """
    uri = masked_text(uri)
    parts = urlsplit(uri)
    local = unquote(parts.path) if parts.scheme == "file" else uri
    is_local = parts.scheme in {"", "file"} and Path(local).is_absolute()
    if is_local and digest is None and version is None:
        return file_artifact(local, within, type=type, properties=properties)
    known = {"digest": digest} if digest else {"version": version}
    told = digest or version
    if not told:
        return _untold(uri, within, why, type, properties)
    return _made(f"{uri}@{told}", uri, type, {**(properties or {}), **known})


def value_artifact(
    scope: str,
    name: str,
    value: Any,
    within: str,
    *,
    type: str = DEFAULT_TYPE,  # noqa: A002
    properties: Properties | None = None,
) -> Artifact:
    """Return the artifact of a value that is kept nowhere but in memory; never raises.

    Args:
        scope: The project, or else the pipeline, that the name belongs to.
        name: What the tool calls the value; the step that made it, and what it calls it.
        value: The value.
        within: The id of the run; tells it from others if it can't be hashed.
        type: Of the artifact.
        properties: What else is known of it.
    """
    uri = f"value:{scope}/{name}"
    kind = f"{value.__class__.__module__}.{value.__class__.__qualname__}".removeprefix("builtins.")
    given = {**(properties or {}), "python_type": kind}
    try:
        if _bytes_in(value) > _limit():
            return _untold(uri, within, f"it has more than {_limit()} bytes", type, given)
        digest = fingerprint(value)
    except Exception as error:  # of the value's own methods, which may be anything
        return _untold(uri, within, _reason(error), type, given)
    return _made(f"{uri}@{digest}", uri, type, {**given, "digest": digest})


def why_untold(what: str, named: Iterable[tuple[str, Artifact]]) -> str | None:
    """Return why one of these artifacts can't be told from what was there before; None: all can.

    Args:
        what: What is said of them: "its input".
        named: The artifacts, each with its name.
    """
    for name, artifact in named:
        why = artifact.custom_properties.get("not_hashed")
        if why is not None and "version" not in artifact.custom_properties:
            return f"{what} {name} is not hashed: {why}"
    return None


def each_of(several: Mapping[str, Sequence[Artifact]]) -> Iterator[tuple[str, Artifact]]:
    """Yield each artifact with its name."""
    for name, artifacts in several.items():
        for artifact in artifacts:
            yield name, artifact


def arguments_in_key(arguments: Mapping[str, Any], files: list[WatchedFile]) -> dict[str, str]:
    """Return what stands for the arguments of a step in its key, as it is given them.

    What they come from does not tell all: a list may hold what several steps put out, in any order,
    and other values beside it, and a path may be where a step writes. So paths count as texts; but
    text that names a file that exists counts by what is in it as well.

    Args:
        arguments: By name.
        files: Takes the files whose content counts, and their states.

    Raises:
        InvalidArgument: One of them can't be told from others.
        OSError: A file within can't be read.
    """
    named = dict(_files_named_in(dict(arguments), files))
    contents = {"files": fingerprint(named)} if named else {}
    return {
        "arguments": value_digest(without_files(dict(arguments)), "argument", files),
        **contents,
    }


def _files_named_in(value: Any, files: list[WatchedFile]) -> Iterator[tuple[str, str]]:
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


def without_files(value: Any) -> Any:
    """Return a value with paths as texts: where a file is, and not what is in it."""
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
    """Return how many bytes a file, or all files of a directory, have.

    Raises:
        OSError: It is not there, or can't be read.
    """
    if not path.is_dir():
        return path.stat().st_size
    found = 0
    for directory, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):
                found += (Path(directory) / name).stat().st_size
        if found > _limit():
            break
    return found


def _bytes_in(value: Any) -> int:
    """Return about how many bytes a value has, if it can tell without being looked through."""
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
    """Return the artifact of what is too large to be read, by its size and its time."""
    found = path.stat()
    version = f"{size} bytes, {found.st_mtime_ns} ns"
    why = f"it has more than {_limit()} bytes"
    known = {"version": version, "bytes": size, "not_hashed": why}
    return _made(f"{uri}@{version}", uri, type_name, {**(properties or {}), **known})


def _untold(
    uri: str, within: str, why: str, type_name: str, properties: Properties | None
) -> Artifact:
    """Return the artifact of what can't be told from what was there before, but by the run."""
    return _made(f"{uri}@{within}", uri, type_name, {**(properties or {}), "not_hashed": why})


def _made(external_id: str, uri: str, type_name: str, properties: Properties) -> Artifact:
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
