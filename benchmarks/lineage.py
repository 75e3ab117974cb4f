"""Measures lineage on this store and the real ML Metadata side by side.

    python benchmarks/lineage.py [--quick] [--output FILE]

Both are served over gRPC on SQLite files that hold the same chain and the same layered graph, in
which each execution reads some artifacts of the layer below and writes one. They get the same
GetLineageSubgraph in turn, and their answers must be equal, node by node and event by event. What
counts is the ratio of the medians. With bodies, the nodes are then fetched by id, which is what the
client of ML Metadata does.
"""

import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import grpc

from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.mlmd_servers import serving

LAYERS, FAN, CHAIN = 50, 3, 100
BATCH = 5_000
SHORT_SECONDS, MORE = 0.05, 40
"""What takes less is asked so many times as often."""

MOMENT = 1_700_000_000_000
UPSTREAM = pb.LineageSubgraphQueryOptions.UPSTREAM
NAMES = ("a", "b")
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

Event = tuple[int, int, int]
"""Artifact id, execution id, type."""


@dataclass(frozen=True)
class Graph:
    """A layered graph and a chain; ids count from 1.

    Attributes:
        artifacts: How many artifacts there are.
        executions: How many executions there are.
        events: All events.
        starts: The last artifact of each part.
    """

    artifacts: int
    executions: int
    events: list[Event]
    starts: dict[str, int]

    @classmethod
    def of(cls, executions: int) -> "Graph":
        choice, width, events = random.Random(3), executions // LAYERS, []
        for number in range(executions):
            below = number // width * width
            read = sorted(choice.sample(range(width), FAN))
            events += [(below + at + 1, number + 1, pb.Event.INPUT) for at in read]
            events.append((below + width + number % width + 1, number + 1, pb.Event.OUTPUT))
        last = executions + width
        for at in range(CHAIN):
            events.append((last + at + 1, executions + at + 1, pb.Event.INPUT))
            events.append((last + at + 2, executions + at + 1, pb.Event.OUTPUT))
        starts = {"chain": last + CHAIN + 1, "graph": last}
        return cls(last + CHAIN + 1, executions + CHAIN, events, starts)


