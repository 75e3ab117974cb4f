"""The artifacts of a step: put where they are new, added to where they are known, tied to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lineage_store import errors
from lineage_store.cache.slots import Slot, label, slots_of, write_path
from lineage_store.database.staging.nodes import StoredNode
from lineage_store.database.transaction import Transaction
from lineage_store.engine.lineage.walks import check_enums
from lineage_store.engine.metadata.edges import prefetch_events, put_event
from lineage_store.engine.metadata.nodes import put_node
from lineage_store.engine.requests import bounded
from lineage_store.engine.steps.merging import merge
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.kinds import ARTIFACT
from lineage_store.lineage.rules import INPUTS, OUTPUTS
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb


@dataclass(slots=True)
class _NewEvent:
    """A new event: the slots of the artifact, and when it was used."""

    field: str
    slots: list[Slot]
    happened_at: int | None


@dataclass(slots=True)
class StepArtifacts:
    """Puts the artifacts of one step.

    Attributes:
        tx: The transaction.
        types: Finds their types.
        stored_execution: The execution as it is recorded, or None if it is new.
        is_complete: Whether outputs without state are LIVE.
    """

    tx: Transaction
    types: TypeNames
    stored_execution: StoredNode | None
    is_complete: bool
    _recorded_ids: dict[bool, dict[Slot, int]] = field(default_factory=dict)
    _output_ids: list[int] = field(default_factory=list)
    _ties: dict[tuple[int, pb.Event.Type], _NewEvent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._recorded_ids = {True: {}, False: {}}
        if self.stored_execution is None:
            return
        types = INPUTS | OUTPUTS
        for event in self.tx.events.of_executions([self.stored_execution.message.id], types):
            if event.type == pb.Event.OUTPUT:
                self._output_ids.append(event.artifact_id)
            for slot in slots_of(event):
                self._recorded_ids[event.type in OUTPUTS].setdefault(slot, event.artifact_id)

    def put_all(
        self, step_artifacts: Sequence[cache_pb2.StepArtifact], where: str, *, is_output: bool
    ) -> list[int]:
        """Put the inputs or outputs of the step; return their ids.

        Raises:
            InvalidArgument: One is malformed, does not exist, or stands where another does.
        """
        _check_slots(step_artifacts, where, is_output=is_output)
        ids = []
        for at, step_artifact in enumerate(step_artifacts):
            artifact_id = self._put(step_artifact, f"{where}[{at}]", is_output=is_output)
            self._tie(step_artifact, artifact_id, f"{where}[{at}]", is_output=is_output)
            ids.append(artifact_id)
        return ids

    def _put(self, step_artifact: cache_pb2.StepArtifact, where: str, *, is_output: bool) -> int:
        artifact = self.types.resolved(ARTIFACT, step_artifact.artifact, f"{where}.artifact")
        stored = self._find(step_artifact, artifact, where, is_output=is_output)
        is_written = is_output and step_artifact.event_type in {pb.Event.UNKNOWN, pb.Event.OUTPUT}
        if is_written and self.is_complete and not artifact.state:
            _make_live(artifact, stored)
        if stored is None:
            return put_node(self.tx, ARTIFACT, artifact, f"{where}.artifact")
        return merge(self.tx, ARTIFACT, stored, artifact, f"{where}.artifact")

    def _find(
        self,
        step_artifact: cache_pb2.StepArtifact,
        artifact: pb.Artifact,
        where: str,
        *,
        is_output: bool,
    ) -> StoredNode | None:
        """Return the stored artifact of a message, or None if it is a new one."""
        slot = _slot(step_artifact)
        recorded_id = self._recorded_ids[is_output].get(slot)
        stored = self._find_by_id(artifact, where)
        if stored is None:
            recorded = None if recorded_id is None else self.tx.nodes[ARTIFACT].find(recorded_id)
            return recorded if recorded and _can_be_same(recorded.message, artifact) else None
        if is_output and recorded_id not in {None, stored.message.id}:
            raise errors.InvalidArgument(
                f"{where}: the step has recorded artifact {recorded_id} as {label(slot)}"
            )
        return stored

    def _find_by_id(self, artifact: pb.Artifact, where: str) -> StoredNode | None:
        """Return the artifact with the id or the external id of a message."""
        nodes = self.tx.nodes[ARTIFACT]
        if artifact.HasField("id"):
            stored = nodes.find(artifact.id)
            if stored is None:
                raise errors.InvalidArgument(
                    f"{where}.artifact.id: there is no artifact {artifact.id}"
                )
            return stored
        if not bounded(f"{where}.artifact.external_id", artifact.external_id):
            return None
        stored_id = nodes.by_external_id(artifact.external_id)
        return None if stored_id is None else nodes.find(stored_id)

    def _tie(
        self,
        step_artifact: cache_pb2.StepArtifact,
        artifact_id: int,
        where: str,
        *,
        is_output: bool,
    ) -> None:
        """Remember an event; an input under several names has one with all of them."""
        event_type = _event_type(step_artifact, where, is_output=is_output)
        tie = self._ties.get((artifact_id, event_type))
        if tie is None:
            happened = step_artifact.happened_at_milliseconds
            has_time = step_artifact.HasField("happened_at_milliseconds")
            new = _NewEvent(where, [_slot(step_artifact)], happened if has_time else None)
            self._ties[artifact_id, event_type] = new
        elif is_output:
            raise errors.InvalidArgument(
                f"{where}: artifact {artifact_id} is an output already, as {label(tie.slots[0])}"
            )
        else:
            tie.slots.append(_slot(step_artifact))

    def tie(self, execution_id: int) -> None:
        """Record the events that are not there, and make outputs LIVE that were written before."""
        events = [_event(execution_id, *tie) for tie in self._ties.items()]
        prefetch_events(self.tx, events)
        for event, tie in zip(events, self._ties.values(), strict=True):
            if not self.tx.events.exists((event.artifact_id, execution_id, event.type)):
                put_event(self.tx, event, tie.field)
        if self.is_complete:
            self._complete()

    def _complete(self) -> None:
        nodes = self.tx.nodes[ARTIFACT]
        nodes.load(self._output_ids)
        for artifact_id in self._output_ids:
            stored = nodes.find(artifact_id)
            if stored is not None and not stored.message.state:
                live = pb.Artifact(state=pb.Artifact.LIVE)
                merge(self.tx, ARTIFACT, stored, live, "outputs")


def _event(execution_id: int, key: tuple[int, pb.Event.Type], tie: _NewEvent) -> pb.Event:
    artifact_id, event_type = key
    event = pb.Event(artifact_id=artifact_id, execution_id=execution_id, type=event_type)
    write_path(event, tie.slots)
    if tie.happened_at is not None:
        event.milliseconds_since_epoch = tie.happened_at
    return event


def _make_live(artifact: pb.Artifact, stored: StoredNode | None) -> None:
    if stored is None or not stored.message.state:
        artifact.state = pb.Artifact.LIVE


def _can_be_same(stored: pb.Artifact, artifact: pb.Artifact) -> bool:
    """Return whether a message can be of the artifact in its slot: external ids tell them apart."""
    return "" in {stored.external_id, artifact.external_id}


def _slot(step_artifact: cache_pb2.StepArtifact) -> Slot:
    return (step_artifact.name, step_artifact.index)


def _check_slots(
    step_artifacts: Sequence[cache_pb2.StepArtifact], where: str, *, is_output: bool
) -> None:
    """Check the slots of inputs, or of outputs: of these there is one in each."""
    slots: set[Slot] = set()
    for at, step_artifact in enumerate(step_artifacts):
        bounded(f"{where}[{at}].name", step_artifact.name)
        if step_artifact.index < 0:
            raise errors.InvalidArgument(f"{where}[{at}].index must not be negative")
        if is_output and _slot(step_artifact) in slots:
            raise errors.InvalidArgument(
                f"{where}[{at}]: {label(_slot(step_artifact))} is there twice"
            )
        slots.add(_slot(step_artifact))


def _event_type(
    step_artifact: cache_pb2.StepArtifact, where: str, *, is_output: bool
) -> pb.Event.Type:
    check_enums(step_artifact, f"{where}.")
    if not step_artifact.HasField("event_type"):
        return pb.Event.OUTPUT if is_output else pb.Event.INPUT
    if step_artifact.event_type not in (OUTPUTS if is_output else INPUTS):
        name = pb.Event.Type.Name(step_artifact.event_type)
        raise errors.InvalidArgument(f"{where}.event_type must not be {name}")
    event_type: pb.Event.Type = step_artifact.event_type
    return event_type
