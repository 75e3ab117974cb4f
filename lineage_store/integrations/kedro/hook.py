"""The hook of Kedro, which loads it through the entry point group `kedro.hooks`."""

import functools

from kedro.framework.hooks import hook_impl
from kedro.runner.task import Task  # its package may be half imported, see `Tool.after`

from lineage_store.integrations.kedro.protocols import RunnerTask
from lineage_store.integrations.switch import Switch

_record = Switch("kedro")


class KedroHooks:
    """Hands Kedro's events of runs and nodes to `KedroEvents`."""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, object]) -> None:
        """Begin a run."""
        _record("before_pipeline_run", run_params)

    @hook_impl
    def after_pipeline_run(self, run_params: dict[str, object]) -> None:
        """End a run that went well."""
        _record("after_pipeline_run", run_params, None)

    @hook_impl
    def on_pipeline_error(self, error: Exception, run_params: dict[str, object]) -> None:
        """End a run that failed."""
        _record("after_pipeline_run", run_params, error)

    @hook_impl
    def before_node_run(
        self, node: object, catalog: object, inputs: dict[str, object], run_id: str | None
    ) -> None:
        """Begin a step, with its inputs."""
        _record("before_node_run", node, catalog, inputs, run_id)

    @hook_impl
    def after_node_run(self, node: object, outputs: dict[str, object]) -> None:
        """Note the outputs of a step, which are not saved yet."""
        _record("after_node_run", node, outputs)

    @hook_impl
    def on_node_error(self, error: Exception) -> None:
        """End a step that failed."""
        _record("on_node_error", error)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: object) -> None:
        """Learn that an output is saved; with the last one the step ends."""
        _record("after_dataset_saved", dataset_name, data)


def _ask_before_each_node() -> None:
    """Have the store asked before a node runs whether it need not.

    No hook of Kedro can skip a node: this takes place where all runners, in whichever process, run
    one.
    """
    original = Task.execute

    @functools.wraps(original)
    def execute(task: RunnerTask) -> object:
        if _record("is_cached", task.node, task.catalog, task.run_id) is True:
            return task.node
        return original(task)

    Task.execute = execute


# Kedro refuses hooks with arguments that it does not know, and would end: those of another version
# of Kedro are none at all.
hooks: object = object()
"""The hooks that Kedro registers."""

if _record.fits():
    hooks = KedroHooks()
    _ask_before_each_node()
