"""What a step function returns: recorded, and restored from a hit."""

import pickle
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.cache.canonical import decode, encode
from lineage_store.model import Artifact
from lineage_store.recording.lookups import local_path
from lineage_store.recording.steps import Step
from lineage_store.recording.values import MAX_TEXT

NOTHING: Any = object()
"""There is nothing to restore."""

RETURN = "return"
"""The name of the output, or of the result, that holds what was returned."""

FORM = "return_form"
"""The result that says how it is held: as a value, a path, paths by name, an artifact, a pickle."""


class Returned:
    """Records what step functions return, each value in the form that fits it.

    Args:
        save: Where values are pickled that have no other form; None: they are not kept.
    """

    def __init__(self, save: Path | None) -> None:
        self._save = save

    def record(self, step: Step, value: Any) -> bool:
        """Record what was returned; return whether a hit could restore it."""
        if isinstance(value, Path | Artifact):
            form = "path" if isinstance(value, Path) else "artifact"
            return self._record_output(step, RETURN, value, form)
        if _is_mapping_of_paths(value):
            step.result(FORM, "paths")
            recorded = [step.output(name, path) for name, path in value.items()]
            return None not in recorded
        text = _text(value)
        if text is not None:
            step.result(FORM, "value")
            step.result(RETURN, text)
            return True
        return self._save is not None and self._record_pickle(step, value, self._save)

    def _record_output(self, step: Step, name: str, value: Any, form: str) -> bool:
        step.result(FORM, form)
        return step.output(name, value) is not None

    def _record_pickle(self, step: Step, value: Any, directory: Path) -> bool:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{step.name}-{secrets.token_hex(8)}.pickle"
        with path.open("wb") as file:
            pickle.dump(value, file)
        return self._record_output(step, RETURN, path, "pickle")

    def restore(self, step: Step) -> Any:
        """Return what the function returned when it ran, or NOTHING."""
        form, outputs = step.results.get(FORM), step.outputs
        if form == "value":
            return decode(str(step.results[RETURN]))
        if form == "paths":
            paths = {name: local_path(several[0]) for name, several in outputs.items()}
            return NOTHING if None in paths.values() else paths
        if form not in {"path", "artifact", "pickle"} or RETURN not in outputs:
            return NOTHING
        artifact = outputs[RETURN][0]
        path = local_path(artifact)
        if form == "artifact" or path is None:
            return artifact if form == "artifact" else NOTHING
        return _unpickled(path) if form == "pickle" else path

    def restore_file(self, step: Step, name: str, target: Path, at: int = 0) -> bool:
        """Put a cached output where it is wanted now; return whether it is there."""
        several = step.outputs.get(name, [])
        source = local_path(several[at]) if at < len(several) else None
        if source is None:
            return False
        if source != target.absolute():
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy2(source, target)
        return True


def _unpickled(path: Path) -> Any:
    """Return what was pickled by an earlier run; its digest was compared before."""
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301 - written by the function itself, and verified


def _is_mapping_of_paths(value: Any) -> bool:
    is_mapping = isinstance(value, Mapping) and len(value) > 0
    return is_mapping and all(
        isinstance(name, str) and isinstance(path, Path) for name, path in value.items()
    )


def _text(value: Any) -> str | None:
    """Return the canonical text of a value that it can be restored from exactly; else None."""
    try:
        text = encode(value)
    except errors.InvalidArgument:
        return None
    return text if len(text) <= MAX_TEXT and _alike(decode(text), value) else None


def _alike(restored: Any, value: Any) -> bool:
    """Return whether a value comes back as it was: a tuple would as a list."""
    if type(restored) is not type(value):
        return False
    if isinstance(value, dict):
        return all(_alike(restored[key], item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_alike, restored, value))
    return repr(restored) == repr(value)  # NaN is not equal to itself
