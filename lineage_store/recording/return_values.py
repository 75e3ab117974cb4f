"""The return values of step functions: recorded, and restored from a hit.

The store's answer to a hit is data, never code: see "Whom a hit is taken from" in
docs/recording.md.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

from lineage_store import errors
from lineage_store.cache.canonical import decode, encode
from lineage_store.entities import Artifact
from lineage_store.fingerprints import fingerprint
from lineage_store.lineage.identity import digest_of
from lineage_store.masking import masked_text
from lineage_store.recording.artifacts import DEFAULT_TYPE
from lineage_store.recording.lookups import local_path
from lineage_store.recording.restoring import content_within, restore, sha256_of
from lineage_store.recording.seals import is_sealed, seal
from lineage_store.recording.steps import Step
from lineage_store.recording.value_files import FORMS, PICKLE, write
from lineage_store.recording.values import MAX_TEXT

NOTHING: Any = object()
"""There is nothing to restore."""

RETURN = "return"
"""The name of the output, or of the result, that holds the return value."""

KIND = "return_form"
"""The result that names the kind: a value, a path, paths by name, an artifact, a file."""

_TEXTS: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "value": (encode, decode),
    "json text": (json.dumps, json.loads),  # keeps the order of a dict
}
"""Functions that write values into a result, and read them from there."""

_SEAL = ".seal"
_MAX_NAME = 100
_NO_NAME = re.compile(r"[^\w.-]+")


class ReturnValues:
    """Records the return values of a step function, each in the form that fits it.

    Args:
        save: The directory of values that are too long for a result, or have no other form; None:
            they are not kept.
        owner: The name of the function, with its module.
        types: The types of outputs by their names; "return" is the name of a single value.
    """

    def __init__(
        self, save: Path | None, owner: str, types: Mapping[str, str] | None = None
    ) -> None:
        self._save = save
        self._owner = owner
        self._types = types or {}

    def record(self, step: Step, value: object) -> bool:
        """Record a return value; return whether a hit could restore it."""
        if isinstance(value, Path | Artifact):
            kind = "path" if isinstance(value, Path) else "artifact"
            return self._record_output(step, value, kind)
        if _is_mapping_of_paths(value):
            return self._record_paths(step, value)
        for kind, (to_text, from_text) in _TEXTS.items():
            text = _text(value, to_text, from_text)
            if text is not None and masked_text(text) == text:
                step.result(KIND, kind)
                step.result(RETURN, text)
                return True
        return self._save is not None and self._record_file(step, value, self._save)

    def _record_output(self, step: Step, value: Any, kind: str) -> bool:  # noqa: ANN401 - whatever an output may be
        step.result(KIND, kind)
        return step.output(RETURN, value, type=self._type(RETURN)) is not None

    def _record_paths(self, step: Step, paths: Mapping[str, Path]) -> bool:
        step.result(KIND, "paths")
        step.result(RETURN, json.dumps(list(paths)))
        recorded = [step.output(name, path, type=self._type(name)) for name, path in paths.items()]
        return None not in recorded

    def _type(self, name: str) -> str:
        return self._types.get(name, DEFAULT_TYPE)

    def _record_file(self, step: Step, value: object, directory: Path) -> bool:
        file = write(value)
        if file is None:
            return False
        name = f"{_NO_NAME.sub('_', step.name)[:_MAX_NAME]}-{secrets.token_hex(8)}"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}{file.suffix}"
        path.write_bytes(file.content)
        if file.form == PICKLE and step.cache_key is not None:
            text = self._seal(step, file.content)
            if text is None:
                return False
            path.with_name(path.name + _SEAL).write_text(text)
        return self._record_output(step, path, file.form)

    def _seal(self, step: Step, content: bytes) -> str | None:
        return seal(*self._seal_parts(step, content))

    def _seal_parts(self, step: Step, content: bytes) -> tuple[str, str, str]:
        """Return the parts that a seal covers: the owner of the value, the key, and the content."""
        key = "" if step.cache_key is None else step.cache_key.hex
        return self._owner, key, str(sha256_of(content))

    def restore(self, step: Step) -> object:
        """Return the value that the function returned when it ran, or NOTHING."""
        kind = str(step.results.get(KIND))
        if kind in _TEXTS:
            return _TEXTS[kind][1](str(step.results[RETURN]))
        if kind == "paths":
            return _restored_paths(step)
        if RETURN not in step.outputs:
            return NOTHING
        artifact = step.outputs[RETURN][0]
        if kind == "artifact":
            return artifact
        if kind == "path":
            return _verifiable_path(artifact) or NOTHING
        return self._restored_file(step, kind, artifact) if kind in FORMS else NOTHING

    def _restored_file(self, step: Step, form: str, artifact: Artifact) -> object:
        """Return the value in a file that lies where this function keeps its values."""
        path = local_path(artifact)
        if path is None or self._save is None:
            return NOTHING
        content = content_within(self._save, path)
        if content is None or sha256_of(content) != digest_of(artifact):
            return NOTHING
        if form == PICKLE:
            stored_seal = content_within(self._save, path.with_name(path.name + _SEAL))
            if not is_sealed(stored_seal, *self._seal_parts(step, content)):
                return NOTHING
        return FORMS[form].read(content)

    def restore_file(self, step: Step, name: str, target: Path, index: int = 0) -> bool:
        """Put a cached output at its new path; return whether it is there."""
        several = step.outputs.get(name, [])
        source = local_path(several[index]) if index < len(several) else None
        if source is None or not restore(source, target, digest_of(several[index])):
            return False
        if source != target.absolute():
            step.record_copy(name, target, index)
        return True


def _restored_paths(step: Step) -> object:
    names = json.loads(str(step.results.get(RETURN, "[]")))
    if not names or not set(names) <= set(step.outputs):
        return NOTHING
    paths = {name: _verifiable_path(step.outputs[name][-1]) for name in names}
    return NOTHING if None in paths.values() else paths


def _verifiable_path(artifact: Artifact) -> Path | None:
    """Return the path of an artifact; None: it is not here, or its file can't be verified."""
    digest = digest_of(artifact)
    is_verifiable = digest is not None and digest.algorithm == "sha256"
    return local_path(artifact) if is_verifiable else None


def _is_mapping_of_paths(value: object) -> TypeGuard[Mapping[str, Path]]:
    if not isinstance(value, Mapping) or len(value) == 0:
        return False
    return all(isinstance(name, str) and isinstance(path, Path) for name, path in value.items())


def _text(
    value: object, to_text: Callable[[Any], str], from_text: Callable[[str], object]
) -> str | None:
    """Return the text of a value that it can be restored from exactly; None: it has none."""
    with suppress(errors.InvalidArgument, TypeError, ValueError, RecursionError):
        text = to_text(value)
        if len(text) <= MAX_TEXT and fingerprint(from_text(text)) == fingerprint(value):
            return text
    return None
