"""The SQL statements that code runs, for tests that count them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lineage_store.database import connection


@contextmanager
def observed_statements(keeps: Callable[[str], bool] = lambda _: True) -> Iterator[list[str]]:
    """Collect the text of each statement that is run in the block.

    Args:
        keeps: Whether to collect a statement; by default, all.
    """
    texts: list[str] = []

    def observe(text: str) -> None:
        if keeps(text):
            texts.append(text)

    connection.statement_observers.append(observe)
    try:
        yield texts
    finally:
        connection.statement_observers.remove(observe)
