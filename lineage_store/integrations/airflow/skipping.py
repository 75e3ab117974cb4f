"""Decides for `LineageCacheOperator` whether a task of Airflow can be skipped.

The decision is about the task as it would run next: rendered, and with the present XComs. The key
must cover everything that decides about its outputs: a task that uses the context of its run, or
that read inputs which it does not declare, is never skipped. The outputs of a hit have to be there:
files with their content, XComs in the run that really ran, and at any other uri nothing newer, by
the events of its asset.
"""

import inspect
from collections.abc import Mapping, Sequence

from lineage_store.client.cache_answers import Hit
from lineage_store.entities import Artifact
from lineage_store.integrations.airflow.protocols import DagRun, Session, Task, TaskInstance
from lineage_store.integrations.airflow.values import (
    arguments_of,
    is_lazy,
    last_maker,
    masked,
    xcom_artifact,
)
from lineage_store.integrations.artifacts import each_of, unhashed_reason
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.lookups import changed_output, local_path
from lineage_store.recording.runs import Run

DECISIONS = "lineage_store_decisions"
"""The key of the XCom with the operator's decision on each task behind it."""

HIT = "HIT: "
"""The beginning of the decision on a skipped task."""

_PLAIN = {"PythonOperator", "_PythonDecoratedOperator"}
"""The operators of which a function and its arguments are all there is to know."""


def planned(ti: TaskInstance, task: Task) -> TaskInstance:
    """Return a task as it would run next in the run of another, rendered.

    Args:
        ti: The task instance that runs.
        task: The task.
    """
    copy = task.prepare_for_execution()
    fields = {"task": copy, "task_id": task.task_id, "try_number": 1, "map_index": -1}
    other = ti.model_copy(update=fields)
    for name in ("xcom_pull", "xcom_push"):  # the wrappers that watch `ti` itself
        other.__dict__.pop(name, None)
    other._cached_template_context = None  # noqa: SLF001 - that of `ti`
    copy.render_template_fields(other.get_template_context())
    return other


def gate_of(task: Task) -> str | None:
    """Return the `LineageCacheOperator` right before a task, if there is one."""
    dag = task.dag
    for name in dag.get_task(task.task_id).upstream_task_ids:
        if getattr(dag.get_task(name), "is_lineage_cache", False):
            return str(name)
    return None


def why_no_plain_task(task: Task) -> str | None:
    """Return why a task as it was written can't be skipped; None: it can, so far."""
    # Airflow skips what is mapped over the output of a skipped task, whatever its trigger rule is
    reasons = {
        "others are mapped over its output": next(task.iter_mapped_dependants(), None),
        "it is mapped over values that are not known yet": getattr(task, "is_mapped", False)
        or task.get_closest_mapped_task_group() is not None,
        "it is no Python task: its code is not known": type(task).__name__ not in _PLAIN,
        "it sets something up or tears it down": task.is_setup or task.is_teardown,
    }
    return next((reason for reason, is_so in reasons.items() if is_so), None)


def why_not(
    ti: TaskInstance, code: str | None, inputs: Mapping[str, Sequence[Artifact]]
) -> str | None:
    """Return the reason why a task can't be skipped, whatever its inputs; None: it can.

    Args:
        ti: The task instance, rendered.
        code: The digest of its function.
        inputs: Its inputs.
    """
    source_task = ti.task.dag.get_task(ti.task.task_id)
    return (
        why_no_plain_task(source_task)
        or ("its code can't be read" if code is None else None)
        or _why_of_this_run(ti)
        or _why_secret(ti.task)
        or unhashed_reason("its input", each_of(inputs))
    )


def _why_of_this_run(ti: TaskInstance) -> str | None:
    """Return the part of its run's context that a task uses, which differs each time."""
    arguments = arguments_of(ti.task)
    context_names = {*ti.get_template_context(), "templates_dict"}
    for name, parameter in inspect.signature(ti.task.python_callable).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            return f"it is given the whole context of its run, by **{name}"
        if name in context_names and arguments.get(name) is None:
            return f"it is given {name} by the context of its run"
    return None


def _why_secret(task: Task) -> str | None:
    arguments = {name: value for name, value in arguments_of(task).items() if value is not None}
    shown = masked(arguments)
    hidden = sorted(name for name in arguments if repr(shown[name]) != repr(arguments[name]))
    return f"its argument {hidden[0]} is a secret, which is in no key" if hidden else None


def plain_arguments(task: Task) -> dict[str, object]:
    """Return the arguments of a task, with the outputs of mapped tasks as a list."""
    arguments = arguments_of(task)
    return {name: list(value) if is_lazy(value) else value for name, value in arguments.items()}


def take_over(hit: Hit, run: Run, ti: TaskInstance, task: Task) -> str | None:
    """Give a run the XComs of a hit; return the reason why the hit can't be used, or None.

    Args:
        hit: The cached outcome of the task.
        run: The run.
        ti: The task instance that runs.
        task: The task that is to be skipped.
    """
    before = str(hit.source.custom_properties.get("run_id")).removeprefix(f"{run.pipeline}@")
    xcoms: dict[str, object] = {}
    for _, artifact in each_of(hit.outputs):
        key = artifact.custom_properties.get("xcom_key")
        if key is not None:
            place = {"task_ids": task.task_id, "key": str(key), "run_id": before}
            value = xcoms[str(key)] = type(ti).xcom_pull(ti, **place, map_indexes=-1)
            current = xcom_artifact(run.pipeline, task.task_id, str(key), value, run.id)
            if current.external_id != artifact.external_id:
                return f"Airflow has its XCom {key} of the run {before} no more"
        elif local_path(artifact) is None:
            maker = last_maker(artifact.uri or "")
            if maker != artifact.custom_properties.get("version"):
                return f"{artifact.uri} was last written by {maker}"
    changed = changed_output(hit)
    if changed is None:
        _push(ti, task, xcoms)
    return changed


def _push(ti: TaskInstance, task: Task, xcoms: Mapping[str, object]) -> None:
    """Push XComs as a task would have pushed them."""
    from airflow.sdk.execution_time.xcom import XCom  # noqa: PLC0415 - in the process of a task

    for key, value in xcoms.items():
        XCom.set(key, value, dag_id=ti.dag_id, task_id=task.task_id, run_id=ti.run_id)


@never_raises("it began to run before it was known")
def decision_of(gate: str | None, ti: TaskInstance) -> str:
    """Return the reason why a task runs whose outcome is cached, from the operator before it."""
    decisions = type(ti).xcom_pull(ti, task_ids=gate, key=DECISIONS, map_indexes=-1) or {}
    decision = str(decisions.get(ti.task_id) or "the operator before it skipped nothing")
    return decision.removeprefix("REJECTED: ")


@never_raises(frozenset())
def cached_in(dag_run: DagRun, session: Session) -> frozenset[str]:
    """Return the tasks of a run that were skipped as cached; called in the scheduler."""
    from airflow.models.xcom import XComModel  # noqa: PLC0415 - when Airflow is set up

    place = {"run_id": dag_run.run_id, "dag_ids": dag_run.dag_id}
    rows = session.scalars(XComModel.get_many(key=DECISIONS, **place))
    all_decisions = [XComModel.deserialize_value(row) for row in rows]
    return frozenset(
        name
        for decisions in all_decisions
        for name, why in decisions.items()
        if why.startswith(HIT)
    )
