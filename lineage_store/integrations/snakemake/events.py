"""Runs and jobs of Snakemake, as runs and steps.

| Snakemake | recorded |
| --- | --- |
| a Snakefile, by its directory, and its name if that is not the usual one | pipeline |
| an invocation that executes jobs | a run; its id is that of the workflow in Snakemake's log |
| a job | a step; its name is the rule, its key has the wildcards |
| a restart of a job | an attempt |
| wildcards and `params` | parameters |
| `input` and `output` | inputs and outputs, by the names in the rule |
| a job that is up to date, whose files are used or asked for | a CACHED step |
| a job of a rule that only asks for files, such as `all` | no step |

A dry run and `--touch` are no runs.
"""

import os
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lineage_store.entities import ExecutionState
from lineage_store.integrations.hook import Hook
from lineage_store.integrations.snakemake.files import Files, code_of, parameters
from lineage_store.integrations.snakemake.notes import (
    NOTES,
    cause_of,
    is_told_elsewhere,
    job_name,
    take_notes,
)
from lineage_store.integrations.snakemake.protocols import Dag, Job, Workflow
from lineage_store.integrations.tools import Tool
from lineage_store.recording.naming import CACHE_DECISION
from lineage_store.recording.outcomes import ErrorLike, Failure, now_ms
from lineage_store.recording.runs import Run, new_run_id
from lineage_store.recording.steps import Step
from lineage_store.recording.values import MAX_TEXT

UNKNOWN = Failure("snakemake.JobError", "the job failed; its log may say why")
"""The error of a job that failed elsewhere, and left no note."""

_USUAL = {"Snakefile", "snakefile"}


@dataclass
class _Job:
    """A job that runs.

    Attributes:
        step: Its step.
        error: Its latest error.
        ended_at: The time at which it had run, in ms since the epoch; None: it runs, or elsewhere.
        state: Its last state, if nothing goes wrong.
    """

    step: Step
    error: ErrorLike | None = None
    ended_at: int | None = None
    state: ExecutionState | None = None


@dataclass
class _Current:
    """A run, and the jobs that run in it.

    Attributes:
        run: The run.
        files: Of its jobs.
        notes: The directory in which other processes leave notes.
        started_at: When it began, in ms since the epoch.
        jobs: Those that run, by name.
        failures: How often each failed so far.
    """

    run: Run
    files: Files
    notes: Path
    started_at: int
    jobs: dict[str, _Job] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)


class SnakemakeEvents(Hook):
    """Records Snakemake's jobs, whose events come in their own threads."""

    def __init__(self, tool: Tool, url: str) -> None:
        super().__init__(tool, url)
        self._runs: dict[int, _Current] = {}
        self._lock = threading.Lock()

    def run_started(self, workflow: Workflow, workflow_id: str | None = None) -> None:
        """Begin the run of a workflow."""
        with self._lock:
            if id(workflow) not in self._runs:
                self._runs[id(workflow)] = self._begin_run(workflow, workflow_id)

    def _begin_run(self, workflow: Workflow, workflow_id: str | None) -> _Current:
        name = pipeline_name(str(workflow.main_snakefile))
        run_id = f"{name}@{workflow_id}" if workflow_id else new_run_id(name)
        run = self.run(name, pipeline=name, run_id=run_id, properties=_run_properties(workflow))
        notes = Path(tempfile.mkdtemp(prefix="lineage-store-snakemake-"))
        os.environ[NOTES] = str(notes)
        started_at = now_ms()
        run.begin(at=started_at)
        return _Current(run, Files(Path.cwd(), run.id), notes, started_at)

    def run_ended(self, workflow: Workflow, error: BaseException | None) -> None:
        """End the run and the jobs that still ran: Ctrl-C does not wait for them."""
        current = self._current(workflow)
        del self._runs[id(workflow)]
        os.environ.pop(NOTES, None)
        shutil.rmtree(current.notes, ignore_errors=True)
        run_error, state = _outcome(workflow, error)
        for active_job in current.jobs.values():
            active_job.step.end(run_error, state=ExecutionState.CANCELED)
        if workflow.dag is not None:
            for job in _current_jobs(workflow.dag):
                self._record_known(current, job)
        self.end_run(current.run, run_error, state=state)

    def _current(self, workflow: Workflow) -> _Current:
        """Return the run of a workflow, which is begun now if Snakemake did not tell its start."""
        if id(workflow) not in self._runs:
            self.run_started(workflow)
        return self._runs[id(workflow)]

    def job_started(self, job: Job, external_id: str | None = None) -> None:
        """Begin a step, unless its rule only asks for files."""
        if job.is_norun and not job.output:
            return
        current = self._current(job.dag.workflow)
        step = _step(current, job, external_id)
        step.begin()
        current.jobs[job_name(job)] = _Job(step)

    def job_ran(self, job: Job, *, is_cached: bool) -> None:
        """Note the time at which a job had run, and hash its outputs while others go on."""
        current, active_job = self._active_job(job)
        if active_job is None:
            return
        active_job.ended_at = now_ms()
        active_job.state = ExecutionState.CACHED if is_cached else None
        current.files.hash_early(job.output)

    def job_erred(self, job: Job, error: BaseException) -> None:
        """Note the error of a job; Snakemake reports its failure later."""
        _, active_job = self._active_job(job)
        if active_job is None or active_job.error is not None:
            return
        active_job.ended_at = active_job.ended_at or now_ms()
        active_job.error = None if is_told_elsewhere(error) else cause_of(error)

    def job_ended(self, job: Job, *, has_failed: bool) -> None:
        """End a step, with its outputs, and the attempts before it that another process made."""
        current, active_job = self._active_job(job)
        if active_job is None:
            return
        step = self._end_noted(current, active_job, job, has_failed=has_failed)
        del current.jobs[job_name(job)]
        if has_failed:
            current.files.forget(job.output)
        elif step is not None:
            self._record_outputs(current, step, job)
            step.end(state=active_job.state, at=active_job.ended_at)

    def _end_noted(
        self, current: _Current, active_job: _Job, job: Job, *, has_failed: bool
    ) -> Step | None:
        """End the attempts that failed; return the one that did not."""
        notes = take_notes(current.notes, job)
        attempt_errors: list[tuple[ErrorLike, int | None]] = [
            (Failure(note.kind, note.message), note.ended_at) for note in notes
        ]
        if has_failed and (active_job.error is not None or not notes):
            attempt_errors.append((active_job.error or UNKNOWN, active_job.ended_at))
        step = active_job.step
        for at, (error, ended_at) in enumerate(attempt_errors):
            step.end(error, state=ExecutionState.FAILED, at=ended_at)
            current.failures[job_name(job)] += 1
            if has_failed and at == len(attempt_errors) - 1:
                return None
            step = _step(current, job, None)
            step.begin(at=notes[at + 1].began_at if at + 1 < len(notes) else ended_at)
        return step

    def _active_job(self, job: Job) -> tuple[_Current, _Job | None]:
        current = self._current(job.dag.workflow)
        return current, current.jobs.get(job_name(job))

    def _record_outputs(self, current: _Current, step: Step, job: Job) -> None:
        for name, artifact in current.files.outputs(job):
            step.output(name, artifact)

    def _record_known(self, current: _Current, job: Job) -> None:
        """Record a job that need not run, and was found so when the run began."""
        why = {CACHE_DECISION: "UP_TO_DATE: nothing that it depends on has changed"}
        step = current.run.step(
            job.rule.name,
            id=job_name(job),
            index=0,
            params=dict(job.wildcards_dict),
            properties=why,
        )
        step.begin(at=current.started_at)
        self._record_outputs(current, step, job)
        step.end(state=ExecutionState.CACHED, at=current.started_at)


