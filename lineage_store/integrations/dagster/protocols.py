"""The parts of Dagster that its hook relies on.

They are internal to Dagster, but for `AssetKey` and the IO managers. Attributes whose objects the
hook only hands on to Dagster are `object`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol


class AssetKey(Protocol):
    """`dagster.AssetKey`."""

    def to_user_string(self) -> str:
        """Return its parts with slashes between them."""


class Error(Protocol):
    """`SerializableErrorInfo`: an error as it goes from one process to another."""

    cause: "Error | None"
    cls_name: str | None
    message: str


class _ErrorData(Protocol):
    error: Error | None


class Materialization(Protocol):
    """`AssetMaterialization`, or `AssetObservation`."""

    asset_key: AssetKey
    partition: str | None
    tags: Mapping[str, str] | None
    metadata: Mapping[str, object] | None


class _MaterializationData(Protocol):
    materialization: Materialization


class _ObservationData(Protocol):
    asset_observation: Materialization


class _CheckEvaluation(Protocol):
    check_name: str
    passed: bool


class _HandledOutput(Protocol):
    output_name: str
    metadata: Mapping[str, object]


class NodeHandle(Protocol):
    """`NodeHandle`: the place of an op in the graphs; its text is the path with dots."""

    path: Sequence[str]


class _StepHandle(Protocol):
    node_handle: NodeHandle

    def to_key(self) -> str: ...


class Event(Protocol):
    """`DagsterEvent`.

    Of its data, an event has those of its type; the specific ones here are of HANDLED_OUTPUT.
    """

    event_type_value: str
    message: str | None
    event_specific_data: _HandledOutput
    step_handle: _StepHandle
    step_retry_data: _ErrorData
    step_failure_data: _ErrorData
    step_materialization_data: _MaterializationData
    asset_observation_data: _ObservationData
    asset_check_evaluation_data: _CheckEvaluation


class LogEntry(Protocol):
    """`EventLogEntry`."""

    run_id: str
    step_key: str | None
    timestamp: float
    dagster_event: Event


class _MaterializationEntry(Protocol):
    partition_key: str | None
    asset_materialization: Materialization


class _Page(Protocol):
    records: Sequence[_MaterializationEntry]


class Instance(Protocol):
    """`dagster.DagsterInstance`."""

    root_directory: str

    def get_run_by_id(self, run_id: str) -> "DagsterRun | None":
        """Return a run."""

    def all_logs(self, run_id: str, of_type: object) -> Iterable[LogEntry]:
        """Return the events of a run that have a type."""

    def get_latest_materialization_event(self, asset_key: AssetKey) -> _MaterializationEntry | None:
        """Return the last materialization of an asset."""

    def fetch_materializations(self, records_filter: object, limit: int) -> _Page:
        """Return the last materializations that a filter lets through."""


class _RepositoryOrigin(Protocol):
    code_pointer: object


class _JobOrigin(Protocol):
    repository_origin: _RepositoryOrigin


class DagsterRun(Protocol):
    """`dagster.DagsterRun`."""

    run_id: str
    job_name: str
    parent_run_id: str | None
    tags: Mapping[str, str]
    run_config: Mapping[str, object]
    asset_selection: Iterable[AssetKey] | None
    job_code_origin: _JobOrigin | None


class _StepInput(Protocol):
    name: str
    dependency_keys: Iterable[str]


class ExecutionStep(Protocol):
    """`ExecutionStep`; a mapped one has a handle with `mapping_key`."""

    key: str
    handle: object
    node_handle: NodeHandle
    step_inputs: Sequence[_StepInput]


class OutputHandle(Protocol):
    """`StepOutputHandle`."""

    step_key: str
    output_name: str
    mapping_key: str | None


class Output(Protocol):
    """`dagster.Output`."""

    value: object
    metadata: Mapping[str, object] | None


class _AssetNode(Protocol):
    code_version: str | None
    metadata: Mapping[str, object]


class _AssetLayer(Protocol):
    def has(self, key: AssetKey) -> bool: ...

    def get(self, key: AssetKey) -> _AssetNode: ...

    def get_asset_key_for_node_input(self, handle: NodeHandle, name: str) -> AssetKey | None: ...

    def get_asset_key_for_node_output(self, handle: NodeHandle, name: str) -> AssetKey | None: ...


class _Job(Protocol):
    asset_layer: _AssetLayer
    run_config: Mapping[str, object] | None


class _DagsterType(Protocol):
    is_nothing: bool


class _InputDefinition(Protocol):
    dagster_type: _DagsterType


class _Op(Protocol):
    compute_fn: Callable[..., object]

    def input_def_named(self, name: str) -> _InputDefinition: ...


class _RetryState(Protocol):
    def get_attempt_count(self, key: str) -> int: ...


class KnownState(Protocol):
    """`KnownExecutionState`: the mappings and retries of a run so far."""

    dynamic_mappings: Mapping[str, Mapping[str, Sequence[str] | None]]

    def get_retry_state(self) -> _RetryState:
        """Return the attempts at its steps."""


class _PartitionsSubset(Protocol):
    def get_partition_keys(self) -> Iterable[str]: ...


class StepContext(Protocol):
    """`StepExecutionContext`."""

    run_id: str
    step: ExecutionStep
    dagster_run: DagsterRun
    instance: Instance
    job_def: _Job
    op_def: _Op
    op_config: object
    previous_attempt_count: int
    has_partition_key: bool
    partition_key: str
    step_exception: BaseException | None

    def get_known_state(self) -> KnownState:
        """Return the state of the run."""

    def get_output_asset_keys(self) -> Iterable[AssetKey]:
        """Return the assets that the step makes."""

    def has_asset_partitions_for_input(self, name: str) -> bool:
        """Return whether an input is an asset with partitions."""

    def asset_partitions_subset_for_input(
        self, name: str, *, require_valid_partitions: bool
    ) -> _PartitionsSubset:
        """Return the partitions of an asset that an input stands for."""


class UpstreamOutput(Protocol):
    """`dagster.OutputContext`, of the output that an input is."""

    run_id: str
    step_key: str
    name: str
    mapping_key: str | None


class InputContext(Protocol):
    """`dagster.InputContext`."""

    name: str
    has_asset_key: bool
    asset_key: AssetKey
    has_asset_partitions: bool
    asset_partition_keys: Iterable[str]
    upstream_output: UpstreamOutput | None
    definition_metadata: Mapping[str, object] | None
    step_context: StepContext
