"""Lineage: what `LineageStore` offers on it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Unpack

from lineage_store import errors
from lineage_store.client.notation import NotationMethods, artifact_id_of
from lineage_store.client.transport import Transport
from lineage_store.client.walks import (
    GraphNode,
    Kind,
    Start,
    StartSelection,
    Walk,
    WalkOptions,
    as_of_message,
    budget_message,
    direction_name,
    direction_of,
    key_of_given,
    limits_of,
)
from lineage_store.entities import Artifact
from lineage_store.lineage.differences import Comparison
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import key, node_message
from lineage_store.lineage.impact import Impact, impact
from lineage_store.lineage.paths import Paths
from lineage_store.lineage.result import Lineage, LineagePart, empty
from lineage_store.lineage.summary import Summary
from lineage_store.lineage.verdict import Limit
from lineage_store.v1 import lineage_pb2 as pb
from lineage_store.v1 import metadata_pb2


class LineageQuery:
    """Walks from some nodes; made by `LineageStore.lineage`.

    `hops` is how far to go: from a node over an event to the node behind it is one hop; None: as
    far as there is a way. The other options are those of `WalkOptions`. Every answer has a
    `verdict`: it is complete, or says what ended the walk, and whether that was a limit that the
    caller set or one of the server.

    Args:
        transport: Carries the requests.
        start: Where to begin, a NodeSelection.
    """

    def __init__(self, transport: Transport, start: pb.NodeSelection) -> None:
        self._transport = transport
        self._start = start

    def upstream(
        self,
        hops: int | None = None,
        *,
        show_cached: bool = False,
        ids_only: bool = False,
        resume: Lineage | None = None,
        **options: Unpack[WalkOptions],
    ) -> Lineage:
        """Return what the nodes were made from, with all steps between.

        Args:
            hops: How far to go.
            show_cached: Answer each CACHED execution. Else those that only repeat another one are
                folded into it: see `Lineage.repeats` and `Lineage.whole`.
            ids_only: Answer nodes with their id alone, which is faster; nothing can be folded then.
            resume: An incomplete answer to the same question, which this one goes on with; what
                comes back holds both. Hops and limits may differ.
            options: See `WalkOptions`.

        Raises:
            NotFound: A node to begin with is unknown.
            InvalidArgument: An option, or a filter, is not valid.
        """
        lineage = self._walk(Direction.UPSTREAM, hops, ids_only, resume, options)
        return lineage if show_cached else lineage.fold()

    def downstream(
        self,
        hops: int | None = None,
        *,
        show_cached: bool = False,
        ids_only: bool = False,
        resume: Lineage | None = None,
        **options: Unpack[WalkOptions],
    ) -> Lineage:
        """Return everything made from the nodes, with all steps between; see `upstream`."""
        lineage = self._walk(Direction.DOWNSTREAM, hops, ids_only, resume, options)
        return lineage if show_cached else lineage.fold()

    def both(
        self,
        hops: int | None = None,
        *,
        show_cached: bool = False,
        ids_only: bool = False,
        resume: Lineage | None = None,
        **options: Unpack[WalkOptions],
    ) -> Lineage:
        """Return everything that events connect with the nodes; see `upstream`.

        At each node the walk goes both ways, so this is more than `upstream` and `downstream`
        together: also what else was made from the same data.
        """
        lineage = self._walk(Direction.BOTH, hops, ids_only, resume, options)
        return lineage if show_cached else lineage.fold()

    def iter_parts(
        self,
        direction: Direction | str,
        hops: int | None = None,
        *,
        ids_only: bool = False,
        **options: Unpack[WalkOptions],
    ) -> Iterator[LineagePart]:
        """Yield the lineage in parts, while the walk goes on; the nearest nodes come first.

        Nothing is folded. Only the last part has a verdict. The arguments are those of `upstream`;
        the direction is "upstream", "downstream" or "both".
        """
        walk = Walk(hops, options)
        request = self._request(direction_of(direction), walk, ids_only, None)
        return self._parts(request, walk)

    def summarize(
        self,
        direction: Direction | str,
        hops: int | None = None,
        **options: Unpack[WalkOptions],
    ) -> Summary:
        """Return how much a walk meets: nodes by type and distance, events by type.

        Cached repeats count. The arguments are those of `iter_parts`.
        """
        walk = Walk(hops, options)
        message = walk.to_message(self._start, direction_of(direction))
        request = pb.SummarizeRequest(walk=message, budget=walk.budget())
        response: Any = self._transport.call("Summarize", request)
        return Summary.from_message(response, walk.explicit_limits)

    def _walk(
        self,
        direction: Direction,
        hops: int | None,
        ids_only: bool,
        resume: Lineage | None,
        options: WalkOptions,
    ) -> Lineage:
        walk = Walk(hops, options)
        request = self._request(direction, walk, ids_only, resume)
        earlier_part = empty(direction) if resume is None else resume.whole
        return earlier_part.joined_by(self._parts(request, walk))

    def _request(
        self, direction: Direction, walk: Walk, ids_only: bool, resume: Lineage | None
    ) -> pb.TraceRequest:
        token = None if resume is None else resume.verdict.resume_token
        if resume is not None and token is None:
            raise errors.InvalidArgument("this lineage can't be resumed: its verdict has no token")
        return pb.TraceRequest(
            walk=walk.to_message(self._start, direction),
            ids_only=ids_only,
            budget=walk.budget(),
            resume_token=token,
        )

    def _parts(self, request: pb.TraceRequest, walk: Walk) -> Iterator[LineagePart]:
        for answer in self._transport.stream("Trace", request):
            message: Any = answer
            yield LineagePart.from_message(message, walk.explicit_limits)


class LineageMethods(NotationMethods):
    """Ask where nodes came from, where they went, and why two of them differ."""

    def lineage(
        self,
        start: Start | None = None,
        *,
        artifact: int | Sequence[int] | None = None,
        execution: int | Sequence[int] | None = None,
        kind: Kind = "artifact",
        where: str | None = None,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        name: str | None = None,
        uri: str | None = None,
        digest: str | None = None,
    ) -> LineageQuery:
        """Say where a walk begins; what comes back is asked which way to go.

        `store.lineage(model).upstream()` is everything a model was made from.

        Args:
            start: An artifact or an execution; its name, such as "artifact:12", "Model/churn" or
                "digest:sha256:9f86…", see `client.notation`; a Path, which is the artifact of its
                content; or several of these, all of one kind.
            artifact: An id of an artifact, or several.
            execution: An id of an execution, or several.
            kind: What `where` or `type` is about, "artifact" or "execution".
            where: All nodes for which this filter holds.
            type: All nodes of this type; with `name` the one of that name.
            type_version: The version of the type; None: the type without version.
            name: See `type`.
            uri: All artifacts at this uri.
            digest: All artifacts of this content, "sha256:9f86…"; its first digits are enough.

        Raises:
            NotFound: A name names nothing.
            InvalidArgument: Not exactly one way to begin is given.
        """
        selection = StartSelection(
            nodes=self._resolved(start),
            artifact=artifact,
            execution=execution,
            kind=kind,
            where=where,
            type=type,
            type_version=type_version,
            name=name,
            uri=uri,
            digest=digest,
        )
        return LineageQuery(self._transport, selection.to_message())

    def summarize_lineage(
        self,
        start: Start,
        direction: Direction | str,
        hops: int | None = None,
        **options: Unpack[WalkOptions],
    ) -> Summary:
        """Return how much lineage some nodes have, without reading it; see `lineage`.

        Raises:
            NotFound: A node to begin with is unknown.
            InvalidArgument: An option, or a filter, is not valid.
        """
        return self.lineage(start).summarize(direction, hops, **options)

    def impact(
        self,
        start: Start,
        hops: int | None = None,
        *,
        show_cached: bool = False,
        **options: Unpack[WalkOptions],
    ) -> Impact:
        """Return everything affected by some bad nodes, models first.

        That is everything downstream: a recall list. Every artifact is on it; steps that only
        repeat another one are folded. See `lineage` for `start`, and `LineageQuery` for the rest.

        Raises:
            NotFound: A node to begin with is unknown.
            InvalidArgument: An option, or a filter, is not valid.
        """
        types = self._call("GetArtifactTypes").artifact_types
        models = {
            artifact_type.name
            for artifact_type in types
            if artifact_type.base_type == metadata_pb2.ArtifactType.MODEL
        }
        query = self.lineage(start)
        return impact(query.downstream(hops, show_cached=show_cached, **options), models)

    def find_paths(
        self,
        source: GraphNode | str | Path,
        target: GraphNode | str | Path,
        *,
        direction: Direction | str = Direction.DOWNSTREAM,
        shortest_only: bool = False,
        show_cached: bool = False,
        max_paths: int = 10,
        hops: int | None = None,
        as_of: datetime | str | None = None,
        recorded_as_of: datetime | str | None = None,
        max_nodes: int | None = None,
        timeout: float | None = None,
    ) -> Paths:
        """Return the ways from one node to another, the shortest first; perhaps none.

        Args:
            source: An artifact or an execution, or its name, such as "artifact:12"; see `lineage`.
            target: Another one.
            direction: "downstream": source went into target; "upstream": target went into source;
                "both": whichever way events lead.
            shortest_only: Only the shortest ways.
            show_cached: Answer also the ways that lead over cached repeats of an execution instead
                of the execution; else `Path.repeats` counts these.
            max_paths: How many ways to answer at most.
            hops: The longest way to answer; None: of any length.
            as_of: Only over events that had happened by then.
            recorded_as_of: Only over events that the store had learned of by then.
            max_nodes: How many nodes to look at at most.
            timeout: How many seconds the search may take.

        Raises:
            NotFound: A node is unknown.
            InvalidArgument: An argument is not valid.
        """
        request = pb.FindPathsRequest(
            source=node_message(self._key(source)),
            target=node_message(self._key(target)),
            direction=direction_name(direction_of(direction)),
            shortest_only=shortest_only,
            fold_cached=not show_cached,
            max_paths=max_paths,
            max_hops=hops,
            as_of=as_of_message(as_of, recorded_as_of),
            budget=budget_message(max_nodes, None, timeout),
        )
        limits = limits_of(hops=hops, max_nodes=max_nodes, timeout=timeout) | {Limit.MAX_PATHS}
        return Paths.from_message(self._send("FindPaths", request), limits)

    def compare(
        self,
        left: Artifact | int | str | Path,
        right: Artifact | int | str | Path,
        *,
        as_of: datetime | str | None = None,
        recorded_as_of: datetime | str | None = None,
        max_nodes: int | None = None,
        timeout: float | None = None,
    ) -> Comparison:
        """Return why two artifacts are not the same: the differences upstream of them.

        Data, code, parameters, environment and steps are compared; `lineage.comparison` and
        `lineage.aspects` have the rules.

        Args:
            left: An artifact, its id, or its name; see `lineage`.
            right: Another one.
            as_of: Only over events that had happened by then.
            recorded_as_of: Only over events that the store had learned of by then.
            max_nodes: How many nodes to read of each lineage at most.
            timeout: How many seconds to walk at most.

        Raises:
            NotFound: An artifact is unknown.
            InvalidArgument: An argument is not valid.
        """
        ids = artifact_id_of(self, left), artifact_id_of(self, right)
        request = pb.CompareRequest(
            left_artifact_id=ids[0],
            right_artifact_id=ids[1],
            as_of=as_of_message(as_of, recorded_as_of),
            budget=budget_message(max_nodes, None, timeout),
        )
        keys = [key("artifact", artifact_id) for artifact_id in ids]
        limits = limits_of(max_nodes=max_nodes, timeout=timeout)
        return Comparison.from_message(self._send("Compare", request), keys[0], keys[1], limits)

    def _resolved(self, start: object) -> Any:  # noqa: ANN401 - as it was given
        """Return where to begin, with keys in place of names."""
        if isinstance(start, str | Path):
            return self.find_nodes(start).keys
        if not isinstance(start, Sequence):
            return start
        named = [
            self.find_nodes(one).keys if isinstance(one, str | Path) else [one] for one in start
        ]
        return [one for several in named for one in several]

    def _key(self, node: GraphNode | str | Path) -> str:
        if isinstance(node, str | Path):
            return self.find_nodes(node).only(node)
        return key_of_given(node)
