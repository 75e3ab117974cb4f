"""The nodes that a walk starts from."""

from collections.abc import Callable, Iterable
from typing import Any

from lineage_store import errors
from lineage_store.database.queries.digests import artifacts_with
from lineage_store.database.queries.lineage_nodes import NodeReader
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.lineage.filters import condition
from lineage_store.engine.requests import required, text
from lineage_store.entities import Artifact
from lineage_store.kinds import ARTIFACT, EXECUTION, NodeKind
from lineage_store.limits import FilterLimits
from lineage_store.lineage.identity import DIGEST_PROPERTIES, DigestPattern
from lineage_store.v1 import lineage_pb2 as pb

KINDS = {pb.ARTIFACT: ARTIFACT, pb.EXECUTION: EXECUTION}
NUMBERS = {kind: number for number, kind in KINDS.items()}

SHOWN_IDS = 10
"""Ids that an error names."""

Find = Callable[[Snapshot], list[int]]


def kind_of(message: pb.NodeSelection | pb.LineageNode, where: str) -> NodeKind:
    """Return the kind that a message names.

    Raises:
        InvalidArgument: It names none.
    """
    kind = KINDS.get(message.kind)
    if kind is None:
        raise errors.InvalidArgument(f"{where}.kind must be ARTIFACT or EXECUTION")
    return kind


def check_exist(snapshot: Snapshot, kind: NodeKind, ids: Iterable[int]) -> None:
    """Check that nodes exist.

    Raises:
        NotFound: Some do not, and which.
    """
    checked_ids = set(ids)
    missing_ids = sorted(checked_ids - NodeReader(snapshot).existing(kind, checked_ids))
    if missing_ids:
        shown = ", ".join(map(str, missing_ids[:SHOWN_IDS]))
        more = f" and {len(missing_ids) - SHOWN_IDS} more" if len(missing_ids) > SHOWN_IDS else ""
        raise errors.NotFound(f"there is no {kind.name} {shown}{more}")


def selection(message: pb.NodeSelection, where: str, limits: FilterLimits) -> tuple[NodeKind, Find]:
    """Return the kind of the selected nodes, and the function that finds their ids.

    The finder raises NotFound when nothing is selected.

    Args:
        message: NodeSelection.
        where: Where it is in the request, for errors.
        limits: The bounds of filters.

    Raises:
        InvalidArgument: The selection contradicts itself or lacks something.
    """
    kind = kind_of(message, where)
    by = message.WhichOneof("by")
    if by is None:
        raise errors.InvalidArgument(f"{where} must have ids, filter_query, named, uri or digest")
    where = f"{where}.{by}"
    if by == "filter_query":
        return kind, by_filter(kind, message.filter_query, where, limits)
    return kind, _FINDERS[by](kind, getattr(message, by), where)


def _by_ids(kind: NodeKind, message: pb.NodeSelection.Ids, where: str) -> Find:
    ids = list(message.ids)
    if not ids:
        raise errors.InvalidArgument(f"{where}.ids must not be empty")

    def find(snapshot: Snapshot) -> list[int]:
        check_exist(snapshot, kind, ids)
        return ids

    return find


def by_filter(kind: NodeKind, query: str, where: str, limits: FilterLimits) -> Find:
    """Return the function that finds the nodes of a filter, which must not be empty."""
    if not text(where, query):
        raise errors.InvalidArgument(f"{where} must not be empty")
    matches = condition(kind, query, where, limits)

    def find(snapshot: Snapshot) -> list[int]:
        return _some(snapshot.matching_ids(kind, matches), f"no {kind.name} matches {where}")

    return find


def _by_name(kind: NodeKind, message: pb.NodeSelection.Named, where: str) -> Find:
    type_name = text(f"{where}.type", required(message, "type", f"{where}."))
    version = text(f"{where}.type_version", message.type_version)
    name = text(f"{where}.name", message.name) if message.HasField("name") else None

    def find(snapshot: Snapshot) -> list[int]:
        stored_type = snapshot.types.find(kind, type_name, version)
        if stored_type is None:
            raise errors.NotFound(f"{where}: there is no {kind.name} type {type_name!r}")
        type_id = stored_type.message.id
        if name is None:
            ids = NodeReader(snapshot).ids_of_type(kind, type_id)
            return _some(ids, f"{where}: there is no {kind.name} of type {type_name!r}")
        body = snapshot.node_by_name(kind, type_name, version, name)
        if body is None:
            raise errors.NotFound(
                f"{where}: no {kind.name} of type {type_name!r} is named {name!r}"
            )
        return [kind.message.FromString(body).id]

    return find


def _by_uri(kind: NodeKind, uri: str, where: str) -> Find:
    if kind is not ARTIFACT:
        raise errors.InvalidArgument(f"{where}: only artifacts have a uri")
    text(where, uri)

    def find(snapshot: Snapshot) -> list[int]:
        bodies = snapshot.artifacts_by_uris([uri])
        ids = [kind.message.FromString(body).id for body in bodies]
        return _some(ids, f"{where}: there is no artifact at {uri!r}")

    return find


def _by_digest(kind: NodeKind, digest: str, where: str) -> Find:
    if kind is not ARTIFACT:
        raise errors.InvalidArgument(f"{where}: only artifacts have a digest")
    pattern = DigestPattern.of(text(where, digest))

    def find(snapshot: Snapshot) -> list[int]:
        bodies = artifacts_with(
            snapshot, DIGEST_PROPERTIES, pattern.texts(), as_prefix=pattern.is_prefix
        )
        artifacts = map(Artifact.from_message, map(kind.message.FromString, bodies))
        ids = [artifact.id or 0 for artifact in artifacts if pattern.matches(artifact)]
        return _some(ids, f"{where}: no artifact has the digest {digest!r}")

    return find


def _some(ids: list[int], otherwise: str) -> list[int]:
    if not ids:
        raise errors.NotFound(otherwise)
    return ids


_FINDERS: dict[str, Callable[[NodeKind, Any, str], Find]] = {
    "ids": _by_ids,
    "named": _by_name,
    "uri": _by_uri,
    "digest": _by_digest,
}
