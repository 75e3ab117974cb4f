"""Artifacts and parameters of kfp, and why a task failed, in the words of a store."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeGuard
from urllib.parse import urlsplit

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import uri_artifact
from lineage_store.integrations.kfp.protocols import (
    Component,
    KfpArtifact,
    ParameterSpec,
    TaskSpec,
)
from lineage_store.recording.outcomes import Failure

_TIME = re.compile(r"-\d{4}(-\d{2}){5}-\d{6}$")
_ITERATION = re.compile(r"-iteration-(\d+)$")
_ERROR = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning)\b)(?:: (.*))?$")

CHANNEL = "pipelinechannel--"


def pipeline_name(resource: str) -> str:
    """Return the name of a pipeline, of which kfp made the name of a run."""
    return _TIME.sub("", resource.partition("/")[0])


def iteration(resource: str) -> int:
    """Return the iteration of the loop that a DAG belongs to, 0 if to none."""
    match = _ITERATION.search(resource)
    return int(match[1]) if match else 0


def is_artifact(value: object) -> TypeGuard[KfpArtifact | list[KfpArtifact]]:
    """Return whether a value is an artifact of kfp, or a list of them."""
    if isinstance(value, list):
        return bool(value) and all(map(is_artifact, value))
    return hasattr(value, "schema_title") and hasattr(value, "uri")


def artifacts_of(value: KfpArtifact | list[KfpArtifact], run_id: str) -> list[Artifact]:
    """Return an artifact of kfp, or a list of them, as artifacts of a store."""
    return [_artifact(one, run_id) for one in (value if isinstance(value, list) else [value])]


def _artifact(value: KfpArtifact, run_id: str) -> Artifact:
    uri = value.uri or ""
    if not urlsplit(uri).scheme:
        uri = str(Path(uri).absolute())
    metadata = {f"metadata.{name}": plain(item) for name, item in value.metadata.items()}
    return uri_artifact(
        uri, run_id, properties={"schema_title": value.schema_title, "name": value.name, **metadata}
    )


def plain(value: object) -> object:
    """Return a value if JSON can hold it, else its text."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return str(value)
    return value


def parameters_of(component: Component, arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a task, with the defaults of its component.

    A value for an integer parameter becomes a whole number, as in kfp.
    """
    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415

    parameters: dict[str, object] = {}
    for name, spec in component.input_definitions.parameters.items():
        if name in arguments:
            value = arguments[name]
        elif spec.HasField("default_value"):
            value = MessageToDict(spec.default_value)
        else:
            continue
        if isinstance(value, float | int) and _is_integer(spec):
            parameters[name] = int(value)
        else:
            parameters[name] = plain(value)
    return parameters


def _is_integer(spec: ParameterSpec) -> bool:
    kinds = spec.DESCRIPTOR.fields_by_name["parameter_type"].enum_type.values_by_name
    return bool(spec.parameter_type == kinds["NUMBER_INTEGER"].number)


def channels_of(task_spec: TaskSpec) -> dict[str, str]:
    """Return, by parameter, kfp's name of the task output that it may be."""
    channels = {}
    for name, spec in task_spec.inputs.parameters.items():
        output = spec.task_output_parameter
        if output.producer_task:
            channels[name] = channel(output.producer_task, output.output_parameter_key)
        elif spec.component_input_parameter.startswith(CHANNEL):
            channels[name] = spec.component_input_parameter
    return channels


def channel(task: str, output: str) -> str:
    """Return kfp's name of a task's output within DAGs that take it as a parameter."""
    return f"{CHANNEL}{task}-{output}"


def reason_of(printed: Iterable[str]) -> Failure:
    """Return the error of a failed task, by the last lines that it printed."""
    lines = [line.strip() for line in printed if line.strip()]
    for line in reversed(lines):
        if match := _ERROR.match(line):
            return Failure(match[1], match[2] or "")
    return Failure("kfp.TaskFailed", "\n".join(lines))
