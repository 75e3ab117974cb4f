"""What a step function returns: recorded, and restored from a hit.

What the store says of a hit is taken for data, never for code: see "Whom a hit is taken from" in
docs/recording.md.
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

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
"""The name of the output, or of the result, that holds what was returned."""

FORM = "return_form"
"""The result that says how it is held: as a value, a path, paths by name, an artifact, a file."""

_TEXTS: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "value": (encode, decode),
    "json text": (json.dumps, json.loads),  # keeps the order of a dict
}
"""How values are written into a result, and read from there."""

_SEAL = ".seal"
_MAX_NAME = 100
_NO_NAME = re.compile(r"[^\w.-]+")


class ReturnValues:
    """Records what a step function returns, each value in the form that fits it.

    Args:
        save: Where values are kept that are too long for a result, or have no other form; None:
            they are not kept.
        owner: The name of the function, with its module.
        types: The types of outputs by their names; "return" is what has no other name.
    """

    def __init__(
        self, save: Path | None, owner: str, types: Mapping[str, str] | None = None
    ) -> None:
        self._save = save
        self._owner = owner
        self._types = types or {}

    def record(self, step: Step, value: Any) -> bool:
        """Record what was returned; return whether a hit could restore it."""
        if isinstance(value, Path | Artifact):
            form = "path" if isinstance(value, Path) else "artifact"
            return self._record_output(step, value, form)
        if _is_mapping_of_paths(value):
            return self._record_paths(step, value)
        for form, (to_text, from_text) in _TEXTS.items():
            text = _text(value, to_text, from_text)
            if text is not None and masked_text(text) == text:
                step.result(FORM, form)
                step.result(RETURN, text)
                return True
        return self._save is not None and self._record_file(step, value, self._save)

    def _record_output(self, step: Step, value: Any, form: str) -> bool:
        step.result(FORM, form)
        return step.output(RETURN, value, type=self._type(RETURN)) is not None

    def _record_paths(self, step: Step, paths: Mapping[str, Path]) -> bool:
        step.result(FORM, "paths")
        step.result(RETURN, json.dumps(list(paths)))
        recorded = [step.output(name, path, type=self._type(name)) for name, path in paths.items()]
        return None not in recorded

    def _type(self, name: str) -> str:
        return self._types.get(name, DEFAULT_TYPE)

    def _record_file(self, step: Step, value: Any, directory: Path) -> bool:
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
        return seal(*self._sealed(step, content))

    def _sealed(self, step: Step, content: bytes) -> tuple[str, str, str]:
        """Return what a seal is over: whose value it is, for which key, and the content."""
        key = "" if step.cache_key is None else step.cache_key.hex
        return self._owner, key, str(sha256_of(content))

    def restore(self, step: Step) -> Any:
        """Return what the function returned when it ran, or NOTHING."""
        form = str(step.results.get(FORM))
        if form in _TEXTS:
            return _TEXTS[form][1](str(step.results[RETURN]))
        if form == "paths":
            return _restored_paths(step)
        if RETURN not in step.outputs:
            return NOTHING
        artifact = step.outputs[RETURN][0]
        if form == "artifact":
            return artifact
        if form == "path":
            return _verifiable_path(artifact) or NOTHING
        return self._restored_file(step, form, artifact) if form in FORMS else NOTHING

    def _restored_file(self, step: Step, form: str, artifact: Artifact) -> Any:
        """Return the value in a file that lies where this function keeps its values."""
        path = local_path(artifact)
        if path is None or self._save is None:
            return NOTHING
        content = content_within(self._save, path)
        if content is None or sha256_of(content) != digest_of(artifact):
            return NOTHING
        if form == PICKLE:
            given = content_within(self._save, path.with_name(path.name + _SEAL))
            if not is_sealed(given, *self._sealed(step, content)):
                return NOTHING
        return FORMS[form].read(content)

    def restore_file(self, step: Step, name: str, target: Path, index: int = 0) -> bool:
        """Put a cached output where it is wanted now; return whether it is there."""
        several = step.outputs.get(name, [])
        source = local_path(several[index]) if index < len(several) else None
        if source is None or not restore(source, target, digest_of(several[index])):
            return False
        if source != target.absolute():
            step.record_copy(name, target, index)
        return True


def _restored_paths(step: Step) -> Any:
    names = json.loads(str(step.results.get(RETURN, "[]")))
    if not names or not set(names) <= set(step.outputs):
        return NOTHING
    paths = {name: _verifiable_path(step.outputs[name][-1]) for name in names}
    return NOTHING if None in paths.values() else paths


def _verifiable_path(artifact: Artifact) -> Path | None:
    """Return where an artifact is; None: not here, or what is there can't be verified."""
    digest = digest_of(artifact)
    is_verifiable = digest is not None and digest.algorithm == "sha256"
    return local_path(artifact) if is_verifiable else None


def _is_mapping_of_paths(value: Any) -> bool:
    is_mapping = isinstance(value, Mapping) and len(value) > 0
    return is_mapping and all(
        isinstance(name, str) and isinstance(path, Path) for name, path in value.items()
    )


def _text(value: Any, to_text: Callable[[Any], str], from_text: Callable[[str], Any]) -> str | None:
    """Return the text of a value that it can be restored from exactly; None: it has none."""
    with suppress(errors.InvalidArgument, TypeError, ValueError, RecursionError):
        text = to_text(value)
        if len(text) <= MAX_TEXT and fingerprint(from_text(text)) == fingerprint(value):
            return text
    return None