def pipeline_name(snakefile: str) -> str:
    """Return the name of a workflow: its directory, and the file if that is not the usual one.

    That of ".../churn/workflow/Snakefile" and of ".../churn/Snakefile" is "churn", that of
    ".../churn/train.smk" is "churn.train", and that of a URL is the URL.
    """
    if "://" in snakefile:
        return snakefile
    path = Path(snakefile).absolute()
    directory = path.parent.parent if path.parent.name == "workflow" else path.parent
    return directory.name if path.name in _USUAL else f"{directory.name}.{path.stem}"


def _run_properties(workflow: Workflow) -> dict[str, object]:
    """Return the properties of a run."""
    properties: dict[str, object] = {
        "snakefile": str(workflow.main_snakefile),
        "command_line": " ".join(sys.argv),
    }
    config = workflow.globals.get("config")
    if isinstance(config, Mapping) and config and len(repr(config)) <= MAX_TEXT:
        properties["config"] = dict(config)
    return properties


def _step(current: _Current, job: Job, external_id: str | None) -> Step:
    """Return the next attempt at a job; failures in another process count as well."""
    return current.run.step(
        job.rule.name,
        id=job_name(job),
        index=0,
        attempt=1 + current.failures[job_name(job)],
        inputs=current.files.inputs(job),
        params=parameters(job),
        code=code_of(job),
        properties=_properties(job, external_id),
    )


def _properties(job: Job, external_id: str | None) -> dict[str, object]:
    """Return the other properties of a step."""
    properties = {
        "shellcmd": job.shellcmd,
        "log.files": ", ".join(job.log),
        "log.reason": str(job.dag.reason(job)),
        "threads": job.threads if job.threads != 1 else None,
        "external_job_id": external_id,
    }
    return {name: value for name, value in properties.items() if value not in (None, "")}


def _outcome(
    workflow: Workflow, error: BaseException | None
) -> tuple[ErrorLike | None, ExecutionState | None]:
    """Return the error and the state of a run; an interrupted one has no job that failed."""
    scheduler = workflow.scheduler
    if error is None or scheduler is None:
        return error, None
    failed = sorted({job.name for job in getattr(scheduler, "failed", ())})
    if failed:
        return Failure("snakemake.WorkflowError", f"{error} Failed: {', '.join(failed)}"), None
    is_interrupted = not scheduler._errors and not scheduler._executor_error  # noqa: SLF001
    return error, ExecutionState.CANCELED if is_interrupted else None


def _current_jobs(dag: Dag) -> Iterator[Job]:
    """Yield the jobs that need not run, and whose files were asked for or used in the run."""
    visited: set[Job] = set()
    pending = list(dag.targetjobs)
    while pending:
        job = pending.pop()
        if job in visited:
            continue
        visited.add(job)
        if job.is_norun or dag.needrun(job):
            pending += dag.dependencies.get(job, ())
        else:
            yield job
