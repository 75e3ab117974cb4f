"""Notes on the errors of jobs, from the process that ran a job to the one that records it.

A job with a `run:` runs in a Snakemake of its own, which repeats failed attempts; the first sees
only the end. Notes are lines of files in a directory that an environment variable names.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from lineage_store.integrations.snakemake.protocols import Job

NOTES = "LINEAGE_STORE_SNAKEMAKE_NOTES"
"""The environment variable that names the directory."""


@dataclass(frozen=True, slots=True)
class Note:
    """An attempt at a job that failed in another process.

    Attributes:
        kind: The class of the error.
        message: Its text.
        began_at: When it began, in ms since the epoch.
        ended_at: When it failed.
    """

    kind: str
    message: str
    began_at: int
    ended_at: int


def job_name(job: Job) -> str:
    """Return the identity of a job in its workflow: its rule and wildcards."""
    wildcards = ",".join(f"{name}={value}" for name, value in sorted(job.wildcards_dict.items()))
    return f"{job.rule.name} {wildcards}".rstrip()


def leave_note(job: Job, error: BaseException, began_at: int, ended_at: int) -> None:
    """Write down the error of a job, if the process that records it wants to know."""
    directory = os.environ.get(NOTES)
    if not directory:
        return
    cause = cause_of(error)
    kind = type(cause)
    name = kind.__qualname__
    if kind.__module__ != "builtins":
        name = f"{kind.__module__}.{name}"
    with suppress(Exception):  # a note that can't be kept does no harm
        line = json.dumps(asdict(Note(name, str(cause), began_at, ended_at)))
        with _place(directory, job).open("a") as file:
            file.write(f"{line}\n")


def take_notes(directory: Path, job: Job) -> list[Note]:
    """Return the notes on a job, and remove them."""
    path = _place(directory, job)
    with suppress(OSError, ValueError, TypeError):
        notes = [Note(**json.loads(line)) for line in path.read_text().splitlines()]
        path.unlink()
        return notes
    return []


def _place(directory: Path | str, job: Job) -> Path:
    return Path(directory) / sha256(job_name(job).encode()).hexdigest()


def cause_of(error: BaseException) -> BaseException:
    """Return the error of a job; Snakemake puts its text into an error of its own."""
    is_told_again = type(error).__name__ == "RuleException" and error.__context__ is not None
    return error.__context__ or error if is_told_again else error


def is_told_elsewhere(error: BaseException) -> bool:
    """Return whether an error says only that a job failed in another process."""
    return type(error).__name__ == "SpawnedJobError"