class Target:
    """One store, reached over gRPC under ML Metadata's name."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, UNLIMITED)

    def raw(self, method: str, request: bytes) -> bytes:
        return self._channel.unary_unary(f"/ml_metadata.MetadataStoreService/{method}")(request)

    def call(self, method: str, **fields: object) -> object:
        request = getattr(service, f"{method}Request")(**fields)
        answer = self.raw(method, request.SerializeToString())
        return getattr(service, f"{method}Response").FromString(answer)

    def put_types(self) -> tuple[int, int]:
        properties = {"a": pb.STRING, "b": pb.INT}
        artifact = pb.ArtifactType(name="BenchArtifact", properties=properties)
        execution = pb.ExecutionType(name="BenchExecution", properties=properties)
        return (
            self.call("PutArtifactType", artifact_type=artifact).type_id,
            self.call("PutExecutionType", execution_type=execution).type_id,
        )


def node(message: type, type_id: int, number: int) -> object:
    made = message(type_id=type_id)
    made.properties["a"].string_value, made.properties["b"].int_value = values(number)
    if message is pb.Artifact:
        made.uri, made.state = uri(number), pb.Artifact.LIVE
    else:
        made.last_known_state = pb.Execution.COMPLETE
    return made


def values(number: int) -> tuple[str, int]:
    return f"v{number % 97}", number


def uri(number: int) -> str:
    return f"s3://bucket/{number}"


def fill_ours(target: Target, graph: Graph) -> None:
    """Record a graph through the API."""
    artifact_type, execution_type = target.put_types()
    kinds = (
        ("PutArtifacts", "artifacts", pb.Artifact, artifact_type, graph.artifacts),
        ("PutExecutions", "executions", pb.Execution, execution_type, graph.executions),
    )
    for method, field, message, type_id, count in kinds:
        for numbers in batches(range(1, count + 1)):
            nodes = [node(message, type_id, number) for number in numbers]
            target.call(method, **{field: nodes})
    for events in batches(graph.events):
        target.call("PutEvents", events=[event_message(event) for event in events])


def batches(items: Sequence[object]) -> Iterator[Sequence[object]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


def event_message(event: Event) -> pb.Event:
    artifact, execution, of_type = event
    return pb.Event(
        artifact_id=artifact,
        execution_id=execution,
        type=of_type,
        milliseconds_since_epoch=MOMENT,
    )


def fill_real(path: Path, types: tuple[int, int], graph: Graph) -> None:
    """Write a graph into a database of ML Metadata, as its own calls would, only faster."""
    kinds = (
        ("Artifact", types[0], graph.artifacts, "uri, state", 2),
        ("Execution", types[1], graph.executions, "last_known_state", 3),
    )
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, type_id, count, columns, state in kinds:
            own = [[uri(i), state] if table == "Artifact" else [state] for i in range(1, count + 1)]
            holes = ", ".join("?" * (4 + len(own[0])))
            connection.executemany(
                f"INSERT INTO {table} (id, type_id, create_time_since_epoch,"
                f" last_update_time_since_epoch, {columns}) VALUES ({holes})",
                ((i, type_id, MOMENT, MOMENT, *more) for i, more in enumerate(own, 1)),
            )
            for name, column in zip(NAMES, ("string_value", "int_value"), strict=True):
                connection.executemany(
                    f"INSERT INTO {table}Property ({table.lower()}_id, name, is_custom_property,"
                    f" {column}) VALUES (?, ?, 0, ?)",
                    ((i, name, values(i)[NAMES.index(name)]) for i in range(1, count + 1)),
                )
        connection.executemany(
            "INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch)"
            " VALUES (?, ?, ?, ?)",
            ((*event, MOMENT) for event in graph.events),
        )


@dataclass
class Loaded:
    """A server of ours that has its graph in memory.

    Attributes:
        address: HOST:PORT.
        seconds: How long the graph took to read.
        mib: How much memory it takes, by its own account.
        grown_mib: How much larger the process is than one without a graph.
    """

    address: str
    seconds: float
    mib: float
    grown_mib: float


@contextmanager
def served(database: Path, log: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "lineage_store.cli", "serve", "--grpc", "127.0.0.1:0"]
    command += ["--database", f"sqlite:///{database}", *options]
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def address_of(process: "subprocess.Popen[str]") -> str:
    return re.search(r"grpc=(\S+)", process.stdout.readline()).group(1)


@contextmanager
def loaded(database: Path, directory: Path) -> Iterator[Loaded]:
    with served(database, directory / "without.log", "--max-graph-bytes", "0") as process:
        address_of(process)
        without = resident_mib(process.pid)
    log = directory / "ours.log"
    with served(database, log) as process:
        address = address_of(process)
        while not (found := re.search(r"events, (\S+) MiB, read in (\S+) s", log.read_text())):
            time.sleep(0.05)
        grown = resident_mib(process.pid) - without
        yield Loaded(address, float(found.group(2)), float(found.group(1)), grown)


def resident_mib(pid: int) -> float:
    kilobytes = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes.group(1)) / 1024


@dataclass(frozen=True)
class Question:
    """What is asked of both stores."""

    part: str
    hops: int
    with_bodies: bool = False

    def request(self, graph: Graph) -> bytes:
        request = service.GetLineageSubgraphRequest()
        options = request.lineage_subgraph_query_options
        options.starting_artifacts.filter_query = f"id = {graph.starts[self.part]}"
        options.max_num_hops, options.direction = self.hops, UPSTREAM
        request.read_mask.paths.extend(["artifacts", "executions", "events"])
        return request.SerializeToString()


QUESTIONS = [Question(part, hops) for part in ("chain", "graph") for hops in (5, 20, 100)]
QUESTIONS.append(Question("graph", 100, with_bodies=True))


def ask(target: Target, question: Question, graph: Graph) -> tuple[float, list[bytes]]:
    """Return how many seconds the answers took, and the answers."""
    request = question.request(graph)
    begun = time.perf_counter()
    answers = [target.raw("GetLineageSubgraph", request)]
    took = time.perf_counter() - begun
    if question.with_bodies:
        found = service.GetLineageSubgraphResponse.FromString(answers[0]).lineage_subgraph
        artifacts = service.GetArtifactsByIDRequest(artifact_ids=[n.id for n in found.artifacts])
        executions = service.GetExecutionsByIDRequest(
            execution_ids=[n.id for n in found.executions]
        )
        wanted = [artifacts.SerializeToString(), executions.SerializeToString()]
        begun = time.perf_counter()
        answers.append(target.raw("GetArtifactsByID", wanted[0]))
        answers.append(target.raw("GetExecutionsByID", wanted[1]))
        took += time.perf_counter() - begun
    return took, answers


def content(answers: list[bytes]) -> list[object]:
    """Return what answers say, in a form that equal ones have in common."""
    found = service.GetLineageSubgraphResponse.FromString(answers[0]).lineage_subgraph
    said: list[object] = [
        sorted(n.id for n in found.artifacts),
        sorted(n.id for n in found.executions),
        sorted(event.SerializeToString(deterministic=True) for event in found.events),
    ]
    for answer, message, field in zip(
        answers[1:],
        (service.GetArtifactsByIDResponse, service.GetExecutionsByIDResponse),
        ("artifacts", "executions"),
        strict=False,
    ):
        said.append(sorted(body(n) for n in getattr(message.FromString(answer), field)))
    return said


def body(message: object) -> tuple[object, ...]:
    """Return what was recorded of a node, but for its type and times, which each store gives."""
    properties = sorted((name, v.SerializeToString()) for name, v in message.properties.items())
    state = message.state if isinstance(message, pb.Artifact) else message.last_known_state
    return (message.id, getattr(message, "uri", ""), state, *properties)


def measure(targets: dict[str, Target], graph: Graph, repeats: int) -> list[dict[str, object]]:
    rows = []
    for question in QUESTIONS:
        times: dict[str, list[float]] = {name: [] for name in targets}
        first = {name: ask(target, question, graph) for name, target in targets.items()}
        said = {name: content(answers) for name, (_, answers) in first.items()}
        if said["mlmd"] != said["ours"]:
            raise click.ClickException(f"the answers to {question} differ")
        is_short = max(took for took, _ in first.values()) < SHORT_SECONDS
        for _ in range(repeats * MORE if is_short else repeats):
            for name, target in targets.items():
                times[name].append(ask(target, question, graph)[0] * 1e3)
        theirs, ours = (statistics.median(times[name]) for name in ("mlmd", "ours"))
        artifacts, executions, events = map(len, said["ours"][:3])
        counts = {"nodes": artifacts + executions, "events": events}
        row = {**asdict(question), **counts, "mlmd_ms": theirs, "ours_ms": ours}
        rows.append({"of_events": len(graph.events), **row, "ratio": theirs / ours})
        show(rows[-1])
    return rows


def show(row: dict[str, object]) -> None:
    what = f"{row['part']} {row['hops']} hops{', bodies' if row['with_bodies'] else ''}"
    click.echo(
        f"{row['of_events']:>8,} events  {what:<23} {row['nodes']:>7,} nodes "
        f"{row['events']:>7,} events   MLMD {row['mlmd_ms']:9.2f} ms   "
        f"ours {row['ours_ms']:8.2f} ms   {row['ratio']:5.1f}x"
    )


def run(executions: int, repeats: int) -> dict[str, object]:
    """Build one graph in both stores and ask them."""
    graph = Graph.of(executions)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        real = Target(stack.enter_context(serving("real core", directory)))
        fill_real(directory / "real.db", real.put_types(), graph)
        with served(directory / "ours.db", directory / "filling.log") as process:
            fill_ours(Target(address_of(process)), graph)
        ours = stack.enter_context(loaded(directory / "ours.db", directory))
        click.echo(
            f"{len(graph.events):>8,} events  read in {ours.seconds:.1f} s, {ours.mib:.1f} MiB by "
            f"count, process larger by {ours.grown_mib:.1f} MiB"
        )
        rows = measure({"mlmd": real, "ours": Target(ours.address)}, graph, repeats)
        memory = {"load_s": ours.seconds, "graph_mib": ours.mib, "grown_mib": ours.grown_mib}
        return {"of_events": len(graph.events), "memory": memory, "rows": rows}


@click.command()
@click.option("--quick", is_flag=True, help="One graph of 100,000 events.")
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(1, 100))
@click.option("--output", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def main(*, quick: bool, repeats: int, output: Path | None) -> None:
    """Print the median time of each question on both stores, and the ratio."""
    sizes = [25_000] if quick else [100_000, 250_000]
    graphs = [run(executions, repeats) for executions in sizes]
    if output is not None:
        taken = {
            "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": sys.version.split()[0],
            "processors": os.cpu_count(),
        }
        output.write_text(json.dumps({**taken, "graphs": graphs}, indent=2) + "\n")


if __name__ == "__main__":
    main()
