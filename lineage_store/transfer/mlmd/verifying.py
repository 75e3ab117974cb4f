"""A store is compared with the database of ML Metadata that it was filled from."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.database.bulk.store_pages import StorePages
from lineage_store.database.mlmd.source import LEAST, MlmdSource
from lineage_store.kinds import ARTIFACT, EXECUTION, KINDS
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.reading import MlmdReading, Page

SHOWN = 20
"""Differences that are told one by one."""

Progress = Callable[[int, int], None]

Keyed = tuple[Any, Any]
"""A key, by which both sides are in order, and the value under it."""


@dataclass(slots=True)
class Verified:
    """The result of a comparison.

    Attributes:
        compared: How many types, nodes and edges are equal on both sides.
        differing: How many are not, or are on one side only.
        first: The first of those, such as "artifact 12 differs".
    """

    compared: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    first: list[str] = field(default_factory=list)

    def demand_equal(self) -> None:
        """Raise Aborted if anything differs."""
        if self.differing:
            raise errors.Aborted(
                f"{self.differing} of the target differ from the source ({self.first[0]}, …): was "
                "the source written to meanwhile? stop what writes to it and import it anew"
            )


def verify_mlmd(source_url: str, target_url: str, progress: Progress = lambda *_: None) -> Verified:
    """Read a database of ML Metadata and the store made of it again, and compare them.

    Raises:
        LineageError: One of them can't be read, and why.
    """
    with closing(MlmdSource(source_url)) as source, closing(StorePages(target_url)) as store:
        return _Comparison(source, store, progress).run()


class _Comparison:
    """One comparison."""

    def __init__(self, source: MlmdSource, store: StorePages, progress: Progress) -> None:
        self._reading = MlmdReading(source, Findings(), store.max_row_bytes)
        self._store = store
        self._progress = progress
        self._counts = source.counts()
        self._rows_so_far = 0
        self._result = Verified()

    def run(self) -> Verified:
        store, reading = self._store, self._reading
        types = ((number, _encoded(t.message)) for number, t in sorted(reading.types.items()))
        stored = ((t.message.id, _encoded(t.message)) for t in store.types())
        self._compare("types", types, stored)
        for kind in KINDS:
            nodes = ((node.id, _encoded(node)) for node in self._items(reading.nodes(kind)))
            self._compare(kind.plural, nodes, _by_id(partial(store.nodes, kind)))
        events = (
            (number, _encoded(event))
            for number, event in self._items(reading.events(store.existing))
        )
        self._compare("events", events, _by_id(store.events))
        for kind, name in ((ARTIFACT, "attributions"), (EXECUTION, "associations")):
            pairs = self._items(reading.members(kind, store.existing))
            self._compare(name, _plain(pairs), _by_pair(partial(store.members, kind)))
        pairs = self._items(reading.parents(store.existing))
        self._compare("parent_contexts", _plain(pairs), _by_pair(store.parents))
        return self._result

    def _items(self, pages: Iterator[Page]) -> Iterator[Any]:
        for page in pages:
            yield from page.items
            self._rows_so_far += page.row_count
            self._progress(self._rows_so_far, sum(self._counts.values()))

    def _compare(self, name: str, source_items: Iterable[Keyed], stored: Iterable[Keyed]) -> None:
        equal = 0
        for key, difference in merged(source_items, stored):
            if difference is None:
                equal += 1
                continue
            self._result.differing += 1
            if len(self._result.first) < SHOWN:
                self._result.first.append(f"{name.removesuffix('s')} {key} {difference}")
        self._result.compared[name] = equal


def merged(
    source_items: Iterable[Keyed], stored: Iterable[Keyed]
) -> Iterator[tuple[Any, str | None]]:
    """Yield each key of two ordered streams, and how they differ there; None: they are equal."""
    left, right = iter(source_items), iter(stored)
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None  # noqa: S101 - one of the two is there
            yield one[0], "is missing"
            one = next(left, None)
        elif one is None or other[0] < one[0]:
            yield other[0], "is not in the source"
            other = next(right, None)
        else:
            yield one[0], None if one[1] == other[1] else "differs"
            one, other = next(left, None), next(right, None)


def _by_id(read_page: Callable[[int], list[tuple[int, bytes]]]) -> Iterator[Keyed]:
    after = LEAST
    while page := read_page(after):
        yield from page
        after = page[-1][0]


def _by_pair(read_page: Callable[[tuple[int, int]], list[tuple[int, int]]]) -> Iterator[Keyed]:
    after = (LEAST, LEAST)
    while page := read_page(after):
        yield from _plain(page)
        after = page[-1]


def _plain(pairs: Iterable[tuple[int, int]]) -> Iterator[Keyed]:
    return ((pair, None) for pair in pairs)


def _encoded(message: Message) -> bytes:
    encoded: bytes = message.SerializeToString(deterministic=True)
    return encoded
