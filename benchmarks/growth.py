"""Measures what a growing store costs: the same calls on stores of 10 thousand to 10 million nodes.

The stores are SQLite files that are filled through their tables, then served, and then opened in
process; each call is made on all of them in turn. What is asked for does not grow: the closure of
an artifact has the same size in each store, and a filter finds as many nodes.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.suite import bulk
from benchmarks.suite.machine import description
from benchmarks.suite.measuring import lane
from benchmarks.suite.report import aligned
from benchmarks.suite.requests import (
    Requests,
    chance,
    declared_ids,
    declared_types,
    encoded,
)
from benchmarks.suite.targets import MIB, Op, Target, opened
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

SIZES = (10_000, 100_000, 1_000_000)
CALLS = 100
PLACES = {"grpc": "ours", "embedded": "ours-embedded"}
CLOSURE_HOPS = 100
LOADING_SECONDS = 300.0
"""How long to wait for the graph to be in memory: a store is measured that has run for a while."""


@dataclass(frozen=True)
class Grown:
    """A store of some size, in one place.

    Attributes:
        nodes: How many nodes it was filled with.
        steps: How many steps.
        where: "grpc" or "embedded".
        target: The store.
        requests: Makes requests for it.
    """

    nodes: int
    steps: int
    where: str
    target: Target
    requests: Requests


def steps(store: Grown, tag: str) -> list[Op]:
    inputs = range(1, store.steps * bulk.OUTPUTS + 1)
    return [
        encoded("PutExecution", store.requests.step(f"{tag}-{number}", f"run-of-{tag}", inputs))
        for number in range(CALLS)
    ]


def chosen(store: Grown, tag: str) -> list[int]:
    """Return steps all over the store."""
    draw = chance(tag)
    return [draw.randrange(store.steps) for _ in range(CALLS)]


def decisions(store: Grown, tag: str) -> list[Op]:
    keys = [cache_pb2.CacheKey(digest=bulk.digest(step)) for step in chosen(store, tag)]
    return [encoded("Lookup", cache_pb2.LookupRequest(keys=[key])) for key in keys]


def filters(text: Callable[[int], str]) -> Callable[[Grown, str], list[Op]]:
    def build(store: Grown, tag: str) -> list[Op]:
        ops = []
        for step in chosen(store, tag):
            request = service.GetArtifactsRequest()
            request.options.max_result_size = 20
            request.options.filter_query = text(step)
            ops.append(encoded("GetArtifacts", request))
        return ops

    return build


def closures(store: Grown, tag: str) -> list[Op]:
    ops = []
    for step in chosen(store, tag):
        last = (step // bulk.STEPS_OF_RUN + 1) * bulk.STEPS_OF_RUN * bulk.OUTPUTS
        request = service.GetLineageSubgraphRequest()
        query = request.lineage_subgraph_query_options
        query.starting_artifacts.filter_query = f"id = {last}"
        query.max_num_hops = CLOSURE_HOPS
        query.direction = pb.LineageSubgraphQueryOptions.UPSTREAM
        request.read_mask.paths.extend(["artifacts", "executions", "events"])
        ops.append(encoded("GetLineageSubgraph", request))
    return ops


CALLS_TO_MAKE: dict[str, Callable[[Grown, str], list[Op]]] = {
    "cache decision": decisions,
    "filter: name": filters(lambda step: f"name = 'artifact-{step}'"),
    "filter: property": filters(
        lambda step: f"properties.p0.string_value = '{step // bulk.SAME_VALUE}'"
    ),
    "closure": closures,
    "step": steps,
}


def check(store: Grown) -> None:
    """Look whether a store answers what it was filled with.

    Raises:
        ClickException: It doesn't.
    """
    decided = store.target.answers(decisions(store, "check"))
    hits = [cache_pb2.LookupResponse.FromString(answer).results[0].hit for [answer] in decided]
    found = store.target.answers(closures(store, "check"))
    graphs = [service.GetLineageSubgraphResponse.FromString(a).lineage_subgraph for [a] in found]
    sizes = {len(graph.artifacts) + len(graph.executions) for graph in graphs}
    filtered = store.target.answers(CALLS_TO_MAKE["filter: property"](store, "check"))
    counts = {len(service.GetArtifactsResponse.FromString(a).artifacts) for [a] in filtered}
    if (
        [hit.source.id - 1 for hit in hits] != chosen(store, "check")
        or sizes != {bulk.closure_size()}
        or counts != {bulk.SAME_VALUE}
    ):
        raise click.ClickException(
            f"the store of {store.nodes:,} nodes answers something else: closures of {sizes} nodes,"
            f" {counts} with a property"
        )


def build(directory: Path, nodes: int) -> int:
    """Fill a store; return how many steps it has."""
    directory.mkdir()
    file = directory / "filled.db"
    label = f"{nodes:>10,} nodes"
    with click.progressbar(length=nodes // bulk.NODES_OF_STEP, label=label, file=sys.stderr) as bar:
        made = bulk.build(file, nodes, bar.update)
    for name in PLACES.values():
        (directory / f"{name}.db").symlink_to(file)
    return made


def measure(stores: list[Grown], repeats: int) -> list[dict[str, Any]]:
    """Return the median time of each call on each store, in ms."""
    taken: dict[tuple[str, int, str], list[float]] = {}
    turns = [(what, repeat) for repeat in range(repeats) for what in CALLS_TO_MAKE]
    with click.progressbar(turns, label="measuring", file=sys.stderr) as bar:
        for what, repeat in bar:
            for store in stores if repeat % 2 == 0 else reversed(stores):
                ops = CALLS_TO_MAKE[what](store, f"{what}-{store.where}-{repeat}")
                [result] = store.target.run([lane(ops, 1, None)])
                if result["errors"]:
                    raise click.ClickException(
                        f"{what} on {store.nodes:,} nodes: {result['errors']}"
                    )
                key = (store.where, store.nodes, what)
                taken.setdefault(key, []).append(statistics.median(result["latencies"]) * 1e3)
    return [
        {"where": where, "nodes": nodes, "what": what, "ms": statistics.median(times)}
        for (where, nodes, what), times in taken.items()
    ]


def size_of(store: Grown, before: tuple[float, float]) -> dict[str, Any]:
    """Return what the process of a store needs."""
    assert store.target.file is not None
    now, peak = store.target.memory_mib()
    return {
        "where": store.where,
        "nodes": store.nodes,
        "file_mib": store.target.file.stat().st_size / MIB,
        "start_s": store.target.start_seconds,
        "server_start_mib": before[0],
        "server_mib": now,
        "server_peak_mib": peak,
    }


def run(directory: Path, sizes: list[int], repeats: int) -> dict[str, Any]:
    """Return the growth of everything that is measured."""
    made = {nodes: build(directory / str(nodes), nodes) for nodes in sizes}
    os.sync()
    rows, needs = [], []
    for where in PLACES:  # one after the other: a store has one writer here
        with ExitStack() as stack:
            stores = [_opened(stack, directory, *pair, where) for pair in made.items()]
            before = [store.target.memory_mib() for store in stores]
            for store in stores:
                check(store)
                store.target.settle(LOADING_SECONDS)
            rows += measure(stores, repeats)
            needs += [size_of(store, at) for store, at in zip(stores, before, strict=True)]
    served = [size for size in needs if size.pop("where") == "grpc"]
    return {"machine": description(), "repeats": repeats, "rows": rows, "sizes": served}


def _opened(stack: ExitStack, directory: Path, nodes: int, steps: int, where: str) -> Grown:
    target = stack.enter_context(opened(PLACES[where], directory / str(nodes)))
    requests = Requests(declared_ids(target.call("PutTypes", declared_types())))
    return Grown(nodes, steps, where, target, requests)


def tables(found: dict[str, Any]) -> str:
    """Return what was found, for a terminal."""
    sizes = [size["nodes"] for size in found["sizes"]]
    times = {(row["where"], row["what"], row["nodes"]): row["ms"] for row in found["rows"]}
    works = dict.fromkeys((where, what) for where, what, _ in times)
    rows = []
    for where, what in works:
        of_sizes = [times[where, what, nodes] for nodes in sizes]
        ratio = f"{of_sizes[-1] / of_sizes[0]:.2f}x"
        rows.append((f"{what}, {where}, ms", *(f"{ms:.3f}" for ms in of_sizes), ratio))
    needs = ("file_mib", "start_s", "server_start_mib", "server_peak_mib")
    rows += [(need, *(f"{size[need]:.1f}" for size in found["sizes"]), "") for need in needs]
    return aligned(("", *(f"{nodes:,}" for nodes in sizes), "growth"), rows)


@click.command()
@click.option(
    "--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Nodes of the stores."
)
@click.option("--full", is_flag=True, help="Also 10 million nodes: 10 GB of disk.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1))
@click.option(
    "--directory", default="/var/tmp", show_default=True, help="Where to make the stores."
)
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def main(*, sizes: str, full: bool, repeats: int, directory: str, file: Path | None) -> None:
    """Print the time of each call by the size of the store, and what the server needs."""
    numbers = sorted(int(size) for size in sizes.split(","))
    if full:
        numbers.append(10_000_000)
    with tempfile.TemporaryDirectory(dir=directory) as home:
        found = run(Path(home), numbers, repeats)
    click.echo(tables(found))
    if file is not None:
        file.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
