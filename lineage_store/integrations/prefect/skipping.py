"""Decides whether a Prefect task can be skipped because Prefect still has its result.

Prefect looks in its result storage for a record under the key of the task; if there is one, the
task does not run and returns the record. With Prefect's default policy, a task has another key in
each run. A hit gives it the key of the record of the original run, so Prefect itself does the rest.
Any other policy is left alone.
"""

from collections.abc import Iterable, Mapping, Sequence

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import each_of, unhashed_reason
from lineage_store.integrations.prefect.protocols import Task
from lineage_store.recording.steps import Step

RESULT_KEY = "result_storage_key"
"""The name, among the results of a step, of the key in Prefect's result storage."""

_PERSIST = "PREFECT_RESULTS_PERSIST_BY_DEFAULT"


def why_not(
    task: Task, code: str | None, inputs: Mapping[str, Sequence[Artifact]], *, is_forked: bool
) -> str | None:
    """Return the reason why a task can't be skipped, whatever its inputs; None: it can.

    To be asked in the context of its run.

    Args:
        task: The task.
        code: The digest of its code.
        inputs: Its inputs.
        is_forked: True in a forked worker.
    """
    from prefect.cache_policies import DEFAULT  # noqa: PLC0415 - where Prefect runs
    from prefect.results import should_persist_result  # noqa: PLC0415

    reasons = {
        "it yields its results one by one": task.isgenerator,
        f"its result is not persisted: set {_PERSIST}=true": not should_persist_result(),
        "it has a cache policy of its own": task.cache_policy is not DEFAULT,
        "it makes assets, which can't be looked at": getattr(task, "assets", None),
        "it is to refresh its cache": _refreshes(task),
        "a forked worker does not talk to the store": is_forked,
        "its code can't be read": code is None,
    }
    obstacle = next((reason for reason, is_so in reasons.items() if is_so), None)
    return obstacle or unhashed_reason("its input", each_of(inputs))


def _refreshes(task: Task) -> bool:
    from prefect.settings import PREFECT_TASKS_REFRESH_CACHE  # noqa: PLC0415

    if task.refresh_cache is not None:
        return bool(task.refresh_cache)
    return bool(PREFECT_TASKS_REFRESH_CACHE.value())


def read_result(key: str) -> object:
    """Return the stored result of a task by the key of its record, in the context of its run.

    Raises:
        Exception: Prefect has no such record any more, or can't read it.
    """
    from prefect.results import get_result_store  # noqa: PLC0415 - where Prefect runs

    store = get_result_store()
    if not store.exists(key):
        raise FileNotFoundError(f"Prefect has no result {key} in its storage any more")
    result: object = store.read(key).result
    return result


def same_outputs(step: Step, artifacts: Iterable[tuple[str, Artifact]]) -> bool:
    """Return whether the outputs of a hit are the artifacts just made of its result."""
    cached = {a.external_id for several in step.outputs.values() for a in several}
    return cached == {artifact.external_id for _, artifact in artifacts}
