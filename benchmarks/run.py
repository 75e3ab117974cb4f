"""Measures this store and the real ML Metadata side by side: `make bench`.

Both are served over gRPC on an SQLite file of their own and get the same requests, in turn; what
counts is the ratio of the medians, because rates change with the load of the machine. The peer is
the core of the ml-metadata wheel behind a Python server that keeps its connection open.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import click
import grpc

from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.acceptance.mlmd_servers import serving

REPEATS = 5


class Target:
    """One store, reached over gRPC under ML Metadata's name."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._names = 0
        self.types = {
            kind: self.call(f"Put{kind}Type", **{f"{kind.lower()}_type": {"name": "Bench"}}).type_id
            for kind in ("Artifact", "Execution", "Context")
        }

    def call(self, method: str, **fields: object) -> object:
        request = getattr(service, f"{method}Request")(**fields)
        answer = self._channel.unary_unary(f"/ml_metadata.MetadataStoreService/{method}")(
            request.SerializeToString()
        )
        return getattr(service, f"{method}Response").FromString(answer)

    def artifacts(self, count: int) -> list[pb.Artifact]:
        self._names += count
        nodes = [
            pb.Artifact(type_id=self.types["Artifact"], name=f"a{self._names - i}", uri="/data")
            for i in range(count)
        ]
        for node in nodes:
            for key in "abcde":
                node.custom_properties[key].string_value = "value"
        return nodes

    def put(self, count: int) -> list[int]:
        return list(self.call("PutArtifacts", artifacts=self.artifacts(count)).artifact_ids)

    def step(self, inputs: list[int]) -> None:
        request = service.PutExecutionRequest()
        request.execution.type_id = self.types["Execution"]
        for artifact_id in inputs:
            request.artifact_event_pairs.add(
                event=pb.Event(artifact_id=artifact_id, type=pb.Event.INPUT)
            )
        for artifact in self.artifacts(2):
            request.artifact_event_pairs.add(
                artifact=artifact, event=pb.Event(type=pb.Event.OUTPUT)
            )
        request.contexts.add(type_id=self.types["Context"], name="run")
        request.options.reuse_context_if_already_exist = True
        self.call(
            "PutExecution",
            execution=request.execution,
            artifact_event_pairs=request.artifact_event_pairs,
            contexts=request.contexts,
            options=request.options,
        )


def workloads(target: Target) -> dict[str, Callable[[], object]]:
    """Return what is measured, each a function that does one unit of it."""
    known = target.put(100)

    def steps_of_8_callers() -> None:
        with ThreadPoolExecutor(8) as callers:
            list(callers.map(lambda _: target.step(known[:3]), range(40)))

    return {
        "put 1": lambda: target.put(1),
        "put 100": lambda: target.put(100),
        "put 1000": lambda: target.put(1000),
        "step": lambda: target.step(known[:3]),
        "40 steps, 8 callers": steps_of_8_callers,
        "get 1": lambda: target.call("GetArtifactsByID", artifact_ids=known[:1]),
        "get 100": lambda: target.call("GetArtifactsByID", artifact_ids=known),
    }


def seconds_per_unit(unit: Callable[[], object], budget: float) -> float:
    """Return the mean time of one unit over about `budget` seconds."""
    begun, count = time.perf_counter(), 0
    while not count or time.perf_counter() - begun < budget:
        unit()
        count += 1
    return (time.perf_counter() - begun) / count


@click.command()
@click.option("--seconds", default=0.5, show_default=True, help="Length of one measurement.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(*, seconds: float, as_json: bool) -> None:
    """Print the median time of each workload on both stores, and the ratio."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        units = {
            name: workloads(Target(stack.enter_context(serving(name, directory))))
            for name in ("real core", "lineage-store")
        }
        times: dict[str, dict[str, list[float]]] = {}
        for _ in range(REPEATS):
            for workload in units["real core"]:
                for name, of_target in units.items():
                    took = seconds_per_unit(of_target[workload], seconds)
                    times.setdefault(workload, {}).setdefault(name, []).append(took)
        _report(times, as_json=as_json)


def _report(times: dict[str, dict[str, list[float]]], *, as_json: bool) -> None:
    rows = []
    for workload, found in times.items():
        theirs, ours = (
            statistics.median(found[name]) * 1e3 for name in ("real core", "lineage-store")
        )
        rows.append(
            {"workload": workload, "mlmd_ms": theirs, "ours_ms": ours, "ratio": theirs / ours}
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(
            f"{row['workload']:<22} MLMD {row['mlmd_ms']:9.2f} ms   ours {row['ours_ms']:9.2f} ms"
            f"   {row['ratio']:5.1f}x"
        )


if __name__ == "__main__":
    main()
