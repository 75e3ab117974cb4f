"""The parts of Snakemake that its hook relies on; most of them are internal to it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol


class _StorageObject(Protocol):
    query: object


class File(str):
    """`_IOFile`: the path of an input or an output; a class, since no protocol is a `str`."""

    is_storage: bool
    storage_object: _StorageObject


class NamedFiles(Protocol):
    """`InputFiles` or `OutputFiles`."""

    def __iter__(self) -> Iterator[File]: ...

    def __len__(self) -> int: ...

    def _allitems(self) -> Iterable[tuple[str | None, File | Iterable[File]]]: ...


class _Parameters(Protocol):
    def _allitems(self) -> Iterable[tuple[str | None, object]]: ...


class _Rule(Protocol):
    name: str
    shellcmd: object
    script: object
    notebook: object
    wrapper: object
    cwl: object
    basedir: object


class Job(Protocol):
    """`snakemake.jobs.Job`."""

    name: str
    rule: _Rule
    dag: "Dag"
    input: NamedFiles
    output: NamedFiles
    params: _Parameters
    wildcards: object
    wildcards_dict: Mapping[str, object]
    shellcmd: str | None
    log: Iterable[str]
    threads: int
    is_norun: bool
    is_local: bool

    def is_pipe_or_service_input(self, path: File) -> bool:
        """Return whether another job of the same group makes an input while this one runs."""


class Dag(Protocol):
    """`DAG`: the jobs of a workflow."""

    workflow: "Workflow"
    targetjobs: Iterable[Job]
    dependencies: Mapping[Job, Collection[Job]]

    def needrun(self, job: Job) -> bool:
        """Return whether a job has to run."""

    def reason(self, job: Job) -> object:
        """Return the reason why a job has to run."""


class _Scheduler(Protocol):
    _errors: object
    _executor_error: object


class _ExecutionSettings(Protocol):
    immediate_submit: bool


class _CommonSettings(Protocol):
    dryrun_exec: bool
    touch_exec: bool


class ExecutorPlugin(Protocol):
    """`snakemake_interface_executor_plugins.registry.Plugin`."""

    common_settings: _CommonSettings


class Workflow(Protocol):
    """`snakemake.workflow.Workflow`."""

    main_snakefile: object
    globals: Mapping[str, object]
    dag: Dag | None
    scheduler: _Scheduler | None
    executor_plugin: ExecutorPlugin
    remote_execution_settings: _ExecutionSettings
    exec_mode: object
    local_exec: bool
    sourcecache: object


class Executor(Protocol):
    """`snakemake.executors.local.Executor`."""

    workflow: Workflow
