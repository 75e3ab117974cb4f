"""Asks both stores for a lineage graph, and counts the outcomes."""

from collections import Counter
from dataclasses import dataclass, field

from google.protobuf.message import Message

from tests.differential.comparison import Exchange
from tests.differential.filters.comparing import allowing, is_same
from tests.differential.peers import Answer, Store, response_of

METHOD = "GetLineageSubgraph"


def graph(store: Store, request: Message) -> Answer:
    """Return an answer whose lists are sets, in one order for all stores."""
    answer = store.call(METHOD, request)
    normal = response_of(METHOD)
    for descriptor, parts in answer.response.lineage_subgraph.ListFields():
        unique = {part.SerializeToString(deterministic=True): part for part in parts}
        getattr(normal.lineage_subgraph, descriptor.name).extend(
            unique[key] for key in sorted(unique)
        )
        if store.name == "ours":
            assert len(unique) == len(parts), f"{descriptor.name} has something twice"
    return Answer(answer.code, answer.message, normal)


def exchange_of(real: Store, ours: Store, request: Message) -> Exchange:
    """Return both answers to a query."""
    answers = [graph(store, request) for store in (real, ours)]
    return Exchange(METHOD, request, *answers, raw=answers)


@dataclass
class LineageTally:
    """Counts of the queries of a run, and of the answers of the real store."""

    answers: Counter[str] = field(default_factory=Counter)
    used: dict[str, Counter[str]] = field(default_factory=dict)
    differences: Counter[str] = field(default_factory=Counter)

    def count(self, used: set[str], real: Answer) -> None:
        """Count one query."""
        outcome = real.status
        if not real.code:
            outcome = f"{'with' if real.response.lineage_subgraph.events else 'without'} events"
        self.answers[outcome] += 1
        for part in used:
            self.used.setdefault(part, Counter())[outcome] += 1

    def summary(self) -> str:
        """Return a table of the counts."""
        lines = [f"{name:36} {dict(counts)}" for name, counts in sorted(self.used.items())]
        lines += [f"allowed  {count:6}  {name}" for name, count in self.differences.items()]
        return "\n".join([f"{dict(self.answers)}", *lines])


def agrees(exchange: Exchange, tally: LineageTally, used: set[str]) -> bool:
    """Count an outcome; return True if both answers are the same, or different on purpose."""
    tally.count(used, exchange.real)
    if is_same(exchange):
        return True
    allowed = allowing(exchange)
    if allowed is not None:
        tally.differences[allowed] += 1
    return allowed is not None
