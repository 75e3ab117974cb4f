"""RecordStep and RecordSteps: a report on a step, added to the record of it."""

from dataclasses import dataclass

from lineage_store import errors
from lineage_store.database.staging.nodes import StoredNode
from lineage_store.database.transaction import Transaction
from lineage_store.engine.cache.publishing import (
    CheckedPublication,
    Origin,
    parse_publication,
    publish,
)
from lineage_store.engine.metadata.nodes import put_node
from lineage_store.engine.requests import bounded, required
from lineage_store.engine.sizes import check_size
from lineage_store.engine.steps.artifacts import StepArtifacts
from lineage_store.engine.steps.contexts import put_contexts
from lineage_store.engine.steps.gathering import gather
from lineage_store.engine.steps.merging import merge
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.kinds import EXECUTION
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2

State = metadata_pb2.Execution

_PROGRESS = (State.UNKNOWN, State.NEW, State.RUNNING)
"""The states that others follow on; the first of the others stays."""


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of recording a step.

    Attributes:
        response: The answer.
        stored_execution: The execution as it was before, or None.
        state: The state of the execution now.
    """

    response: pb.RecordStepResponse
    stored_execution: StoredNode | None
    state: int


def record_step(tx: Transaction, request: pb.RecordStepRequest) -> pb.RecordStepResponse:
    """Record one step."""
    step = required(request, "step", "")
    gather(tx, [step])
    return record(tx, step, "step").response


def record_steps(tx: Transaction, request: pb.RecordStepsRequest) -> pb.RecordStepsResponse:
    """Record many steps; one that can't be recorded leaves the others alone."""
    gather(tx, request.steps)
    response = pb.RecordStepsResponse()
    for at, step in enumerate(request.steps):
        mark = tx.mark()
        result = response.results.add()
        try:
            result.recorded.CopyFrom(record(tx, step, f"steps[{at}]").response)
        except (errors.LineageError, UnicodeDecodeError) as error:
            tx.undo(mark)
            failure = _as_lineage_error(error)
            result.error_code, result.error_reason = failure.code, failure.reason
            result.error_message = failure.message
    return response


def _as_lineage_error(error: errors.LineageError | UnicodeDecodeError) -> errors.LineageError:
    if isinstance(error, errors.LineageError):
        return error
    return errors.InvalidArgument("a key in the step is not valid UTF-8")


def record(
    tx: Transaction, step: pb.Step, field: str, *, served_from: Origin | None = None
) -> StepOutcome:
    """Stage a step.

    Args:
        tx: The transaction.
        step: The message.
        field: Where it is in the request, for errors.
        served_from: The source of its outputs; None: it ran.

    Raises:
        InvalidArgument: It is malformed, or names a node that does not exist.
        NotFound: A type does not exist.
        FailedPrecondition: It publishes and is not COMPLETE.
        StaleClaim: It publishes, and the claim of its key is not its own.
    """
    publication = _publication(step, field)
    types = TypeNames(tx, create=step.create_types)
    mark = tx.mark()
    stored_execution = _find_execution(tx, step, field)
    execution = types.resolved(EXECUTION, step.execution, f"{field}.execution")
    state = _settle_state(execution, stored_execution)
    artifacts = StepArtifacts(tx, types, stored_execution, is_complete=state == State.COMPLETE)
    inputs = artifacts.put_all(step.inputs, f"{field}.inputs", is_output=False)
    outputs = artifacts.put_all(step.outputs, f"{field}.outputs", is_output=True)
    execution_id = _put(tx, execution, step.key, stored_execution, field)
    artifacts.tie(execution_id)
    contexts = put_contexts(tx, types, step, field, execution_id, [*inputs, *outputs])
    entry_id = _publish(tx, publication, execution_id, state, field, served_from)
    response = pb.RecordStepResponse(
        execution_id=execution_id,
        input_ids=inputs,
        output_ids=outputs,
        context_ids=contexts,
        entry_id=entry_id,
        is_repeated=stored_execution is not None and tx.mark() == mark,
    )
    return StepOutcome(response, stored_execution, state)


def _publication(step: pb.Step, field: str) -> CheckedPublication | None:
    if not step.HasField("cache"):
        return None
    return parse_publication(step.cache, f"{field}.cache.")


def _find_execution(tx: Transaction, step: pb.Step, field: str) -> StoredNode | None:
    """Return the execution that the step is recorded as, or None if it is new."""
    key = bounded(f"{field}.key", step.key)
    execution = step.execution
    if key and execution.external_id not in {"", key}:
        raise errors.InvalidArgument(f"{field}.execution.external_id is not the key of the step")
    if execution.HasField("id"):
        return _by_id(tx, execution.id, key, field)
    if not key:
        raise errors.InvalidArgument(f"{field}.key must not be empty")
    execution_id = tx.nodes[EXECUTION].by_external_id(key)
    return None if execution_id is None else tx.nodes[EXECUTION].find(execution_id)


def _by_id(tx: Transaction, execution_id: int, key: str, field: str) -> StoredNode:
    stored = tx.nodes[EXECUTION].find(execution_id)
    if stored is None:
        raise errors.InvalidArgument(f"{field}.execution.id: there is no execution {execution_id}")
    if key and stored.message.external_id not in {"", key}:
        raise errors.InvalidArgument(f"{field}.key is not that of execution {execution_id}")
    return stored


def _settle_state(execution: metadata_pb2.Execution, stored_execution: StoredNode | None) -> int:
    """Return the state that the execution gets; a recorded state is never taken back."""
    sent_state: int = execution.last_known_state
    stored_state: int = (
        stored_execution.message.last_known_state if stored_execution else State.UNKNOWN
    )
    if _progress(sent_state) > _progress(stored_state):
        return sent_state
    execution.ClearField("last_known_state")
    if (
        stored_execution is not None
        and sent_state > State.UNKNOWN
        and _progress(sent_state) < _progress(stored_state)
    ):
        _drop_stored_properties(execution, stored_execution.message)
    return stored_state


def _drop_stored_properties(
    execution: metadata_pb2.Execution, stored_message: metadata_pb2.Execution
) -> None:
    """Let a late record add properties to an execution, and replace none.

    Records of one step may come in another order than they were made: out of two files, or from
    two processes.
    """
    for name in ("properties", "custom_properties"):
        properties, stored_properties = getattr(execution, name), getattr(stored_message, name)
        for key in [key for key in properties if key in stored_properties]:
            del properties[key]


def _progress(state: int) -> int:
    return _PROGRESS.index(state) if state in _PROGRESS else len(_PROGRESS)


def _put(
    tx: Transaction,
    execution: metadata_pb2.Execution,
    key: str,
    stored_execution: StoredNode | None,
    field: str,
) -> int:
    where = f"{field}.execution"
    if key:
        execution.external_id = key
    if stored_execution is None:
        return put_node(tx, EXECUTION, execution, where)
    return merge(tx, EXECUTION, stored_execution, execution, where)


def _publish(
    tx: Transaction,
    publication: CheckedPublication | None,
    execution_id: int,
    state: int,
    field: str,
    origin: Origin | None,
) -> int | None:
    if publication is None:
        return None
    if state != State.COMPLETE and origin is None:
        name = State.State.Name(state)
        raise errors.FailedPrecondition(
            f"{field}.cache: only a COMPLETE execution can publish; this one is {name}"
        )
    check_size(tx, len(publication.body), f"{field}.cache")
    return publish(tx, publication, execution_id, origin)
