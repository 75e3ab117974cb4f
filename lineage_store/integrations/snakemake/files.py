"""Inputs, outputs and parameters of Snakemake's jobs, as artifacts and parameters."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from snakemake.io import get_flag_value, is_flagged

from lineage_store import errors
from lineage_store.entities import Artifact
from lineage_store.fingerprints.values import fingerprint
from lineage_store.integrations.artifacts import file_artifact, uri_artifact
from lineage_store.integrations.snakemake.protocols import File, Job, NamedFiles
from lineage_store.recording.diagnostics import never_raises

_Identity = tuple[int, int, int, int]


class Files:
    """The files of one run.

    Args:
        base: The directory that paths are relative to.
        run_id: Of the run.
    """

    def __init__(self, base: Path, run_id: str) -> None:
        self._base = base
        self._run_id = run_id
        self._hashed: dict[Path, tuple[_Identity, Artifact]] = {}

    def inputs(self, job: Job) -> dict[str, list[Artifact]]:
        """Return the inputs of a job, by the names in its rule, else "input"."""
        artifacts: dict[str, list[Artifact]] = {}
        for name, file in named_files(job.input, "input"):
            source_file = _produced(job, file) if job.is_pipe_or_service_input(file) else file
            artifacts.setdefault(name, []).append(self._artifact(source_file))
        return artifacts

    def outputs(self, job: Job) -> Iterator[tuple[str, Artifact]]:
        """Yield the outputs of a job, with the names in its rule, else "output"."""
        for name, file in named_files(job.output, "output"):
            yield name, self._artifact(file)

    def _artifact(self, file: File) -> Artifact:
        """Return the present artifact of a file, or of an object in a storage elsewhere."""
        flag = _passing(file)
        if flag is not None:
            uri = f"{flag}:{self._base / file}"
            return uri_artifact(uri, self._run_id, why=f"it is a {flag}")
        if file.is_storage:
            return _stored(file, self._run_id)
        if is_flagged(file, "sourcecache_entry"):
            entry = str(get_flag_value(file, "sourcecache_entry"))
            return uri_artifact(entry, self._run_id, digest=_digest(file))
        return self._local(self._base / file)

    def _local(self, path: Path) -> Artifact:
        early_hash = self._hashed.pop(path, None)
        if early_hash is not None and early_hash[0] == _identity(path):
            return early_hash[1]
        return file_artifact(path, self._run_id)

    def hash_early(self, files: Iterable[File]) -> None:
        """Hash new files in the thread that wrote them; a digest counts while its file stays."""
        for file in files:
            path = self._base / file
            is_lasting = not file.is_storage and _passing(file) is None
            identity = _identity(path) if is_lasting else None
            if identity is not None:
                self._hashed[path] = identity, file_artifact(path, self._run_id)

    def forget(self, files: Iterable[File]) -> None:
        """Forget the early digests of files that are not there to stay."""
        for file in files:
            self._hashed.pop(self._base / file, None)


def named_files(files: NamedFiles, unnamed: str) -> Iterator[tuple[str, File]]:
    """Yield each file with its name; those of a list have the same."""
    for name, value in files._allitems():  # noqa: SLF001 - the only way that tells of all
        files_of_name = [value] if isinstance(value, str) else value
        for file in files_of_name:
            yield name or unnamed, file


def _passing(file: File) -> str | None:
    """Return the kind of a file that is gone when the jobs on both sides end; None: it stays."""
    return next((flag for flag in ("pipe", "service") if is_flagged(file, flag)), None)


def _produced(job: Job, file: File) -> File:
    """Return an input as the rule that makes it declares it, for example as a pipe."""
    makers = job.dag.dependencies[job]
    outputs = (output for maker in makers for output in maker.output if output == file)
    return next(outputs, file)


def parameters(job: Job) -> dict[str, object]:
    """Return the wildcards and the parameters of a job; those without name by their place."""
    values: dict[str, object] = dict(job.wildcards_dict)
    items = job.params._allitems()  # noqa: SLF001
    for at, (name, value) in enumerate(items):
        values[name or str(at)] = list(value) if isinstance(value, tuple | list) else value
    return values


@never_raises(None)
def code_of(job: Job) -> str | None:
    """Return the digest of the shell command, the `run:` or the script of a rule, as written."""
    rule = job.rule
    if rule.shellcmd is not None:
        return _fingerprinted(str(rule.shellcmd))
    script = rule.script or rule.notebook
    if script is not None:
        return _fingerprinted(_source(job, script))
    text = rule.wrapper or rule.cwl or getattr(rule, "run_func_src", None)
    return None if text is None else _fingerprinted(str(text))


def _source(job: Job, script: object) -> str:
    """Return the content of a script, or its name if it can't be read."""
    from snakemake.script import get_source  # noqa: PLC0415 - loads notebooks and more

    try:
        cache = job.dag.workflow.sourcecache
        source = get_source(script, cache, job.rule.basedir, job.wildcards, job.params)
        return str(source[1])
    except Exception:
        return str(script)


def _fingerprinted(text: str) -> str:
    return fingerprint(text)


def _stored(file: File, run_id: str) -> Artifact:
    """Return the artifact of an object in a storage, by the content of its local copy."""
    query = str(file.storage_object.query)
    return uri_artifact(query, run_id, digest=_digest(file), why="there is no local copy of it")


def _digest(path: str) -> str | None:
    try:
        return fingerprint(Path(path))
    except (OSError, errors.LineageError):
        return None


def _identity(path: Path) -> _Identity | None:
    """Return the identity of a file, equal while it is unchanged; None: there is none yet."""
    try:
        status = os.stat(path)  # noqa: PTH116 - one call for each file
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
