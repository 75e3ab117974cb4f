"""The settings of the server, checked before anything is opened."""

from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path

from lineage_server.setting import about
from lineage_store import errors
from lineage_store.limits import (
    FILTER_SECONDS,
    MAX_NODE_BYTES,
    RETRY_FOR_SECONDS,
    FilterLimits,
    Limits,
    LineageLimits,
    NodeBound,
)

MIB = 1024 * 1024
MAX_PORT = 65_535

_FILTERS = FilterLimits()
_LINEAGE = LineageLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of `lineage-store serve`, each described for its option and its page."""

    database: str = field(
        default="sqlite:///lineage.db",
        metadata=about(
            "Database URL, or the path of an SQLite file.", "See [below](#database-urls)."
        ),
    )
    grpc: str = field(
        default="127.0.0.1:8080",
        metadata=about(
            "HOST:PORT to listen on.",
            "Port 0 picks a free port; `0.0.0.0:8080` listens on all interfaces.",
        ),
    )
    processes: int = field(
        default=1,
        metadata=about(
            "Number of server processes; each has the bounds below.",
            "More than one needs PostgreSQL, MySQL or MariaDB.",
            bounds=(1, 64),
        ),
    )
    threads: int = field(
        default=16,
        metadata=about(
            "Maximum reads of one host at the same time, and maximum writes of all hosts.",
            "Further calls wait. A third more reads are open to other hosts.",
            bounds=(1, 1024),
        ),
    )
    max_queue: int = field(
        default=512,
        metadata=about(
            "Maximum waiting reads, and maximum waiting writes.",
            "One more call fails with UNAVAILABLE, see [below](#under-load).",
            bounds=(1, 4096),
        ),
    )
    max_waits: int = field(
        default=256,
        metadata=about(
            "Maximum calls that wait for a cache key at the same time.",
            "One more fails with RESOURCE_EXHAUSTED.",
            bounds=(1, 4096),
        ),
    )
    max_message_bytes: int = field(
        default=100 * MIB,
        metadata=about(
            "Maximum size of a request or response, in bytes.",
            "A larger one fails with RESOURCE_EXHAUSTED. Listings come in pages, which end at 3"
            " MiB.",
            bounds=(1024, 2**31 - 1),
        ),
    )
    max_node_bytes: int = field(
        default=MAX_NODE_BYTES,
        metadata=about(
            "Maximum size of one artifact, execution, context, type, event or cache entry.",
            "A larger one fails with INVALID_ARGUMENT. Smaller if the"
            " [database](databases.md#sizes) takes less in one row.",
            bounds=(1024, 400_000_000),
        ),
    )
    max_metadata_bytes: int = field(
        default=16 * 1024,
        metadata=about("Maximum size of the metadata of a call, in bytes.", bounds=(1024, MIB)),
    )
    max_lineage_nodes: int = field(
        default=_LINEAGE.max_nodes,
        metadata=about(
            "Maximum nodes in a lineage answer.",
            "A request can only set a smaller budget.",
            bounds=(1, 100_000_000),
        ),
    )
    max_lineage_bytes: int = field(
        default=_LINEAGE.max_bytes,
        metadata=about("Maximum bytes in a lineage answer.", bounds=(1024, 2**40)),
    )
    max_lineage_seconds: float = field(
        default=_LINEAGE.max_milliseconds / 1000,
        metadata=about(
            "Maximum time of a lineage query.",
            "At most half as many as `--threads` stream answers at once.",
            bounds=(0.001, 3600),
        ),
    )
    max_graph_bytes: int = field(
        default=_LINEAGE.max_graph_bytes,
        metadata=about(
            "Maximum memory of the graph; 0 keeps no graph in memory.",
            "A million events take about 50 MB, and the same again while the server reads or sorts"
            " the graph. Lineage of a larger graph comes from the database, more slowly, and a line"
            " in the log says so.",
            bounds=(0, 2**40),
        ),
    )
    max_filter_characters: int = field(
        default=_FILTERS.characters,
        metadata=about(
            "Maximum length of a filter.", "See [filters](filters.md).", bounds=(100, 100_000_000)
        ),
    )
    max_filter_tokens: int = field(
        default=_FILTERS.tokens,
        metadata=about(
            "Maximum tokens in a filter: names, values, signs, parentheses.",
            "A list of literals behind IN is one token. The server counts tokens before parsing.",
            bounds=(100, 10_000_000),
        ),
    )
    max_filter_depth: int = field(
        default=_FILTERS.depth,
        metadata=about(
            "Maximum nesting of expressions: NOT, functions, chains of arithmetic.",
            "Parentheses don't count.",
            bounds=(10, 200),
        ),
    )
    max_filter_values: int = field(
        default=_FILTERS.values,
        metadata=about(
            "Maximum values in a filter, without those in lists; about the number of conditions.",
            bounds=(10, 30_000),
        ),
    )
    max_filter_list_items: int = field(
        default=_FILTERS.list_items,
        metadata=about("Maximum values in one list behind IN.", bounds=(10, 10_000_000)),
    )
    max_filter_tables: int = field(
        default=_FILTERS.tables,
        metadata=about(
            "Maximum joined tables in a filter: one for each property, one or two for each alias.",
            bounds=(4, 61),
        ),
    )
    max_filter_seconds: float = field(
        default=FILTER_SECONDS,
        metadata=about(
            "Maximum time that the database works on a filter.",
            "Then the call fails with DEADLINE_EXCEEDED.",
            bounds=(0.001, 3600),
        ),
    )
    database_patience_seconds: float = field(
        default=RETRY_FOR_SECONDS,
        metadata=about(
            "How long a call retries while the database is unreachable, or other writers faster.",
            "A call waits as long for an SQLite file that another process has locked. Then the call"
            " fails with UNAVAILABLE or ABORTED.",
            bounds=(0, 3600),
        ),
    )
    drain_seconds: float = field(
        default=10.0,
        metadata=about(
            "Time that running calls have to end after SIGTERM or SIGINT.",
            "The process ends at most a second later. See [below](#a-planned-stop).",
            bounds=(0, 3600),
        ),
    )
    idle_stream_seconds: float = field(
        default=60.0,
        metadata=about(
            "How long a call waits for its client: for the request, or for the client to read a"
            " part of the answer.",
            "Then the server cancels the call.",
            bounds=(0.1, 3600),
        ),
    )
    keepalive_seconds: float = field(
        default=60.0,
        metadata=about(
            "After this silence on a connection, the server pings the client, to find lost ones.",
            bounds=(1, 86_400),
        ),
    )
    keepalive_timeout_seconds: float = field(
        default=20.0,
        metadata=about(
            "How long a client may take to answer a ping.",
            "Then the server closes the connection.",
            bounds=(1, 3600),
        ),
    )
    keepalive_min_client_seconds: float = field(
        default=5.0,
        metadata=about(
            "Minimum time between two pings of a client, with or without running calls.",
            "The server closes a connection that pings more often (GOAWAY, `too_many_pings`)."
            " gRPC's own default is 5 minutes; clients in the field ping every 10 to 30 seconds.",
            bounds=(0, 3600),
        ),
    )
    tls_key: Path | None = field(
        default=None,
        metadata=about(
            "PEM file with the private key of the server.",
            "Together with a certificate, this switches TLS on.",
        ),
    )
    tls_certificate: Path | None = field(
        default=None, metadata=about("PEM file with the certificate chain of the server.")
    )
    tls_client_ca: Path | None = field(
        default=None,
        metadata=about(
            "PEM file with a certificate authority.",
            "Every client must then present a certificate of that authority.",
        ),
    )
    log_format: str = field(
        default="text",
        metadata=about("The format of lines on standard error.", choices=("text", "json")),
    )
    log_level: str = field(
        default="info",
        metadata=about(
            "The minimum level of the log.", choices=("debug", "info", "warning", "error")
        ),
    )
    access_log: bool = field(
        default=False, metadata=about("Log each answered call too: method, peer and duration.")
    )

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
            **{each.name: getattr(self, f"max_filter_{each.name}") for each in fields(FilterLimits)}
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
