"""The hook of Airflow, which loads it through the entry point group `airflow.plugins`."""

from typing import Any

from airflow.plugins_manager import AirflowPlugin
from pluggy import HookimplMarker

from lineage_store.integrations.switch import Switch

record = Switch("airflow")

_hookimpl = HookimplMarker("airflow")


class Listener:
    """Hands what Airflow tells of its runs and tasks to `AirflowEvents`."""

    @_hookimpl
    def on_dag_run_running(self, dag_run: Any) -> None:
        """Begin a run; told in the scheduler."""
        record("run_started", dag_run)

    @_hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:
        """End a run that went well; told in the scheduler, or in the API server if set by hand."""
        record("run_ended", dag_run, None)

    @_hookimpl
    def on_dag_run_failed(self, dag_run: Any, msg: str) -> None:
        """End a run that failed; told in the scheduler, or in the API server if set by hand."""
        record("run_ended", dag_run, msg)

    @_hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        """Begin a step; told in the process of the task."""
        record("task_started", task_instance)

    @_hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        """End a step that went well; told in the process of the task, or as below."""
        record("task_succeeded", previous_state, task_instance)

    @_hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        """End a step that failed.

        Told in the process of the task, in the scheduler if that was lost, or in the API server if
        the state was set by hand.
        """
        record("task_failed", previous_state, task_instance, error)

    @_hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        """End a step that skipped itself, or was set so by hand."""
        record("task_skipped", previous_state, task_instance)

    @_hookimpl
    def before_stopping(self) -> None:
        """Send what is recorded: the process of a task ends without the functions of `atexit`."""
        record("stopping")


def _readers() -> list[Any]:
    """Return what makes Airflow's hooks tell what they read and write: nobody listens unless so."""
    if not record.is_on:
        return []
    from airflow.sdk.lineage import HookLineageReader  # noqa: PLC0415 - costs what it costs

    return [HookLineageReader]


class LineagePlugin(AirflowPlugin):
    """What Airflow registers."""

    name = "lineage_store"
    listeners = [Listener()] if record.fits() else []
    hook_lineage_readers = _readers()


# The scheduler loads plugins before it forks its workers, and these fork the process of each task
record.preload()
