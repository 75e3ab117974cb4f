"""The whole lineage of a model out of a large graph: streamed completely, in bounded memory.

LINEAGE_SCALE says how many executions the graph has (CONTRIBUTING.md).
"""

import os
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import lineage_store
from lineage_store.client.channel import GrpcTransport
from lineage_store.client.lineage import LineageQuery
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import Served, serving

EXECUTIONS = int(os.environ.get("LINEAGE_SCALE", "4000"))
BATCH = 1_000
INPUTS = 3
MIB = 1024 * 1024
MAX_GROWTH = 200 * MIB
"""Of the server, whatever the size of the graph: sets of ids, and a few parts of the answer."""

PADDING = "x" * 200  # so that the bodies of the thorough run are far more than one message may be

pytestmark = [pytest.mark.long, pytest.mark.timeout(300 + EXECUTIONS // 50)]


def sources(number: int, choice: random.Random) -> list[int]:
    """Return which outputs execution `number` reads: some of the last 60, all before its own."""
    recent = range(max(0, number - 60), number)
    return sorted(choice.sample(recent, min(INPUTS, len(recent))))


def graph(count: int) -> list[list[int]]:
    choice = random.Random(7)
    return [sources(number, choice) for number in range(count)]


def batch_of(
    first: int, reads: list[list[int]], ids: list[int]
) -> service.PutLineageSubgraphRequest:
    """Return the request that records executions from `first` on, each with one output."""
    request = service.PutLineageSubgraphRequest()
    for number in range(first, min(first + BATCH, len(reads))):
        index = number - first
        request.executions.add(type_id=11, name=f"e{number}")
        request.artifacts.add(type_id=10, uri=f"s3://bucket/{number}/{PADDING}")
        output = request.event_edges.add(execution_index=index, artifact_index=index)
        output.event.type = pb.Event.OUTPUT
        for source in reads[number]:
            edge = request.event_edges.add(execution_index=index)
            edge.event.type = pb.Event.INPUT
            if source < first:
                edge.event.artifact_id = ids[source]
            else:
                edge.artifact_index = source - first
    return request


def record(transport: GrpcTransport, reads: list[list[int]]) -> list[int]:
    """Record a graph; return the ids of the outputs, by the number of the execution."""
    types = service.PutTypesRequest()
    types.artifact_types.add(name="A")
    types.execution_types.add(name="E")
    transport.call("PutTypes", types)
    ids: list[int] = []
    for first in range(0, len(reads), BATCH):
        ids += transport.call("PutLineageSubgraph", batch_of(first, reads, ids)).artifact_ids
    return ids


def ancestors(reads: list[list[int]], number: int) -> set[int]:
    numbers, queue = {number}, [number]
    while queue:
        new = set(reads[queue.pop()]) - numbers
        numbers |= new
        queue += new
    return numbers


def resident(served: Served) -> int:
    """Return the memory of the server, in bytes."""
    for line in Path(f"/proc/{served.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the process has no memory")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[int]]]:
    with (
        serving(tmp_path_factory.mktemp("scale"), "--max-lineage-seconds", "600") as server,
        closing(GrpcTransport(server.address, timeout=600)) as transport,
    ):
        yield server, record(transport, graph(EXECUTIONS))


def test_the_whole_lineage_comes_with_bodies_and_a_verdict(served):
    server, ids = served
    reads = graph(EXECUTIONS)
    numbers = ancestors(reads, EXECUTIONS - 1)
    request = lineage_pb2.TraceRequest()
    request.walk.start.kind = lineage_pb2.ARTIFACT
    request.walk.start.ids.ids.append(ids[-1])
    request.walk.direction = pb.LineageSubgraphQueryOptions.UPSTREAM
    before, most, size = resident(server), 0, 0
    artifacts, executions, events, hops = [], set(), set(), []
    with closing(GrpcTransport(server.address, timeout=600, options=SMALL)) as transport:
        for part in transport.stream("Trace", request):
            artifacts += [a.id for a in part.artifacts if a.uri.endswith(PADDING)]
            executions |= {e.name for e in part.executions}
            events |= {(e.artifact_id, e.execution_id, e.type) for e in part.events}
            hops.append(part.hop)
            size += part.ByteSize()
            most = max(most, resident(server))
    verdict = part.verdict
    print(f"{len(artifacts)} artifacts, {len(events)} events, {size / MIB:.0f} MiB, "
          f"{hops[-2]} hops, server grew by {(most - before) / MIB:.0f} MiB")  # fmt: skip
    assert verdict.complete
    assert sorted(artifacts) == sorted(ids[number] for number in numbers)
    assert executions == {f"e{number}" for number in numbers}
    assert verdict.node_count == 2 * len(numbers)
    assert verdict.event_count == len(events) == sum(1 + len(reads[n]) for n in numbers)
    assert hops[:-1] == sorted(hops[:-1])
    assert most - before < MAX_GROWTH


SMALL = [("grpc.max_receive_message_length", 4 * MIB)]
"""What a client of gRPC takes that sets nothing."""


def test_a_cut_lineage_is_continued_to_the_same_end(served):
    server, ids = served
    with lineage_store.connect(f"grpc://{server.address}", timeout=600) as store:
        query: LineageQuery = store.lineage(store.get_artifact(ids[-1]))
        lineage = query.upstream(max_nodes=len(ids) // 3)
        while not lineage.verdict.complete:
            lineage = query.upstream(resume=lineage, max_nodes=len(ids) // 3)
        summary = query.summarize("upstream")
    numbers = ancestors(graph(EXECUTIONS), EXECUTIONS - 1)
    assert len(lineage.nodes) == summary.verdict.node_count == 2 * len(numbers)
    assert len(lineage.edges) == summary.verdict.event_count
