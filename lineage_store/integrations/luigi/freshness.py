"""Decides whether a task of Luigi that has its outputs is stale.

Luigi takes a task for complete if its outputs exist, even if its inputs have changed since. With
LINEAGE_STORE_CACHE, while tasks are added and before any runs, the hook asks the store as well:

- a task that it requires is not complete: neither is the task;
- the store has its key, and its files are those published under it: it is complete, a hit;
- the store has its files, but they were made from something else: it runs again;
- its key can't be made, since something has no fingerprint: it runs again;
- the store does not have its files: Luigi's word counts;
- the store is away: Luigi's word counts as well, and the step says NO_DECISION.
"""

from collections.abc import Callable

from luigi.task import flatten

from lineage_store.client.cache_answers import Hit
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.integrations.hook import Hook, wants_refresh
from lineage_store.integrations.luigi.protocols import Task
from lineage_store.integrations.luigi.targets import are_local, outputs_of
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step


class Freshness:
    """Answers for the tasks of one run.

    Attributes:
        undecided: Tasks that the store was asked about without an answer.

    Args:
        hook: Asks the store.
        run: Which run.
        make_step: Returns the step of a task.
    """

    def __init__(self, hook: Hook, run: Run, make_step: Callable[[Task], Step]) -> None:
        self._hook = hook
        self._run = run
        self._make_step = make_step
        self._staleness: dict[str, bool] = {}
        self._hits: dict[str, Step] = {}
        self.undecided: set[str] = set()

    def is_stale(self, task: Task) -> bool:
        """Return whether a task that has its outputs is to run again."""
        if task.task_id not in self._staleness:
            self._staleness[task.task_id] = self._is_stale(task)
        return self._staleness[task.task_id]

    def record_hit(self, task: Task) -> bool:
        """Record the step of a task that is a hit; return whether it is one."""
        step = self._hits.pop(task.task_id, None)
        if step is None:
            return False
        step.begin()
        if step.hit is not None:
            step.end()
        else:  # it is gone since it was asked for
            for name, artifact in outputs_of(task, self._run.id):
                step.output(name, artifact)
            step.end(state=ExecutionState.CACHED)
        return True

    def _is_stale(self, task: Task) -> bool:
        if wants_refresh():
            return self._say(task, "it was asked to run anew")
        for required in flatten(task.requires()):
            if not required.complete():
                return self._say(task, f"{required.task_id}, which it requires, has to run")
        return are_local(task) and self._is_other(task)

    def _is_other(self, task: Task) -> bool:
        """Return whether a task would write other content than its files have."""
        step = self._make_step(task)
        outputs = [artifact for _, artifact in outputs_of(task, self._run.id)]
        decision = step.peek()
        if isinstance(decision, Hit) and _same(decision, outputs):
            self._hits[task.task_id] = step
            return False
        if not self._are_recorded(task, outputs):
            return False
        if decision is None:
            return self._has_no_key(task, step)
        if isinstance(decision, Hit):
            return self._say(task, "its files differ from the outputs recorded for the same inputs")
        return self._say(task, f"its files were made from something else: {decision.reason}")

    def _has_no_key(self, task: Task, step: Step) -> bool:
        """Return whether there is no decision because the task has no key: then it runs."""
        why = step.why_uncached()
        if why is not None:
            return self._say(task, f"it is not cached: {why}")
        self.undecided.add(task.task_id)
        return False

    def _are_recorded(self, task: Task, outputs: list[Artifact]) -> bool:
        """Return whether the store knows all of these files, with the content that they have."""
        names = [artifact.external_id for artifact in outputs if artifact.external_id]
        stored_artifacts = self._hook.find_artifacts(names)
        if stored_artifacts is None:
            self.undecided.add(task.task_id)
            return False
        return {artifact.external_id for artifact in stored_artifacts} >= set(names)

    def _say(self, task: Task, why: str) -> bool:
        warn_once(f"{task.task_id} {why}", "%s runs again: %s", task.task_id, why)
        return True


def _same(hit: Hit, outputs: list[Artifact]) -> bool:
    """Return whether the outputs of a hit are these files, at these places with this content."""
    cached = {artifact.external_id for several in hit.outputs.values() for artifact in several}
    return cached == {artifact.external_id for artifact in outputs}
