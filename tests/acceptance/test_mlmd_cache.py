"""The caches of TFX and Kubeflow Pipelines work as ever, and CacheService finds their entries."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from tests.mlmd_servers import run, serving

CLIENTS = ["ml_metadata", "lineage_store.mlmd"]
DECISIONS = {
    "tfx": ["miss", "hit", "miss", "hit"],  # the output is deleted before the third run
    "kfp": ["miss", "hit", "hit", "hit"],  # Kubeflow Pipelines does not look
}


def conversation(module: str, address: str, system: str) -> Any:
    args = ["--module", module, "--grpc", address, "--system", system]
    return json.loads(run(module, "mlmd/mlmd_cache_calls.py", *args))


def decisions(report: Any) -> list[str]:
    return [decision for decision, _, _ in report["runs"]]


@pytest.mark.parametrize("system", DECISIONS)
def test_the_real_store_decides_so(system: str, tmp_path: Path) -> None:
    with serving("real core", tmp_path) as address:
        assert decisions(conversation(CLIENTS[0], address, system)) == DECISIONS[system]


@contextmanager
def served(module: str, system: str, directory: Path) -> Iterator[tuple[GrpcTransport, Any]]:
    """Let a client talk to our server as a system does; give its report, and a transport."""
    with serving("lineage-store", directory) as address:
        report = conversation(module, address, system)
        assert decisions(report) == DECISIONS[system]
        with closing(GrpcTransport(address, timeout=30)) as transport:
            yield transport, report


def lookup(transport: GrpcTransport, report: Any, **policy: Any) -> Any:
    request = cache_pb2.LookupRequest(policy=cache_pb2.CachePolicy(**policy))
    request.keys.add(fingerprint=report["fingerprint"])
    answer: Any = transport.call("Lookup", request)
    [result] = answer.results
    return result


def places(hit: Any) -> list[tuple[str, int, int]]:
    return [(output.name, output.index, output.artifact.id) for output in hit.outputs]


def record_cached(transport: GrpcTransport, execution_id: int) -> Any:
    step = cache_pb2.Step(key="one more run", create_types=True)
    step.execution.type = "Trainer"
    request = cache_pb2.RecordCachedRequest(step=step, execution_id=execution_id)
    return transport.call("RecordCached", request)


@pytest.mark.parametrize("module", CLIENTS)
def test_what_tfx_cached_is_found(module: str, tmp_path: Path) -> None:
    with served(module, "tfx", tmp_path) as (transport, report):
        _, execution_id, artifact_ids = report["runs"][-1]
        hit = lookup(transport, report).hit
        assert (hit.source.id, hit.source.last_known_state) == (execution_id, pb.Execution.CACHED)
        assert places(hit) == [("model", 0, artifact_ids[0])]
        copy = record_cached(transport, execution_id)
        assert places(copy) == places(hit)
        assert copy.original_execution_id == execution_id  # TFX does not say what it copied


@pytest.mark.parametrize("module", CLIENTS)
def test_what_kubeflow_pipelines_cached_is_found(module: str, tmp_path: Path) -> None:
    with served(module, "kfp", tmp_path) as (transport, report):
        (_, original, artifact_ids), *_, (_, last, _) = report["runs"]
        hit = lookup(transport, report).hit
        assert (hit.source.id, hit.original_execution_id) == (last, original)
        assert places(hit) == [("model", 0, artifact_ids[0])]
        assert record_cached(transport, hit.source.id).original_execution_id == original
        reports = [cache_pb2.ArtifactReport(artifact_id=artifact_ids[0], status="MISSING")]
        transport.call("ReportArtifacts", cache_pb2.ReportArtifactsRequest(reports=reports))
        assert lookup(transport, report).miss.reason == cache_pb2.LookupResult.Miss.OUTPUT_MISSING
