"""The walk that a request asks for, checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from lineage_store import errors
from lineage_store.database.queries.lineage import LineageReader
from lineage_store.database.queries.past_nodes import PastLineageReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.filters import condition
from lineage_store.engine.lineage.known_then import known_then
from lineage_store.engine.lineage.reader import GraphReader
from lineage_store.engine.lineage.selection import Find, selection
from lineage_store.engine.lineage.sources import GraphSources
from lineage_store.engine.requests import required, text
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.limits import FilterLimits
from lineage_store.lineage.rules import BIDIRECTIONAL, Ending, Rules
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

Graph = Callable[[Snapshot], GraphReader]
"""The graph of a snapshot, or as much of it as was known at some time."""


class BoundedInTime(Protocol):
    """A message with a field `as_of`."""

    @property
    def as_of(self) -> lineage_pb2.AsOf:
        """The time of the walk."""

    def HasField(self, field_name: Any, /) -> bool:  # noqa: ANN401, N802 - of protobuf
        """Return whether a field is set."""


class Bounded(BoundedInTime, Protocol):
    """A request with the fields `as_of` and `budget`."""

    @property
    def budget(self) -> lineage_pb2.LineageBudget:
        """How much the walk may cost."""


_BOUNDS = {
    "happened_by_milliseconds": "happened_at",
    "recorded_by_microseconds": "recorded_at",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A walk that a request asks for.

    Attributes:
        rules: The rules of the walk.
        kind: The kind of the nodes that it starts from.
        find: Finds the ids of these nodes.
        graph: The graph that it walks.
    """

    rules: Rules
    kind: NodeKind
    find: Find
    graph: Graph


def plan(
    request: lineage_pb2.TraceRequest | lineage_pb2.SummarizeRequest,
    limits: FilterLimits,
    sources: GraphSources,
    *,
    with_bodies: bool,
) -> Plan:
    """Return the walk that a request asks for.

    Args:
        request: A message with a field `walk`.
        limits: The bounds of filters.
        sources: The graphs that it may read.
        with_bodies: Whether it needs the encoded events.

    Raises:
        InvalidArgument: Something is missing, contradictory or unknown.
    """
    walk = required(request, "walk", "")
    check_enums(walk, "walk.")
    kind, find = selection(required(walk, "start", "walk."), "walk.start", limits)
    rules = Rules(
        direction=walk.direction or BIDIRECTIONAL,
        max_hops=max_hops(walk, "walk."),
        event_types=_event_types(walk),
        type_names=_type_names(walk),
        ending=endings(walk, "walk", limits),
    )
    for of in (ARTIFACT, EXECUTION):
        field = f"ending_{of.plural}"
        if walk.HasField(field):
            required(getattr(walk, field), "filter_query", f"walk.{field}.")
    walked = graph(walk, "walk.as_of", sources, with_bodies=with_bodies)
    return Plan(rules, kind, known_then(kind, find, walk.as_of), walked)


def check_enums(message: Message, where: str) -> None:
    """Check that no field has a number that is none of its enumeration.

    The messages are of proto2, whose parser puts such a number among the unknown fields.

    Raises:
        InvalidArgument: One has.
    """
    unknown = {field.field_number for field in _unknown_fields(message)}
    for field in message.DESCRIPTOR.fields:
        if field.enum_type is not None and field.number in unknown:
            raise errors.InvalidArgument(f"{where}{field.name} is not one of {_names(field)}")


def _unknown_fields(message: Message) -> Any:  # noqa: ANN401 - protobuf has no stub of it
    return UnknownFieldSet(message)


def _names(field: Any) -> str:  # noqa: ANN401 - a descriptor with an enum
    return ", ".join(value.name for value in field.enum_type.values)


def max_hops(message: Message, where: str, field: str = "max_hops") -> int | None:
    """Return how far to walk; None: as far as there is a way.

    Raises:
        InvalidArgument: It is negative.
    """
    if not message.HasField(field):
        return None
    hops: int = getattr(message, field)
    if hops < 0:
        raise errors.InvalidArgument(f"{where}{field} must not be negative")
    return hops


def endings(
    message: lineage_pb2.Walk | pb.LineageSubgraphQueryOptions, where: str, limits: FilterLimits
) -> dict[NodeKind, Ending]:
    """Return where a walk ends, from the fields ending_artifacts and ending_executions.

    An empty filter is one that all nodes match; without a filter, the walk does not end there.

    Raises:
        InvalidArgument: A filter is not valid.
    """
    endings_by_kind = {}
    for kind in (ARTIFACT, EXECUTION):
        ending = getattr(message, f"ending_{kind.plural}")
        if ending.HasField("filter_query"):
            field = f"{where}.ending_{kind.plural}.filter_query"
            query = text(field, ending.filter_query)
            matches = condition(kind, query, field, limits) if query else None
            endings_by_kind[kind] = Ending(matches, ending.include_ending_nodes)
    return endings_by_kind


def _event_types(walk: lineage_pb2.Walk) -> frozenset[int] | None:
    if pb.Event.UNKNOWN in walk.event_types:
        raise errors.InvalidArgument("walk.event_types must not contain UNKNOWN")
    return frozenset(walk.event_types) or None


def _type_names(walk: lineage_pb2.Walk) -> dict[NodeKind, frozenset[str]]:
    names_by_kind = {}
    for kind in (ARTIFACT, EXECUTION):
        field = f"{kind.name}_types"
        names = [text(f"walk.{field}", name) for name in getattr(walk, field)]
        if "" in names:
            raise errors.InvalidArgument(f"walk.{field} must not contain an empty string")
        if names:
            names_by_kind[kind] = frozenset(names)
    return names_by_kind


def graph(message: BoundedInTime, where: str, sources: GraphSources, *, with_bodies: bool) -> Graph:
    """Return the graph that the field `as_of` of a message names.

    Only the present one is kept in memory: it alone is asked for again and again.

    Raises:
        InvalidArgument: The field is set and has no bound.
    """
    bound = message.as_of.WhichOneof("bound")
    if bound is None:
        if message.HasField("as_of"):
            raise errors.InvalidArgument(f"{where} must have a bound")
        return lambda snapshot: sources.present(snapshot, with_bodies=with_bodies)
    column, moment = _BOUNDS[bound], getattr(message.as_of, bound)
    reader = PastLineageReader if column == "recorded_at" else LineageReader
    return lambda snapshot: reader(snapshot, bound=column, as_of=moment, with_bodies=with_bodies)
