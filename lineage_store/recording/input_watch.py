"""Input files of a step, looked at again when it has ended."""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from lineage_store import errors
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact
from lineage_store.fingerprints.code.guards import WatchedFile, file_state
from lineage_store.fingerprints.values import fingerprint
from lineage_store.lineage.identity import digest_of
from lineage_store.recording.artifacts import Inputs, as_list
from lineage_store.recording.lookups import local_path, original_artifact
from lineage_store.recording.step_spec import StepSpec


class InputWatch:
    """The input files of a step as they were before they were hashed.

    Args:
        described: The step; its inputs are looked at now.
    """

    def __init__(self, spec: StepSpec) -> None:
        self._spec = spec
        self._states = {path: state_of(path) for _, path in _local_files(spec.inputs)}

    def changed(self, places: Sequence[StepArtifact], files: Sequence[WatchedFile]) -> str | None:
        """Return the input or file that changed since the key was made; None: none did.

        Args:
            places: The inputs.
            files: The files that the key rests on beside them.
        """
        for file in files:
            if file_state(file.path) != file.state and not _has_digest(file.path, file.digest):
                return f"file {file.path}"
        for place in places:
            artifact = place.artifact
            if isinstance(artifact, int):
                artifact = original_artifact(self._spec, place) or Artifact(id=artifact)
            path = _path_of(artifact)
            if path is not None and self._is_other(path, artifact):
                return f"input {place.name}"
        return None

    def _is_other(self, path: Path, artifact: Artifact) -> bool:
        if path in self._states and self._states[path] == state_of(path):
            return False
        digest = digest_of(artifact)
        is_known = digest is not None and digest.algorithm == "sha256"
        return is_known and not _has_digest(path, str(digest))


def _has_digest(path: Path | str, digest: str) -> bool:
    """Return whether a file still has the content of a digest."""
    try:
        return bool(digest) and fingerprint(Path(path)) == digest
    except (OSError, errors.LineageError):  # it is gone, or can't be read any more
        return False


def state_of(path: Path) -> object:
    """Return the state of a file, or of all in a directory, which shows any change."""
    state = file_state(str(path))
    if state is None or not os.path.isdir(path):  # noqa: PTH112 - raises nothing
        return state
    content = sha256()
    for directory, names, files in os.walk(path):
        names.sort()
        for name in sorted(files):
            entry = os.path.join(directory, name)  # noqa: PTH118
            content.update(f"{entry}\0{file_state(entry)}\0".encode("utf-8", "surrogateescape"))
    return state, content.digest()


def _local_files(inputs: Inputs | None) -> Iterator[tuple[str, Path]]:
    for name, several in (inputs or {}).items():
        for value in as_list(several):
            path = value.absolute() if isinstance(value, Path) else _path_of(value)
            if path is not None:
                yield name, path


def _path_of(value: object) -> Path | None:
    """Return the local file of an artifact whose content is known; None: it has none."""
    if not isinstance(value, Artifact) or digest_of(value) is None:
        return None
    return local_path(value)
