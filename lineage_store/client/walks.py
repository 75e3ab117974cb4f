"""The options of a walk, its start, and their messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict

from lineage_store import errors
from lineage_store.client.calls import id_of
from lineage_store.entities import Artifact, EventType, Execution
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import key, parse_key
from lineage_store.lineage.verdict import Limit
from lineage_store.v1 import lineage_pb2 as pb
from lineage_store.v1 import metadata_pb2

GraphNode = Artifact | Execution
Start = GraphNode | str | Path | Sequence[GraphNode | str | Path]
"""Nodes or their names, such as "artifact:12"; all of one kind."""

Kind = Literal["artifact", "execution"]

_KINDS = {"artifact": pb.ARTIFACT, "execution": pb.EXECUTION}


class WalkOptions(TypedDict, total=False):
    """The options of a walk; every one may be left out.

    Attributes:
        stop: The walk does not go beyond artifacts for which this filter holds. A mapping has a
            filter for each kind: {"artifact": …, "execution": …}.
        keep_stops: Whether the nodes that a walk stops at are answered; by default they are.
        event_types: Only over events of these types.
        artifact_types: Only to artifacts whose type has one of these names.
        execution_types: Only to executions whose type has one of these names.
        as_of: Only over events that had happened by then, by the clock of who recorded them: a
            time with a zone, or a text such as "2026-06-30T12:00+02:00". Nodes are answered as they
            are now.
        recorded_as_of: Only over events that the store had learned of by then.
        max_nodes: The most nodes to answer.
        max_bytes: The most bytes to answer.
        timeout: Seconds that the walk may take; it answers the nodes that it reached by then.
    """

    stop: str | Mapping[Kind, str] | None
    keep_stops: bool
    event_types: Iterable[EventType | str]
    artifact_types: Iterable[str]
    execution_types: Iterable[str]
    as_of: datetime | str | None
    recorded_as_of: datetime | str | None
    max_nodes: int | None
    max_bytes: int | None
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Walk:
    """A requested walk.

    Attributes:
        hops: The most hops; None: as far as there is a way.
        options: All other options.

    Raises:
        TypeError: There is no such option.
    """

    hops: int | None
    options: WalkOptions

    def __post_init__(self) -> None:
        unknown = self.options.keys() - WalkOptions.__annotations__.keys()
        if unknown:
            raise TypeError(f"a walk has no option {', '.join(sorted(unknown))}")

    @property
    def explicit_limits(self) -> frozenset[Limit]:
        """The limits that the caller set."""
        return limits_of(
            hops=self.hops,
            max_nodes=self.options.get("max_nodes"),
            max_bytes=self.options.get("max_bytes"),
            timeout=self.options.get("timeout"),
        )

    def to_message(self, start: pb.NodeSelection, direction: Direction) -> pb.Walk:
        """Return the Walk message.

        Raises:
            InvalidArgument: An option is not valid.
        """
        options = self.options
        message = pb.Walk(start=start, direction=direction_name(direction), max_hops=self.hops)
        for kind, where in _stops(options.get("stop")).items():
            ending = getattr(message, f"ending_{kind}s")
            ending.filter_query = where
            ending.include_ending_nodes = options.get("keep_stops", True)
        for name in ("event_types", "artifact_types", "execution_types"):
            if isinstance(text := options.get(name), str):
                raise errors.InvalidArgument(f"{name} must be a list: [{text!r}]")
        message.event_types.extend(map(_event_number, options.get("event_types", ())))
        message.artifact_types.extend(options.get("artifact_types", ()))
        message.execution_types.extend(options.get("execution_types", ()))
        bound = as_of_message(options.get("as_of"), options.get("recorded_as_of"))
        if bound is not None:
            message.as_of.CopyFrom(bound)
        return message

    def budget(self) -> pb.LineageBudget:
        """Return the LineageBudget message."""
        options = self.options
        return budget_message(
            options.get("max_nodes"), options.get("max_bytes"), options.get("timeout")
        )


def _stops(stop: str | Mapping[Kind, str] | None) -> Mapping[Kind, str]:
    if stop is None:
        return {}
    stops: Mapping[Kind, str] = {"artifact": stop} if isinstance(stop, str) else stop
    if stops.keys() - _KINDS.keys():
        raise errors.InvalidArgument("stop has a filter for `artifact`, `execution` or both")
    return stops


def limits_of(
    *,
    hops: int | None = None,
    max_nodes: int | None = None,
    max_bytes: int | None = None,
    timeout: float | None = None,
) -> frozenset[Limit]:
    """Return which limits are set."""
    values = {
        Limit.MAX_HOPS: hops,
        Limit.MAX_NODES: max_nodes,
        Limit.MAX_BYTES: max_bytes,
        Limit.MAX_TIME: timeout,
    }
    return frozenset(limit for limit, value in values.items() if value is not None)


def budget_message(
    max_nodes: int | None, max_bytes: int | None, timeout: float | None
) -> pb.LineageBudget:
    """Return the LineageBudget message; None: the limit of the server.

    Raises:
        InvalidArgument: A limit is not positive.
    """
    limits = {"max_nodes": max_nodes, "max_bytes": max_bytes, "timeout": timeout}
    for name, value in limits.items():
        if value is not None and value <= 0:
            raise errors.InvalidArgument(f"{name} must be positive, not {value}")
    milliseconds = None if timeout is None else max(1, round(timeout * 1000))
    return pb.LineageBudget(max_nodes=max_nodes, max_bytes=max_bytes, max_milliseconds=milliseconds)


def as_of_message(
    happened: datetime | str | None, recorded: datetime | str | None
) -> pb.AsOf | None:
    """Return the AsOf message, or None if there is no bound.

    Raises:
        InvalidArgument: There are two bounds, one has no time zone, or a text is no time.
    """
    if happened is not None and recorded is not None:
        raise errors.InvalidArgument("give as_of or recorded_as_of, not both")
    if happened is not None:
        return pb.AsOf(happened_by_milliseconds=microseconds(happened, "as_of") // 1000)
    if recorded is not None:
        return pb.AsOf(recorded_by_microseconds=microseconds(recorded, "recorded_as_of"))
    return None


def microseconds(moment: datetime | str, name: str) -> int:
    """Return a time in µs since the epoch.

    Raises:
        InvalidArgument: It has no time zone, or a text is no time.
    """
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise errors.InvalidArgument(
                f"{name} is no time: {moment!r:.100}; write 2026-06-30T12:00:00+00:00"
            ) from None
    if not isinstance(moment, datetime):
        raise errors.InvalidArgument(f"{name} is a datetime or a text, not {moment!r:.100}")
    if moment.tzinfo is None:
        raise errors.InvalidArgument(f"{name} needs a time zone: {moment.isoformat()}+00:00")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _event_number(event_type: EventType | str) -> Any:  # noqa: ANN401 - the stubs tell Value as an int
    try:
        return metadata_pb2.Event.Type.Value(str(event_type))
    except ValueError:
        names = ", ".join(EventType)
        raise errors.InvalidArgument(f"{event_type!r} is not one of {names}") from None


def direction_of(direction: Direction | str) -> Direction:
    """Return a direction that is given as itself or as its value.

    Raises:
        InvalidArgument: There is no such direction.
    """
    try:
        return Direction(direction)
    except ValueError:
        names = ", ".join(Direction)
        raise errors.InvalidArgument(f"direction {direction!r} is not one of {names}") from None


def direction_name(direction: Direction) -> str:
    """Return the name of a direction in messages."""
    return "BIDIRECTIONAL" if direction is Direction.BOTH else direction.name


def kind_and_id(node: GraphNode | str | Path) -> tuple[str, int]:
    """Return kind and id of a node, or of a key such as "artifact:12".

    Raises:
        InvalidArgument: The node has no id, or it is no such key.
    """
    if isinstance(node, str):
        return parse_key(node)
    if not isinstance(node, Artifact | Execution):
        raise errors.InvalidArgument(f"{node!r} is no artifact, execution or key of one")
    return node.kind.name, id_of(node)


def key_of_given(node: GraphNode | str) -> str:
    """Return the key of a node that is given as itself or as its key.

    Raises:
        InvalidArgument: The node has no id, or it is no such key.
    """
    return key(*kind_and_id(node))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSelection:
    """The start of a walk, in exactly one of several ways.

    Attributes:
        nodes: Nodes or their keys.
        artifact: An id of an artifact, or several.
        execution: An id of an execution, or several.
        kind: The kind of node that `where`, or `type` and `name`, select.
        where: All nodes for which a filter holds.
        type: All nodes of a type, or with `name` the one of that name.
        type_version: The version of the type.
        name: Together with `type`.
        uri: All artifacts at a uri.
        digest: All artifacts whose content has a digest.
    """

    nodes: Start | None = None
    artifact: int | Sequence[int] | None = None
    execution: int | Sequence[int] | None = None
    kind: Kind = "artifact"
    where: str | None = None
    type: str | None = None
    type_version: str | None = None
    name: str | None = None
    uri: str | None = None
    digest: str | None = None

    def to_message(self) -> pb.NodeSelection:
        """Return the NodeSelection message.

        Raises:
            InvalidArgument: Not exactly one way is taken, or it is not valid.
        """
        self._check()
        if self.nodes is not None:
            return _by_nodes(self.nodes)
        if self.artifact is not None:
            return _by_ids("artifact", self.artifact)
        if self.execution is not None:
            return _by_ids("execution", self.execution)
        if self.uri is not None or self.digest is not None:
            return pb.NodeSelection(kind=pb.ARTIFACT, uri=self.uri, digest=self.digest)
        if self.where is not None:
            return pb.NodeSelection(kind=_KINDS[self.kind], filter_query=self.where)
        named = pb.NodeSelection.Named(
            type=self.type, type_version=self.type_version, name=self.name
        )
        return pb.NodeSelection(kind=_KINDS[self.kind], named=named)

    def _check(self) -> None:
        if self.kind not in _KINDS:
            raise errors.InvalidArgument(f"kind {self.kind!r} is not one of {', '.join(_KINDS)}")
        ids = (self.nodes, self.artifact, self.execution)
        ways = (*ids, self.where, self.type, self.uri, self.digest)
        half = self.type is None and (self.name is not None or self.type_version is not None)
        if half or sum(way is not None for way in ways) != 1:
            raise errors.InvalidArgument(
                "say in one way where to begin: a node, artifact=, execution=, where=, uri=, "
                "digest=, or type= with or without name="
            )


def _by_ids(kind: str, ids: int | Sequence[int]) -> pb.NodeSelection:
    id_list = [ids] if isinstance(ids, int) else list(ids)
    if not id_list:
        raise errors.InvalidArgument(f"no {kind} is given to begin with")
    return pb.NodeSelection(kind=_KINDS[kind], ids=pb.NodeSelection.Ids(ids=id_list))


def _by_nodes(nodes: Start) -> pb.NodeSelection:
    node_list = [nodes] if isinstance(nodes, str | Artifact | Execution) else nodes
    if not isinstance(node_list, Iterable):
        raise errors.InvalidArgument(f"{node_list!r} is no artifact, execution or key of one")
    kinds_and_ids = [kind_and_id(node) for node in node_list]
    kinds = {kind for kind, _ in kinds_and_ids}
    if len(kinds) != 1:
        raise errors.InvalidArgument("begin with artifacts or with executions, not with both")
    return _by_ids(kinds.pop(), [node_id for _, node_id in kinds_and_ids])
