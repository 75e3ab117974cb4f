"""Fills an SQLite store with as many nodes as wanted, straight through its tables.

A run has 20 steps; each reads up to three outputs of the steps before it in its run, the last of
them for certain, and writes two. All runs look alike, so the closure of the last artifact of a run
has the same size in a store of any size. Each step has an entry of the cache.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Table, update

from benchmarks.suite.requests import declared_ids, declared_types
from lineage_store.database import tables
from lineage_store.database.connection import Connection
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.staging.edges import event_row
from lineage_store.database.staging.node_rows import (
    PROPERTY_COLUMNS,
    encoded,
    node_row,
    property_rows,
)
from lineage_store.database.statements import Statement
from lineage_store.engine import Engine
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.v1 import metadata_pb2 as pb

STEPS_OF_RUN, OUTPUTS, NODES_OF_STEP = 20, 2, 3
STEPS_OF_BATCH = 1_000
MOMENT = 1_700_000_000_000
SAME_VALUE = 10
"""Nodes that share the value of their property p0, in a store of any size."""

FAST = ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-2097152")

Rows = dict[Table, list[tuple[Any, ...]]]


def digest(step: int) -> bytes:
    """Return the key of a step."""
    return hashlib.sha256(b"step %d" % step).digest()


@lru_cache(maxsize=STEPS_OF_RUN)
def reads(step: int) -> tuple[int, ...]:
    """Return which outputs a step of a run reads, counted from the first of the run."""
    if step == 0:
        return ()
    before = step * OUTPUTS
    others = random.Random(step).sample(range(before - 1), min(2, before - 1))
    return (*sorted(others), before - 1)


def closure_size() -> int:
    """Return how many nodes are upstream of the last artifact of a run, itself included."""
    found, waiting = {STEPS_OF_RUN * OUTPUTS - 1}, [STEPS_OF_RUN * OUTPUTS - 1]
    steps = set()
    while waiting:
        step = waiting.pop() // OUTPUTS
        if step not in steps:
            steps.add(step)
            new = set(reads(step)) - found
            found |= new
            waiting += new
    return len(found) + len(steps)


class Bulk:
    """Makes the rows of steps; ids are counted from 1, those of runs from 2.

    Args:
        types: Ids of types by what they are for.
    """

    def __init__(self, types: dict[str, int]) -> None:
        self._types = types
        self._event = 0

    def rows(self, steps: range) -> Rows:
        """Return the rows of some steps, by table."""
        rows: Rows = {table: [] for table in self._tables()}
        for step in steps:
            if step % STEPS_OF_RUN == 0:
                self._add_context(rows, step // STEPS_OF_RUN + 2, "run", step)
            if step == 0:
                self._add_context(rows, 1, "pipeline", step)
            self._add_step(rows, step)
        return rows

    @staticmethod
    def _tables() -> Iterator[Table]:
        yield from tables.nodes.values()
        yield from tables.properties.values()
        yield from (tables.events, tables.attributions, tables.associations, tables.cache_entries)

    def _add(self, rows: Rows, kind: Any, node: Any) -> None:
        node.create_time_since_epoch = node.last_update_time_since_epoch = MOMENT
        rows[tables.nodes[kind]].append(node_row(kind, node, encoded(node), 1, MOMENT * 1000))
        rows[tables.properties[kind]] += property_rows(node)

    def _add_context(self, rows: Rows, number: int, what: str, step: int) -> None:
        name = what if what == "pipeline" else f"run-{step // STEPS_OF_RUN}"
        context = pb.Context(id=number, type_id=self._types[what], type=what, name=name)
        self._add(rows, CONTEXT, context)

    def _add_step(self, rows: Rows, step: int) -> None:
        execution = pb.Execution(
            id=step + 1,
            type_id=self._types["execution"],
            name=f"step-{step}",
            last_known_state=pb.Execution.COMPLETE,
        )
        self._describe(execution, step)
        self._add(rows, EXECUTION, execution)
        self._add_outputs(rows, step)
        self._add_events(rows, step)
        for context in (1, step // STEPS_OF_RUN + 2):
            rows[tables.associations].append((context, step + 1, MOMENT * 1000))
        times = (MOMENT, None, MOMENT * 1000)
        entry = (step + 1, "", digest(step), step + 1, step + 1, *times, 0, None, None, None, None)
        rows[tables.cache_entries].append((*entry, b"", None))

    @staticmethod
    def _describe(node: Any, number: int) -> None:
        node.properties["p0"].string_value = f"{number // SAME_VALUE}"
        node.properties["p1"].string_value = f"{number % 10}"

    def _add_outputs(self, rows: Rows, step: int) -> None:
        for at in range(OUTPUTS):
            number = step * OUTPUTS + at
            artifact = pb.Artifact(
                id=number + 1,
                type_id=self._types["artifact"],
                name=f"artifact-{number}",
                uri=f"s3://bucket/{number}",
                state=pb.Artifact.LIVE,
            )
            self._describe(artifact, number)
            self._add(rows, ARTIFACT, artifact)
            for context in (1, step // STEPS_OF_RUN + 2):
                rows[tables.attributions].append((context, number + 1, MOMENT * 1000))

    def _add_events(self, rows: Rows, step: int) -> None:
        first = step // STEPS_OF_RUN * STEPS_OF_RUN * OUTPUTS
        read = [(first + at, pb.Event.INPUT) for at in reads(step % STEPS_OF_RUN)]
        written = [(step * OUTPUTS + at, pb.Event.OUTPUT) for at in range(OUTPUTS)]
        for place, (artifact, kind) in enumerate((*read, *written)):
            self._event += 1
            event = pb.Event(artifact_id=artifact + 1, execution_id=step + 1, type=kind)
            event.milliseconds_since_epoch = MOMENT
            event.path.steps.add(key=f"place{place}")
            rows[tables.events].append(event_row(self._event, event, MOMENT * 1000))


def build(file: Path, nodes: int, progress: Callable[[int], object]) -> int:
    """Make a store of about so many nodes; return how many steps it has.

    Args:
        file: Where; it must not exist.
        nodes: How many artifacts, executions and contexts.
        progress: Called with the steps of each batch.
    """
    steps = max(1, nodes // NODES_OF_STEP // STEPS_OF_RUN) * STEPS_OF_RUN
    url = f"sqlite:///{file}"
    bulk = Bulk(_declare(url))
    driver = driver_for(url)
    raw = driver.connect()
    try:
        for pragma in FAST:  # what is half built is thrown away
            raw.execute(pragma)
        connection = Connection(raw, driver)
        for first in range(0, steps, STEPS_OF_BATCH):
            batch = range(first, min(first + STEPS_OF_BATCH, steps))
            _insert(connection, bulk.rows(batch))
            progress(len(batch))
        _set_counters(connection)
        raw.execute("PRAGMA journal_mode=WAL")
    finally:
        driver.close(raw)
    return steps


def _declare(url: str) -> dict[str, int]:
    with closing(Engine(url)) as engine:
        return declared_ids(engine.call("PutTypes", declared_types()))


def _insert(connection: Connection, rows: Rows) -> None:
    connection.begin(write=True)
    for table, of_table in rows.items():
        connection.insert(table, of_table, _columns(table))
    connection.commit()


def _columns(table: Table) -> Sequence[str] | None:
    return PROPERTY_COLUMNS if table in tables.properties.values() else None


def _set_counters(connection: Connection) -> None:
    """Let ids go on far behind those that were given out."""
    counters = tables.counters
    others = counters.c.name != "types"
    connection.begin(write=True)
    connection.execute(Statement(update(counters).where(others).values(next_id=1_000_000_001)))
    connection.commit()
