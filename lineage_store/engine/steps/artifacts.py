"""The artifacts of a step: put where they are new, added to where they are known, tied to it."""

from dataclasses import dataclass, field
from typing import Any

from lineage_store import errors
from lineage_store.cache.slots import Place, label, places_of, write_path
from lineage_store.database.staging.nodes import Node
from lineage_store.database.transaction import Transaction
from lineage_store.engine.lineage.walks import check_enums
from lineage_store.engine.metadata.edges import prefetch_events, put_event
from lineage_store.engine.metadata.nodes import put_node
from lineage_store.engine.requests import bounded
from lineage_store.engine.steps.merging import merge
from lineage_store.engine.steps.naming import TypeNames
from lineage_store.kinds import ARTIFACT
from lineage_store.lineage.rules import INPUTS, OUTPUTS
from lineage_store.v1 import metadata_pb2 as pb


@dataclass(slots=True)
class _Tie:
    """An event to be: where the artifact stands, and when it was used."""

    field: str
    places: list[Place]
    happened_at: int | None


@dataclass(slots=True)
class StepArtifacts:
    """Puts the artifacts of one step.

    Attributes:
        tx: The transaction.
        types: Finds their types.
        known: The execution as it is recorded, or None if it is new.
        is_complete: Whether outputs without state are LIVE.
    """

    tx: Transaction
    types: TypeNames
    known: Node | None
    is_complete: bool
    _recorded: dict[bool, dict[Place, int]] = field(default_factory=dict)
    _written: list[int] = field(default_factory=list)
    _ties: dict[tuple[int, pb.Event.Type], _Tie] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._recorded = {True: {}, False: {}}
        if self.known is None:
            return
        types = INPUTS | OUTPUTS
        for event in self.tx.events.of_executions([self.known.message.id], types):
            if event.type == pb.Event.OUTPUT:
                self._written.append(event.artifact_id)
            for place in places_of(event):
                self._recorded[event.type in OUTPUTS].setdefault(place, event.artifact_id)

    def put_all(self, sent: Any, where: str, *, is_output: bool) -> list[int]:
        """Put the inputs or outputs of the step; return their ids.

        Raises:
            InvalidArgument: One is malformed, does not exist, or stands where another does.
        """
        _check_places(sent, where, is_output=is_output)
        ids = []
        for at, one in enumerate(sent):
            artifact_id = self._put(one, f"{where}[{at}]", is_output=is_output)
            self._tie(one, artifact_id, f"{where}[{at}]", is_output=is_output)
            ids.append(artifact_id)
        return ids

    def _put(self, one: Any, where: str, *, is_output: bool) -> int:
        artifact = self.types.resolved(ARTIFACT, one.artifact, f"{where}.artifact")
        stored = self._stored(one, artifact, where, is_output=is_output)
        is_written = is_output and one.event_type in {pb.Event.UNKNOWN, pb.Event.OUTPUT}
        if is_written and self.is_complete and not artifact.state:
            _make_live(artifact, stored)
        if stored is None:
            return put_node(self.tx, ARTIFACT, artifact, f"{where}.artifact")
        return merge(self.tx, ARTIFACT, stored, artifact, f"{where}.artifact")

    def _stored(self, one: Any, artifact: Any, where: str, *, is_output: bool) -> Node | None:
        """Return the artifact that is meant, or None if it is a new one."""
        recorded = self._recorded[is_output].get(_place(one))
        named = self._named(artifact, where)
        if named is None:
            found = None if recorded is None else self.tx.nodes[ARTIFACT].find(recorded)
            return found if found and _may_be(found.message, artifact) else None
        if is_output and recorded not in {None, named.message.id}:
            raise errors.InvalidArgument(
                f"{where}: the step has recorded artifact {recorded} as {label(_place(one))}"
            )
        return named

    def _named(self, artifact: Any, where: str) -> Node | None:
        """Return the artifact with the id or the external id of a message."""
        nodes = self.tx.nodes[ARTIFACT]
        if artifact.HasField("id"):
            found = nodes.find(artifact.id)
            if found is None:
                raise errors.InvalidArgument(
                    f"{where}.artifact.id: there is no artifact {artifact.id}"
                )
            return found
        if not bounded(f"{where}.artifact.external_id", artifact.external_id):
            return None
        known = nodes.by_external_id(artifact.external_id)
        return None if known is None else nodes.find(known)

    def _tie(self, one: Any, artifact_id: int, where: str, *, is_output: bool) -> None:
        """Remember an event; an input under several names has one with all of them."""
        event_type = _event_type(one, where, is_output=is_output)
        tie = self._ties.get((artifact_id, event_type))
        if tie is None:
            happened = one.happened_at_milliseconds
            has_time = one.HasField("happened_at_milliseconds")
            new = _Tie(where, [_place(one)], happened if has_time else None)
            self._ties[artifact_id, event_type] = new
        elif is_output:
            raise errors.InvalidArgument(
                f"{where}: artifact {artifact_id} is an output already, as {label(tie.places[0])}"
            )
        else:
            tie.places.append(_place(one))

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
        nodes.load(self._written)
        for artifact_id in self._written:
            stored = nodes.find(artifact_id)
            if stored is not None and not stored.message.state:
                live = pb.Artifact(state=pb.Artifact.LIVE)
                merge(self.tx, ARTIFACT, stored, live, "outputs")


def _event(execution_id: int, key: tuple[int, pb.Event.Type], tie: _Tie) -> Any:
    artifact_id, event_type = key
    event = pb.Event(artifact_id=artifact_id, execution_id=execution_id, type=event_type)
    write_path(event, tie.places)
    if tie.happened_at is not None:
        event.milliseconds_since_epoch = tie.happened_at
    return event


def _make_live(artifact: Any, stored: Node | None) -> None:
    if stored is None or not stored.message.state:
        artifact.state = pb.Artifact.LIVE


def _may_be(stored: Any, artifact: Any) -> bool:
    """Whether a message can be about the artifact in its place: external ids tell two apart."""
    return "" in {stored.external_id, artifact.external_id}


def _place(one: Any) -> Place:
    return (one.name, one.index)


def _check_places(sent: Any, where: str, *, is_output: bool) -> None:
    """Check the places of inputs, or of outputs: of these there is one in each."""
    seen: set[Place] = set()
    for at, one in enumerate(sent):
        bounded(f"{where}[{at}].name", one.name)
        if one.index < 0:
            raise errors.InvalidArgument(f"{where}[{at}].index must not be negative")
        if is_output and _place(one) in seen:
            raise errors.InvalidArgument(f"{where}[{at}]: {label(_place(one))} is there twice")
        seen.add(_place(one))


def _event_type(one: Any, where: str, *, is_output: bool) -> pb.Event.Type:
    check_enums(one, f"{where}.")
    if not one.HasField("event_type"):
        return pb.Event.OUTPUT if is_output else pb.Event.INPUT
    if one.event_type not in (OUTPUTS if is_output else INPUTS):
        name = pb.Event.Type.Name(one.event_type)
        raise errors.InvalidArgument(f"{where}.event_type must not be {name}")
    given: pb.Event.Type = one.event_type
    return given
