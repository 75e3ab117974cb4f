"""The parts of Airflow that its hook relies on.

Attributes whose objects the hook only hands on to Airflow are `object`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, Self, TypedDict


class Dag(Protocol):
    """The DAG that a task is in, as it was written."""

    def get_task(self, task_id: str) -> "Task":
        """Return a task, unrendered."""


class Task(Protocol):
    """An operator, or a mapped one."""

    task_id: str
    dag: Dag
    inlets: "Iterable[Asset] | None"
    outlets: "Iterable[Asset] | None"
    template_fields: Iterable[str]
    downstream_list: "Iterable[Task]"
    upstream_task_ids: Iterable[str]
    do_xcom_push: bool
    is_setup: bool
    is_teardown: bool
    python_callable: Callable[..., object]

    def prepare_for_execution(self) -> Self:
        """Return a copy to run."""

    def render_template_fields(self, context: "TemplateContext") -> None:
        """Fill the templates in its fields."""

    def iter_mapped_dependants(self) -> Iterator[object]:
        """Return the tasks that are mapped over its output."""

    def get_closest_mapped_task_group(self) -> object:
        """Return the mapped group that it is in, or None."""


class Asset(Protocol):
    """An asset in `inlets` or `outlets`; an alias of assets has no `uri`."""

    name: str


class _AssetKey(Protocol):
    name: str
    uri: str


class _AliasEvent(Protocol):
    dest_asset_key: _AssetKey
    extra: Mapping[str, object] | None


class OutletEvent(Protocol):
    """The event that a task is about to report of an outlet."""

    extra: Mapping[str, object] | None
    asset_alias_events: Iterable[_AliasEvent]


class _AssetEvent(Protocol):
    source_dag_id: str
    source_run_id: str
    source_task_id: str | None
    source_map_index: int | None


class InletEvents(Protocol):
    """`InletEventsAccessor`: the events of an asset so far."""

    def ascending(self, *, ascending: bool) -> Self:
        """Return the same in another order."""

    def limit(self, limit: int) -> Iterable[_AssetEvent]:
        """Return the first events."""


class CollectedAsset(Protocol):
    """`AssetLineageInfo`: an asset that hooks of Airflow read or wrote."""

    asset: _AssetKey
    count: int


class _StateOfRow(Protocol):
    session: "Session | None"


class DagRun(Protocol):
    """`DagRun`: a row in the scheduler, and a part of the context in the process of a task."""

    dag_id: str
    run_id: str
    run_type: object
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    conf: Mapping[str, object] | None
    _sa_instance_state: _StateOfRow

    def get_task_instances(self, state: Iterable[str], session: object) -> "Sequence[TaskInstance]":
        """Return the task instances of the run that are in one of some states."""


class TemplateContext(TypedDict):
    """The context of a task; it has many other keys."""

    dag_run: DagRun
    inlet_events: Mapping[Asset, InletEvents]
    outlet_events: Mapping[Asset, OutletEvent]


class TaskInstance(Protocol):
    """`RuntimeTaskInstance` in the process of a task; a row of the database elsewhere."""

    id: object
    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None
    try_number: int | None
    state: object
    start_date: datetime | None
    end_date: datetime | None
    task: Task
    _cached_template_context: object

    def get_template_context(self) -> TemplateContext:
        """Return the context."""

    def model_copy(self, *, update: Mapping[str, object]) -> Self:
        """Return a copy with other fields."""

    def xcom_pull(
        self,
        task_ids: str | Sequence[str] | None = None,
        dag_id: str | None = None,
        key: str = "return_value",
        **options: object,
    ) -> Any:  # noqa: ANN401 - any value, and its reader knows which
        """Return an XCom, or those of several tasks."""

    def xcom_push(self, key: str, value: object) -> None:
        """Push an XCom."""


class Session(Protocol):
    """A session of SQLAlchemy."""

    def scalars(self, query: object) -> Iterable[object]:
        """Return the first column of the rows."""
