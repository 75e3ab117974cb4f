"""The parts of kfp that its hook relies on: messages of pipelines, and artifacts."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from google.protobuf.message import Message


class KfpArtifact(Protocol):
    """`kfp.dsl.Artifact`."""

    name: str
    uri: str
    schema_title: str
    metadata: Mapping[str, object]


class _EnumValue(Protocol):
    number: int


class _EnumType(Protocol):
    values_by_name: Mapping[str, _EnumValue]


class _Field(Protocol):
    enum_type: _EnumType


class _Descriptor(Protocol):
    fields_by_name: Mapping[str, _Field]


class ParameterSpec(Protocol):
    """`ComponentInputsSpec.ParameterSpec`."""

    DESCRIPTOR: _Descriptor
    parameter_type: int
    default_value: Message

    def HasField(self, field_name: str) -> bool:  # noqa: N802 - the name in protobuf
        """Return whether a field is set."""


class _InputDefinitions(Protocol):
    parameters: Mapping[str, ParameterSpec]
    artifacts: Iterable[str]


class Component(Protocol):
    """`ComponentSpec`."""

    input_definitions: _InputDefinitions
    executor_label: str


class Container(Protocol):
    """`PipelineContainerSpec`."""

    image: str
    command: Iterable[str]
    args: Iterable[str]


class Executor(Protocol):
    """`PipelineDeploymentConfig.ExecutorSpec`."""

    container: Container

    def WhichOneof(self, oneof_group: str) -> str | None:  # noqa: N802 - the name in protobuf
        """Return the field that is set."""


class _TaskOutputParameter(Protocol):
    producer_task: str
    output_parameter_key: str


class _InputParameterSpec(Protocol):
    task_output_parameter: _TaskOutputParameter
    component_input_parameter: str


class _TaskInputs(Protocol):
    parameters: Mapping[str, _InputParameterSpec]


class TaskSpec(Protocol):
    """`PipelineTaskSpec`."""

    inputs: _TaskInputs


class _Status(Protocol):
    name: str


Result = tuple[Mapping[str, object], _Status]
"""The outputs of a task or DAG, and its status."""
