"""Runs functions as steps of a pipeline, and records each of them."""

import hashlib
import inspect
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lineage_store import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionState,
    ExecutionType,
    LineageStore,
)

ARTIFACT_TYPES = {
    "Dataset": "mlmd.Dataset",
    "Report": "mlmd.Statistics",
    "Model": "mlmd.Model",
    "Metrics": "mlmd.Metrics",
}
STEP_TYPES = {
    "Ingest": "mlmd.Process",
    "Validate": "mlmd.Process",
    "Split": "mlmd.Transform",
    "Train": "mlmd.Train",
    "Evaluate": "mlmd.Evaluate",
    "Choose": "mlmd.Process",
}


class Recorder:
    """Records the steps of one run of a pipeline.

    Args:
        store: Where to record.
        pipeline: The name of the pipeline.
        run: The name of the run.
    """

    def __init__(self, store: LineageStore, pipeline: str, run: str) -> None:
        self._store = store
        self._commit = git_commit()
        put_types(store)
        found = store.find_context(type="Pipeline", name=pipeline)
        self._pipeline = found or Context(
            id=store.put_context(Context(type="Pipeline", name=pipeline))
        )
        self._run = Context(id=store.put_context(Context(type="Run", name=run)))
        store.add_parent_context(self._run, self._pipeline)

    def step(
        self,
        kind: str,
        function: Callable[..., None],
        *,
        inputs: dict[str, Artifact],
        outputs: dict[str, tuple[str, Path]],
        parameters: dict[str, Any] | None = None,
    ) -> dict[str, Artifact]:
        """Run a function on files and record it; return its outputs by their names.

        Args:
            kind: The type of the step.
            function: Called with the path of each input and output, and the parameters, by name.
            inputs: What it reads.
            outputs: The type and the path of what it writes.
            parameters: What else it is given.

        Raises:
            ValueError: An input is no longer what was recorded.
        """
        for artifact in inputs.values():
            check_unchanged(artifact)
        execution = self._begin(kind, function, inputs, parameters or {})
        paths = {name: Path(str(artifact.uri)) for name, artifact in inputs.items()}
        paths |= {name: path for name, (_, path) in outputs.items()}
        try:
            function(**paths, **(parameters or {}))
        except Exception as error:
            self._fail(execution, error)
            raise
        return self._end(execution, outputs)

    def _begin(
        self,
        kind: str,
        function: Callable[..., None],
        inputs: dict[str, Artifact],
        parameters: dict[str, Any],
    ) -> Execution:
        """Record that a step is running, and what it reads."""
        code = {"code_sha256": code_digest(function), "git_commit": self._commit}
        execution = Execution(
            type=kind,
            state=ExecutionState.RUNNING,
            properties={"parameters": parameters, "function": function.__name__, **code},
        )
        contexts = [self._pipeline, self._run]
        ids = self._store.record_execution(execution, inputs=dict(inputs), contexts=contexts)
        return replace(execution, id=ids.execution_id)

    def _end(
        self, execution: Execution, outputs: dict[str, tuple[str, Path]]
    ) -> dict[str, Artifact]:
        """Record that a step is complete, and what it wrote."""
        written = {name: describe(kind, path) for name, (kind, path) in outputs.items()}
        done = replace(execution, state=ExecutionState.COMPLETE)
        contexts = [self._pipeline, self._run]
        ids = self._store.record_execution(done, outputs=dict(written), contexts=contexts)
        return dict(zip(written, self._store.get_artifacts(ids.output_ids), strict=True))

    def _fail(self, execution: Execution, error: Exception) -> None:
        why = {"error": f"{type(error).__name__}: {error}"}
        failed = replace(execution, state=ExecutionState.FAILED, custom_properties=why)
        self._store.put_execution(failed)


def put_types(store: LineageStore) -> None:
    """Declare the types of the nodes; a second time changes nothing."""
    for name, base in ARTIFACT_TYPES.items():
        properties = {"sha256": str, "bytes": int}
        store.put_artifact_type(ArtifactType(name=name, base_type=base, properties=properties))
    for name, base in STEP_TYPES.items():
        properties = {"parameters": dict, "function": str, "code_sha256": str, "git_commit": str}
        store.put_execution_type(ExecutionType(name=name, base_type=base, properties=properties))
    for name in ("Pipeline", "Run"):
        store.put_context_type(ContextType(name=name))


def describe(kind: str, path: Path) -> Artifact:
    """Return the artifact for a file that a step wrote."""
    return Artifact(
        type=kind,
        name=f"{path.parent.name}/{path.name}",
        uri=str(path),
        state=ArtifactState.LIVE,
        properties={"sha256": file_digest(path), "bytes": path.stat().st_size},
        custom_properties=json.loads(path.read_text()) if path.suffix == ".json" else {},
    )


def check_unchanged(artifact: Artifact) -> None:
    """Raise ValueError if a file is not what was recorded of it."""
    if file_digest(Path(str(artifact.uri))) != artifact.properties["sha256"]:
        raise ValueError(f"{artifact.uri} changed since it was recorded")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest(function: Callable[..., None]) -> str:
    """Return the SHA-256 of the source of a function, in hexadecimal."""
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()


def git_commit() -> str:
    """Return the commit that is checked out here, or "unknown"."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(  # noqa: S603 - no argument comes from outside
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
