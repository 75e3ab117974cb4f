"""Asks both stores for the nodes that a filter finds, and counts the outcomes."""

from collections import Counter
from dataclasses import dataclass, field

from google.protobuf.message import Message

from tests.differential.comparison import Exchange, copy_of
from tests.differential.differences import DIFFERENCES
from tests.differential.peers import Answer, Store, request_of, response_of


def listing_all(kind: str) -> Message:
    """Return a request for all nodes of a kind."""
    return request_of(f"Get{kind.capitalize()}s")


def ids_found(store: Store, listing: Message, kind: str, text: str) -> Answer:
    """Return the answer to a listing with a filter; its response holds nothing but ids."""
    method = listing.DESCRIPTOR.name.removesuffix("Request")
    request = copy_of(listing)
    request.options.filter_query = text
    request.options.max_result_size = 100
    answer = store.call(method, request)
    bare = response_of(method)
    for node_id in sorted(node.id for node in getattr(answer.response, f"{kind}s")):
        getattr(bare, f"{kind}s").add(id=node_id)
    return Answer(answer.code, answer.message, bare)


def exchange_of(
    real: Store, ours: Store, kind: str, text: str, listing: Message | None = None
) -> Exchange:
    """Return both answers to a filter, on a listing of all nodes or on another one."""
    request = copy_of(listing or listing_all(kind))
    answers = [ids_found(store, request, kind, text) for store in (real, ours)]
    request.options.filter_query = text
    method = request.DESCRIPTOR.name.removesuffix("Request")
    return Exchange(method, request, *answers, raw=answers)


def ids_in(answer: Answer, kind: str) -> list[int]:
    """Return the ids of an answer of `ids_found`."""
    return [node.id for node in getattr(answer.response, f"{kind}s")]


@dataclass
class FilterTally:
    """Counts of the filters of a run, and of the answers of the real store."""

    answers: Counter[str] = field(default_factory=Counter)
    constructs: dict[str, Counter[str]] = field(default_factory=dict)
    differences: Counter[str] = field(default_factory=Counter)

    def count(self, used: set[str], outcome: str) -> None:
        """Count one filter."""
        self.answers[outcome] += 1
        for construct in used:
            self.constructs.setdefault(construct, Counter())[outcome] += 1

    def summary(self) -> str:
        """Return a table of the counts."""
        outcomes = sorted(self.answers)
        rows = [["", *outcomes], ["all", *(str(self.answers[name]) for name in outcomes)]]
        rows += [
            [construct, *(str(counts[name] or "") for name in outcomes)]
            for construct, counts in sorted(self.constructs.items())
        ]
        lines = [f"{row[0]:36}" + "".join(f"{cell:>18}" for cell in row[1:]) for row in rows]
        return "\n".join(
            lines + [f"allowed  {count:6}  {name}" for name, count in self.differences.items()]
        )


class Comparison:
    """Two stores with the same population."""

    def __init__(self, real: Store, ours: Store, tally: FilterTally, sizes: dict[str, int]) -> None:
        self._real, self._ours, self._tally, self._sizes = real, ours, tally, sizes

    def agrees(self, kind: str, text: str, used: set[str], listing: Message) -> bool:
        """Compare both answers to a filter on a listing, and count the outcome.

        Returns:
            False when they differ, and no deliberate difference says why.
        """
        exchange = self.exchange(kind, text, listing)
        self._tally.count(used, self._outcome(exchange.real, kind))
        if is_same(exchange):
            return True
        allowed = allowing(exchange)
        if allowed is not None:
            self._tally.differences[allowed] += 1
        return allowed is not None

    def is_explained(self, kind: str, text: str, listing: Message) -> bool:
        """Return True if both answers are the same, or different on purpose."""
        exchange = self.exchange(kind, text, listing)
        return is_same(exchange) or allowing(exchange) is not None

    def exchange(self, kind: str, text: str, listing: Message) -> Exchange:
        """Return both answers to a filter on a listing."""
        return exchange_of(self._real, self._ours, kind, text, listing)

    def _outcome(self, real: Answer, kind: str) -> str:
        if real.code:
            return real.status
        count = len(ids_in(real, kind))
        return "none" if not count else "all" if count == self._sizes[kind] else "some"


def is_same(exchange: Exchange) -> bool:
    """Return True if both stores answer the same, and ours is not at a loss as well."""
    return exchange.equal and exchange.ours.status != "INTERNAL"


def allowing(exchange: Exchange) -> str | None:
    """Return the name of the deliberate difference that explains an exchange."""
    return next(
        (
            entry.name
            for entry in DIFFERENCES
            if entry.explains is not None and entry.explains(exchange)
        ),
        None,
    )
