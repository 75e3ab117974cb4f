"""Walks over the pages of a listing, each store with its own tokens."""

from typing import TYPE_CHECKING

from google.protobuf.message import Message

from lineage_store.v1 import metadata_pb2
from tests.differential.comparison import TOKEN, Exchange, copy_of
from tests.differential.operations import Operation
from tests.differential.peers import Answer

if TYPE_CHECKING:
    from tests.differential.duel import Duel, Side

BY_UPDATE_TIME = "order by update time"

_OrderBy = metadata_pb2.ListOperationOptions.OrderByField


def walk(duel: "Duel", operation: Operation, request: Message) -> None:
    """Ask for a page and for those after it, and compare them as they come."""
    first = request.options
    by_update_time = first.order_by_field.field == _OrderBy.LAST_UPDATE_TIME
    expected = [_by_update_time(side, operation.method, request) for side in duel.sides]
    tokens: list[str] | None = None
    for turn in (None, *operation.turns):
        page_request = copy_of(request)
        if turn is not None:
            page_request.options.CopyFrom(turn)
        exchange = _ask(duel, operation.method, page_request, tokens)
        if by_update_time and exchange.real.code == exchange.ours.code == 0:
            _judge_by_update_time(duel, exchange, expected, is_first=tokens is None)
        else:
            duel.compare(exchange)
        tokens = [answer.response.next_page_token for answer in exchange.raw]
        if not all(tokens):
            return


def _ask(duel: "Duel", method: str, request: Message, tokens: list[str] | None) -> Exchange:
    """Send each store the request with the token that it answered last."""
    if tokens is None:
        return duel.call(method, request, [request, request])
    rendered = []
    for token in tokens:
        part = copy_of(request)
        part.options.next_page_token = token
        rendered.append(part)
    shown = copy_of(request)
    shown.options.next_page_token = TOKEN
    return duel.call(method, shown, rendered)


def _nodes(answer: Answer) -> list[Message]:
    """Return the nodes of a listing."""
    for name in ("artifacts", "executions", "contexts"):
        if hasattr(answer.response, name):
            return list(getattr(answer.response, name))
    raise AssertionError(f"not a listing: {answer}")


def _by_update_time(side: "Side", method: str, request: Message) -> list[int]:
    """Return the symbols of all listed nodes in the order of the update times of one store."""
    whole = copy_of(request)
    whole.ClearField("options")
    raw, normal = side.call(method, whole)
    descending = not request.options.order_by_field.is_asc
    ordered = sorted(
        zip(_nodes(raw), _nodes(normal), strict=True),
        key=lambda pair: (pair[0].last_update_time_since_epoch, pair[0].id),
        reverse=descending,
    )
    return [node.id for _, node in ordered]


def _judge_by_update_time(
    duel: "Duel", exchange: Exchange, expected: list[list[int]], *, is_first: bool
) -> None:
    """Compare a page with the update times of its own store, and take its nodes from `expected`.

    Of the real store only the first page is judged: its later ones repeat nodes.
    """
    duel.log.append(str(exchange))
    # A size that makes no sense is not noticed while there is nothing to answer.
    size = max(exchange.request.options.max_result_size, 0)
    for answer, rest in zip((exchange.real, exchange.ours), expected, strict=True):
        page = [node.id for node in _nodes(answer)]
        good = page == rest[:size] and bool(answer.response.next_page_token) == (len(rest) > size)
        if not good and (is_first or answer is exchange.ours):
            duel.fail(f"{exchange.method} by update time: expected {rest[:size]} of {rest}")
        del rest[:size]
    if exchange.real.response != exchange.ours.response:
        duel.tally.differences[BY_UPDATE_TIME] += 1
