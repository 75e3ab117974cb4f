"""Bounds on the data that a store takes and on the questions it answers.

Every database must be able to hold and index the data; no question must occupy the store.
"""

from dataclasses import dataclass, field

MAX_NAME = 512
"""Characters in a name, a version, an external id or the name of a property."""

MAX_PAGE = 100
"""Nodes on a page of a listing."""

PAGE_BYTES = 3 * 1024 * 1024
"""Bytes of the nodes on a page of a listing, but one node at least: gRPC clients that set no bound
of their own take messages of 4 MiB."""

MAX_NODE_BYTES = 12_000_000
"""Bytes of one node. MySQL and MariaDB take a statement of 16 MiB as a rule (`max_allowed_packet`),
in which what must be escaped takes up to a third more."""

UNBOUNDED = 2**62

FILTER_SECONDS = 30.0
"""Seconds for which a database works on a filter."""

RETRY_FOR_SECONDS = 5.0
"""Seconds for which a call tries again while the database is away or other writers are faster."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FilterLimits:
    """The limits of a filter.

    Attributes:
        characters: Length of its text.
        tokens: Names, values, signs and parentheses; a list of literals behind IN is one.
        depth: Expressions within each other: parentheses, NOT, functions, chains of arithmetic.
        values: Values beside those in lists, and so about the number of conditions.
        list_items: Values in one list behind IN.
        tables: Tables that it joins; an alias takes one or two, a property one. MySQL takes 61.
        seconds: How long the database may work on it; None: without end.
    """

    characters: int = 500_000
    tokens: int = 50_000
    depth: int = 100
    values: int = 5_000
    list_items: int = 100_000
    tables: int = 61
    seconds: float | None = FILTER_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageLimits:
    """The limits of every lineage query; also the budget of one that names none.

    Attributes:
        max_nodes: Nodes in an answer.
        max_bytes: Bytes in an answer.
        max_milliseconds: The time that it may take; below the usual deadline of a client, so that
            the verdict arrives.
        max_graph_bytes: Memory that the graph may take; lineage of a larger one is answered from
            the database. A million events take about 50 MB, and as much again while they are read
            or put in order. 0: never keep it in memory.
    """

    max_nodes: int = 1_000_000
    max_bytes: int = 1024 * 1024 * 1024
    max_milliseconds: int = 30_000
    max_graph_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NodeBound:
    """The size limits of one node, type, event or cache entry.

    Attributes:
        bytes: Its most bytes.
        reason: Where the bound comes from, for errors.
    """

    bytes: int = MAX_NODE_BYTES
    reason: str = "max_node_bytes"

    def within(self, max_row_bytes: int) -> "NodeBound":
        """Return the bound on a database that takes rows of so many bytes."""
        if max_row_bytes >= self.bytes:
            return self
        return NodeBound(max_row_bytes, "as much as the database surely takes in one row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a store.

    Attributes:
        filters: What a filter may ask for.
        lineage: What a lineage query may ask for.
        nodes: What one node may take.
        max_answer_bytes: Bytes of the answer to a call that is not a stream.
        max_past_rows: Rows that a store as of a revision may have; each takes about a kilobyte of
            memory while that revision is read.
        patience_seconds: How long a call tries again while the database is away or busy.
    """

    filters: FilterLimits = field(default_factory=FilterLimits)
    lineage: LineageLimits = field(default_factory=LineageLimits)
    nodes: NodeBound = field(default_factory=NodeBound)
    max_answer_bytes: int = UNBOUNDED
    max_past_rows: int = 500_000
    patience_seconds: float = RETRY_FOR_SECONDS
