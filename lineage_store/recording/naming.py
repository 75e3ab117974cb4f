"""Names of runs and steps in the store, and the properties that they are recorded with.

| node | type | known by |
| --- | --- | --- |
| a project | context `Project` | its name |
| a pipeline | context `Pipeline`, child of its project if it has one | its name |
| a run | context `Run`, child of its pipeline and of the run that it is in | the id of the run |
| a run, as something that begins and ends | execution `PipelineRun` | the key `ORCHESTRATOR/RUN` |
| a step | execution, its type is the name of the step unless it has another | the key below |

The key of a step is `ORCHESTRATOR/RUN/STEP/INDEX/ATTEMPT`, and the external id of its execution;
STEP is the name of the step, or the orchestrator's id of it within the run.
Names in it are percent-encoded, and a key that is too long ends with its digest.

Both kinds of execution have the custom properties `run_id`, `started_at`, `ended_at`, `updated_at`
(the last heartbeat), `duration_ms` (times in ms since the epoch), and after a failure `error_type`
and `error_message`. A step has `attempt_id` and `log.index` (numbers), `parameters.NAME`,
`outputs.NAME` (metrics and other results), `code_digest`, `step` (its name) if its type is another,
and `log.cache_key` (in hexadecimal) and `log.cache_decision` if it asked. A run has the result of
`environment.capture`, `run_name`, `pipeline` and, if it is nested, `parent_run_id`.

Gaps are recorded: both kinds have `log.incomplete` if something is missing, a text
such as "1 output not recorded: fig (a DataFrame is no output)". Without it, nothing is known to be.

Properties that differ from run to run are named so that comparisons leave them out: see
`lineage.aspects`.
"""

from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from lineage_store.limits import MAX_NAME

RUN = "Run"
PROJECT = "Project"
PIPELINE = "Pipeline"
PIPELINE_RUN = "PipelineRun"

INDEX = "log.index"
"""The number of a step among those of its name in its run, from 0."""

CACHE_KEY = "log.cache_key"
CACHE_DECISION = "log.cache_decision"

REFRESH = "REFRESH: it was asked to run anew"
"""The decision on a step that runs whatever the cache has."""
INCOMPLETE = "log.incomplete"
"""The gaps in the record of a step or a run; see `gaps`."""

_HEX = 64


def run_key(orchestrator: str, run_id: str) -> str:
    """Return the key of a run."""
    return _joined(orchestrator, run_id)


def step_key(orchestrator: str, run_id: str, step: str, index: int, attempt: int) -> str:
    """Return the key of one attempt at a step."""
    return _joined(orchestrator, run_id, step, str(index), str(attempt))


def _joined(*parts: str) -> str:
    return bounded("/".join(map(_quoted, parts)))


@lru_cache(maxsize=1024)  # the steps of a run have most parts of their keys in common
def _quoted(part: str) -> str:
    return quote(part, safe=" :@+", errors="replace")


def bounded(name: str) -> str:
    """Return a name that the store can hold: a long one ends with the digest of the whole."""
    if len(name) <= MAX_NAME:
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{name[: MAX_NAME - _HEX - 1]}~{digest}"
