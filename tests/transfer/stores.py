"""Stores with one of everything, on each database, and their rows."""

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.bulk import store_contents as contents
from lineage_store.database.bulk.store_contents import Contents, content_tables
from lineage_store.database.drivers.urls import driver_for
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from tests.backends import mariadb, postgresql
from tests.conformance.cache_steps import KEY, key, output, record_cached, step
from tests.conformance.conftest import Call

BACKENDS = ("sqlite", "postgresql", "mariadb")

WILD_TEXTS = ["", " ", "a\0b", "\0", "😀 ünï", "\U0010ffff0", "\u2028\n\r\t", '"\\', "x" * 70_000]
INTEGERS = [0, -1, 2**63 - 1, -(2**63), 2**53 + 1]
DOUBLES = [0.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf]


def value(**fields: Any) -> pb.Value:
    return pb.Value(**fields)


def structs() -> list[pb.Value]:
    """Return messages as values: plain ones, and those beyond JSON."""
    messages = [pb.Value() for _ in range(5)]
    messages[0].struct_value.update({"a": [1, None, {"b": "c"}], "e": {}})
    messages[1].struct_value["nan"] = math.nan
    messages[2].struct_value.fields["lone"].SetInParent()
    messages[3].proto_value.type_url = "type.googleapis.com/unknown.Type"
    messages[3].proto_value.value = b"\x08\x01"
    messages[4].proto_value.SetInParent()
    return messages


def values() -> dict[str, Any]:
    """Return one property of every kind of value."""
    everything = [*WILD_TEXTS, *INTEGERS, *DOUBLES, True, False, *structs()]
    return {f"p{at}": value for at, value in enumerate(everything)} | {"n\0ul": 1, "😀": 2}


def fill(url: str, rows: int = 30) -> None:
    """Put some of everything that a store can hold into it."""
    with closing(EmbeddedTransport(url)) as transport:
        call = Call(transport, dict)
        _fill_graph(call, rows)
        _fill_cache(call)
        # A filter over properties finds, and so leaves, nothing that waits to be indexed.
        call("GetArtifacts", options={"filter_query": "properties.none.int_value = 1"})


def _fill_graph(call: Call, rows: int) -> None:
    properties = {"rows": pb.INT, "score": pb.DOUBLE, "😀": pb.STRING}
    type_id = call.type("artifact", "Data", version="1", properties=properties, external_id="x t")
    call.type("artifact", "Data", version="2", description="")
    call.type("artifact", "Data", version="2", properties={"late": pb.INT})  # its second revision
    wild = {"type_id": type_id, "custom_properties": values(), "uri": "a\0b", "state": 2}
    artifacts = call.put("artifact", {**wild, "name": "wild", "external_id": "e\0"})
    artifacts += call.put("artifact", *({"type_id": type_id, "uri": ""} for _ in range(rows)))
    artifacts += call.put("artifact", {"type_id": type_id, "name": ""})  # a name, and not none
    named = [{"type_id": type_id, "name": f"n{at}", "uri": "u" * 3_000} for at in range(rows)]
    artifacts += call.put("artifact", *named)
    for score in (0.5, math.nan):  # two updates: two versions
        changed = {"id": artifacts[0], "properties": {"score": score, "rows": 2**62}}
        call.put("artifact", wild | changed | {"name": "wild", "external_id": "e\0"})
    train = call.type("execution", "Train", input_type={"any": {}})
    executions = call.put("execution", *({"type_id": train, "last_known_state": 3},) * 5)
    events = [
        {"artifact_id": a, "execution_id": executions[at % 5], "type": 3 + at % 2, "path": path}
        for at, a in enumerate(artifacts)
        for path in [{"steps": [{"key": "k\0/~"}, {"index": -1}]} if at % 2 else {}]
    ]
    call("PutEvents", events=events)
    contexts = call.contexts("parent", "child")
    call(
        "PutAttributionsAndAssociations",
        attributions=[{"artifact_id": a, "context_id": contexts[0]} for a in artifacts],
        associations=[{"execution_id": e, "context_id": contexts[1]} for e in executions],
    )
    parents = [{"child_id": contexts[1], "parent_id": contexts[0]}]
    call("PutParentContexts", parent_contexts=parents)


def _fill_cache(call: Call) -> None:
    components = [{"name": "code", "value": "a\0"}, {"name": "parameters.x", "value": "1"}]
    publication = {"digest": KEY, "components": components, "output_parameters": {"x": math.nan}}
    published = call("RecordStep", step=step(cache=publication))
    record_cached(call, "run/train/1", published.entry_id)
    call("Claim", digest=key("held"), holder="me😀", scope="s\0")
    call("Claim", digest=key("held"), holder="you", scope="s")
    second = {"digest": key("second"), "time_to_live_milliseconds": 10**9}
    call("RecordStep", step=step("run/train/2", outputs=[output("o")], cache=second))
    selection = {"digests": [key("second")]}
    call("Invalidate", entries=selection, why="wrong\0", by="me")
    report = cache_pb2.ArtifactReport.VERIFIED
    [artifact, *_] = published.output_ids
    for digest in ("d", "d\0"):  # the first is replaced
        call(
            "ReportArtifacts",
            reports=[{"artifact_id": artifact, "status": report, "digest": digest}],
        )


@contextmanager
def new_store(backend: str, directory: Path) -> Iterator[str]:
    """Give the URL of a database that is empty."""
    if backend == "sqlite":
        yield f"sqlite:///{directory}/{time.monotonic_ns()}.db"
        return
    with {"postgresql": postgresql, "mariadb": mariadb}[backend].new_store() as url:
        yield url


def rows_of(url: str) -> dict[str, Any]:
    """Return every row that makes up a store, by table."""
    with Contents(url) as store:
        rows: dict[str, Any] = {
            table.name: sorted(
                (row for page in contents.pages(store.connection, table) for row in page), key=repr
            )
            for table in content_tables()
        }
        return rows | {"counters": contents.counters(store.connection)}


def execute(url: str, statement: str, *values: Any) -> None:
    """Run a statement on the database of a store, behind its back."""
    with closing(driver_for(url).connect()) as connection:
        mark = "?" if url.startswith("sqlite") else "%s"
        connection.cursor().execute(statement.replace("?", mark), values)
