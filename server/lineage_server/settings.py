"""The settings of the server, checked before anything is opened."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from lineage_store import errors
from lineage_store.limits import (
    MAX_NODE_BYTES,
    RETRY_FOR_SECONDS,
    FilterLimits,
    Limits,
    LineageLimits,
    NodeBound,
)

MIB = 1024 * 1024
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of `lineage-store serve`.

    Attributes:
        database: A database URL.
        grpc: HOST:PORT to listen on; port 0 picks a free one.
        processes: How many processes serve; more than one only a database that is a server.
        threads: Reads that are worked on at the same time, as many writes, and half as many
            streams; of each process, as are the bounds that follow.
        max_waits: Calls that wait for cache keys at the same time.
        max_queue: Reads that wait for their turn, and as many writes.
        idle_stream_seconds: How long a call waits for its other side to send its request, or to
            take a part of its answer.
        keepalive_seconds: How long a connection is silent before the server pings the client.
        keepalive_timeout_seconds: How long the client has to answer that.
        keepalive_min_client_seconds: How long clients must wait between their own pings.
        max_message_bytes: The largest request, and the largest response.
        max_node_bytes: The most bytes of one node, type, event or cache entry.
        max_metadata_bytes: The largest metadata of a call.
        max_lineage_nodes: The most nodes that a lineage query answers.
        max_lineage_bytes: The most bytes that a lineage query answers.
        max_lineage_seconds: The longest that a lineage query takes; by default clients wait for
            60 s, and the verdict must reach them.
        max_graph_bytes: The memory that the graph of nodes and events may take; 0: none is kept.
        max_filter_characters: The longest filter.
        max_filter_tokens: The most names, values, signs and parentheses in a filter.
        max_filter_depth: The most expressions within each other in a filter.
        max_filter_values: The most values in a filter, those in lists aside.
        max_filter_list_items: The most values in one list of a filter.
        max_filter_tables: The most tables that a filter joins.
        max_filter_seconds: The longest that the database works on a filter.
        database_patience_seconds: How long a call tries again while the database is away, or while
            other writers are faster.
        drain_seconds: How long running calls may take after SIGTERM.
        tls_key: PEM file with the private key of the server; with `tls_certificate`: use TLS.
        tls_certificate: PEM file with the certificate chain of the server.
        tls_client_ca: PEM file with the authority whose certificates clients must show.
        log_format: "json" or "text".
        log_level: "debug", "info", "warning" or "error": lesser events are not logged.
        access_log: Whether each call that was answered is logged, too, as info.
    """

    database: str
    grpc: str
    processes: int = 1
    threads: int = 16
    max_waits: int = 256
    max_queue: int = 512
    idle_stream_seconds: float = 60.0
    keepalive_seconds: float = 60.0
    keepalive_timeout_seconds: float = 20.0
    keepalive_min_client_seconds: float = 5.0
    max_message_bytes: int = 100 * MIB
    max_node_bytes: int = MAX_NODE_BYTES
    max_metadata_bytes: int = 16 * 1024
    max_lineage_nodes: int = 1_000_000
    max_lineage_bytes: int = 1024 * MIB
    max_lineage_seconds: float = 30.0
    max_graph_bytes: int = 1024 * MIB
    max_filter_characters: int = 500_000
    max_filter_tokens: int = 50_000
    max_filter_depth: int = 100
    max_filter_values: int = 5_000
    max_filter_list_items: int = 100_000
    max_filter_tables: int = 61
    max_filter_seconds: float = 30.0
    database_patience_seconds: float = RETRY_FOR_SECONDS
    drain_seconds: float = 10.0
    tls_key: Path | None = None
    tls_certificate: Path | None = None
    tls_client_ca: Path | None = None
    log_format: str = "text"
    log_level: str = "info"
    access_log: bool = False

    def __post_init__(self) -> None:
        host, _, port = self.grpc.rpartition(":")
        if not host or not port.isdigit() or int(port) > MAX_PORT:
            raise errors.InvalidArgument(f"grpc address {self.grpc!r} is not of the form HOST:PORT")
        if self.processes > 1 and self.database.startswith("sqlite:"):
            raise errors.InvalidArgument(
                "an SQLite file is served by one process; several need PostgreSQL or MySQL"
            )
        if (self.tls_key is None) != (self.tls_certificate is None):
            raise errors.InvalidArgument("TLS needs both a key and a certificate")
        if self.tls_client_ca is not None and self.tls_key is None:
            raise errors.InvalidArgument("a client CA needs a key and a certificate of the server")

    @property
    def exposure(self) -> str | None:
        """The actions open to anybody who reaches the server, if it listens beyond this machine."""
        host = self.grpc.rpartition(":")[0].strip("[]")
        if host == "localhost" or _is_loopback(host) or self.tls_client_ca is not None:
            return None
        if self.tls_key is None:
            return "read and change everything, and on the way everybody can read along (no TLS)"
        return "read and change everything (no client certificates are asked for)"

    @property
    def limits(self) -> Limits:
        """The most that requests may ask of the store."""
        filters = FilterLimits(
            characters=self.max_filter_characters,
            tokens=self.max_filter_tokens,
            depth=self.max_filter_depth,
            values=self.max_filter_values,
            list_items=self.max_filter_list_items,
            tables=self.max_filter_tables,
            seconds=self.max_filter_seconds,
        )
        lineage = LineageLimits(
            max_nodes=self.max_lineage_nodes,
            max_bytes=self.max_lineage_bytes,
            max_milliseconds=round(self.max_lineage_seconds * 1000),
            max_graph_bytes=self.max_graph_bytes,
        )
        return Limits(
            filters=filters,
            lineage=lineage,
            nodes=NodeBound(self.max_node_bytes, "--max-node-bytes"),
            max_answer_bytes=self.max_message_bytes,
            patience_seconds=self.database_patience_seconds,
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
