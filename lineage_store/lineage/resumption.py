"""Resume tokens: all that a walk has come to, handed to the client instead of kept.

A token is version, digest of the request, checksum, and the compressed state. Each list of ids
ascends, so it is written as the differences between its elements, which compress to about a byte
each.
"""

import hashlib
import struct
import sys
import zlib
from array import array
from collections import deque
from collections.abc import Collection
from itertools import accumulate

from lineage_store import errors
from lineage_store.kinds import ARTIFACT, BY_NUMBER, EXECUTION, NodeKind
from lineage_store.lineage.source import MAX_ID, Position
from lineage_store.lineage.state import State

VERSION = 1
MAX_IDS = 4_000_000
"""Ids in a token; a walk that has met more nodes can't be continued."""

MAX_COUNT = 2**53
"""The largest count in a token."""

_OUTER = struct.Struct("<B16s8s")  # version, digest, checksum
_INNER = struct.Struct("<BQQQB3Q7I")  # kind, hop, nodes, events, has_after, after, list lengths
_MAX_BYTES = _INNER.size + 8 * MAX_IDS

Ids = Collection[int]


def digest(request: bytes) -> bytes:
    """Return the digest that ties a token to a request."""
    return hashlib.sha256(request).digest()[:16]


def write_token(state: State, made_for: bytes) -> bytes | None:
    """Return the token of a state; None if it would be too large to be read back.

    Args:
        state: Where the walk stands.
        made_for: The digest of the request.
    """
    lists = _lists(state)
    if sum(map(len, lists)) > MAX_IDS:
        return None
    head = _INNER.pack(
        state.kind.number,
        state.hop,
        state.nodes,
        state.events,
        state.after is not None,
        *(state.after or (0, 0, 0)),
        *map(len, lists),
    )
    packed = zlib.compress(head + b"".join(map(_packed, lists)), 1)
    return _OUTER.pack(VERSION, made_for, _checksum(made_for, packed)) + packed


def read_token(token: bytes, made_for: bytes) -> State:
    """Return the state of a token.

    Raises:
        InvalidArgument: It is not a token, it is damaged, or it was made for another request.
    """
    if len(token) < _OUTER.size or token[0] != VERSION:
        raise errors.InvalidArgument("resume_token is not a resume token")
    _, token_digest, checksum = _OUTER.unpack_from(token)
    packed = token[_OUTER.size :]
    if checksum != _checksum(token_digest, packed):
        raise errors.InvalidArgument("resume_token is damaged")
    if token_digest != made_for:
        raise errors.InvalidArgument(
            "resume_token was made for another walk; only max_hops and the budget may differ"
        )
    try:
        return _state(_unpacked(packed))
    except (zlib.error, struct.error, ValueError, KeyError, OverflowError):
        raise errors.InvalidArgument("resume_token does not hold the state of a walk") from None


def _lists(state: State) -> list[Ids]:
    return [
        state.unsent,
        state.frontier,
        state.reached,
        *(state.answered[kind] for kind in (ARTIFACT, EXECUTION)),
        *(state.end_nodes[kind] for kind in (ARTIFACT, EXECUTION)),
    ]


def _checksum(made_for: bytes, packed: bytes) -> bytes:
    return hashlib.sha256(made_for + packed).digest()[:8]


def _unpacked(packed: bytes) -> bytes:
    """Return the uncompressed bytes; never hold more than a bounded size."""
    reader = zlib.decompressobj()
    raw = reader.decompress(packed, _MAX_BYTES)
    if not reader.eof or reader.unused_data:
        raise ValueError("more, or less, than one state")
    return raw


def _state(raw: bytes) -> State:
    number, hop, nodes, events, has_after, near, far, event_type, *lengths = _INNER.unpack_from(raw)
    if len(raw) != _INNER.size + 8 * sum(lengths):
        raise ValueError("lists of another length")
    lists = []
    at = _INNER.size
    for length in lengths:
        lists.append(_ids(raw[at : at + 8 * length]))
        at += 8 * length
    unsent, frontier, reached, *sets = lists
    after: Position | None = (near, far, event_type) if has_after else None
    if max(hop, nodes, events) > MAX_COUNT:
        raise ValueError("more than a walk can meet")
    _check(unsent, frontier, reached, after)
    return State(
        kind=_kind(number),
        hop=hop,
        unsent=deque(unsent),
        frontier=deque(frontier),
        after=after,
        reached=set(reached),
        answered={ARTIFACT: set(sets[0]), EXECUTION: set(sets[1])},
        end_nodes={ARTIFACT: set(sets[2]), EXECUTION: set(sets[3])},
        nodes=nodes,
        events=events,
    )


def _kind(number: int) -> NodeKind:
    if BY_NUMBER[number] not in (ARTIFACT, EXECUTION):
        raise ValueError("a kind that takes no part in events")
    return BY_NUMBER[number]


def _check(
    unsent: list[int], frontier: list[int], reached: list[int], after: Position | None
) -> None:
    if not (unsent or frontier or reached):
        raise ValueError("nothing to go on with")
    if after is not None and (not frontier or after[0] != frontier[0] or max(after) > MAX_ID):
        raise ValueError("a position outside the frontier")


def _packed(ids: Ids) -> bytes:
    ordered = sorted(ids)
    steps = array("Q", (b - a for a, b in zip([0, *ordered], ordered, strict=False)))
    if sys.byteorder == "big":
        steps.byteswap()
    return steps.tobytes()


def _ids(raw: bytes) -> list[int]:
    steps = array("Q", raw)
    if sys.byteorder == "big":
        steps.byteswap()
    if 0 in steps:
        raise ValueError("an id twice")
    ids = list(accumulate(steps))
    if ids and ids[-1] > MAX_ID:
        raise ValueError("an id that none can be")
    return ids
