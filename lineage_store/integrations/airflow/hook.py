"""The hook of Airflow, which loads it through the entry point group `airflow.plugins`."""

from airflow.plugins_manager import AirflowPlugin
from pluggy import HookimplMarker

from lineage_store.integrations.switch import Switch

record = Switch("airflow")

_hookimpl = HookimplMarker("airflow")


class Listener:
    """Hands Airflow's events of runs and tasks to `AirflowEvents`."""

    @_hookimpl
    def on_dag_run_running(self, dag_run: object) -> None:
        """Begin a run; called in the scheduler."""
        record("run_started", dag_run)

    @_hookimpl
    def on_dag_run_success(self, dag_run: object) -> None:
        """End a run that went well; called in the scheduler, or as below."""
        record("run_ended", dag_run, None)

    @_hookimpl
    def on_dag_run_failed(self, dag_run: object, msg: str) -> None:
        """End a run that failed; called in the scheduler, or if set by hand in the API server."""
        record("run_ended", dag_run, msg)

    @_hookimpl
    def on_task_instance_running(self, task_instance: object) -> None:
        """Begin a step; called in the process of the task."""
        record("task_started", task_instance)

    @_hookimpl
    def on_task_instance_success(self, previous_state: object, task_instance: object) -> None:
        """End a step that went well; called in the process of the task, or as below."""
        record("task_succeeded", previous_state, task_instance)

    @_hookimpl
    def on_task_instance_failed(
        self, previous_state: object, task_instance: object, error: object
    ) -> None:
        """End a step that failed.

        Called in the process of the task, in the scheduler if that was lost, or in the API server
        if the state was set by hand.
        """
        record("task_failed", previous_state, task_instance, error)

    @_hookimpl
    def on_task_instance_skipped(self, previous_state: object, task_instance: object) -> None:
        """End a step that skipped itself, or was set so by hand."""
        record("task_skipped", previous_state, task_instance)

    @_hookimpl
    def before_stopping(self) -> None:
        """Send all records: the process of a task ends without the functions of `atexit`."""
        record("stopping")


def _readers() -> list[type]:
    """Return the readers without which Airflow's hooks do not report their reads and writes."""
    if not record.is_on:
        return []
    from airflow.sdk.lineage import HookLineageReader  # noqa: PLC0415 - costs what it costs

    return [HookLineageReader]


class LineagePlugin(AirflowPlugin):
    """The plugin that Airflow registers."""

    name = "lineage_store"
    listeners = [Listener()] if record.fits() else []
    hook_lineage_readers = _readers()


# The scheduler loads plugins before it forks its workers, and these fork the process of each task
record.preload()
