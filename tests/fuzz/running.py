"""A fuzz run on one database: a server of its own, callers, and checks meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from lineage_store.wire import METHODS
from tests.backends import mariadb, postgresql
from tests.fuzz.calling import Caller, Finding, Tally
from tests.fuzz.valid import World
from tests.integration.serving import Served, serving

CALLERS = 4
OPTIONS = (
    "--max-lineage-seconds",
    "2",
    "--max-filter-seconds",
    "2",
    "--max-lineage-nodes",
    "2000",
    "--max-message-bytes",
    "4000000",
)
WARM_UP = 0.4
"""The part of the time after which memory should stay level."""

MOST_GROWTH_BYTES = 300 * 1024 * 1024
"""What the store itself may add to the memory of the server until the end: pages that SQLite keeps
for each connection, and the graph."""


@contextmanager
def sqlite(directory: Path) -> Iterator[str]:
    yield f"sqlite:///{directory}/store.db"


@contextmanager
def _of_server(store: AbstractContextManager[str]) -> Iterator[str]:
    with store as url:
        yield url


DATABASES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "sqlite": sqlite,
    "postgresql": lambda _: _of_server(postgresql.new_store()),
    "mariadb": lambda _: _of_server(mariadb.new_store()),
}


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a run.

    Attributes:
        tally: The outcomes of the requests.
        faults: Sentences about faults, besides the findings in the tally.
        seconds: How long it took.
        memory: The memory of the server after the warm-up and at the end, in bytes.
    """

    tally: Tally
    faults: list[str]
    seconds: float
    memory: tuple[int, int]

    @property
    def requests(self) -> int:
        """The number of requests."""
        return self.tally.statuses.total()

    def and_then(self, later: "Report") -> "Report":
        """Return the outcome of this run and of a later one."""
        tally = Tally(
            self.tally.statuses + later.tally.statuses,
            self.tally.answered + later.tally.answered,
            self.tally.findings + later.tally.findings,
        )
        worst = max(self.memory, later.memory, key=lambda sizes: sizes[1] - sizes[0])
        faults, seconds = self.faults + later.faults, self.seconds + later.seconds
        return Report(tally, faults, seconds, worst)

    def lines(self) -> Iterator[str]:
        """Yield the lines that tell it."""
        statuses = ", ".join(f"{name} {count}" for name, count in self.tally.statuses.most_common())
        yield f"{self.requests} requests, {self.requests / self.seconds:.0f} a second: {statuses}"
        never = [method for method in METHODS if not self.tally.answered[method]]
        yield f"methods that were never answered well: {', '.join(never) or 'none'}"
        yield "memory: {:.0f} MiB after warm-up, {:.0f} MiB at the end".format(
            *(size / 2**20 for size in self.memory)
        )
        yield from self.faults
        for finding in self.tally.findings[:20]:
            yield str(finding)
        yield f"{len(self.tally.findings) + len(self.faults)} findings"

    @property
    def is_clean(self) -> bool:
        """Return True if the run has no findings and no faults."""
        return not self.tally.findings and not self.faults


def run(directory: Path, database: str, seconds: float, seed: int) -> Report:
    """Send mutated requests to a new server on a new database."""
    directory.mkdir(parents=True, exist_ok=True)
    with (
        DATABASES[database](directory) as url,
        serving(directory, *OPTIONS, "--database", url) as served,
    ):
        world, tally = World(served.address), Tally()
        callers = [Caller(served.address, world, tally, f"{seed}/{at}") for at in range(CALLERS)]
        start = time.monotonic()
        for caller in callers:
            caller.start()
        memory = _watch(served, seconds, tally)
        failed = sum(not caller.is_alive() for caller in callers)
        for caller in callers:
            caller.stop.set()
        for caller in callers:
            caller.join(30)
        took = time.monotonic() - start
        faults = list(_faults(served, callers, memory))
        if failed:
            faults.append(f"{failed} callers failed, which is a defect of the fuzz")
        return Report(tally, faults, took, memory)


def _watch(served: Served, seconds: float, tally: Tally) -> tuple[int, int]:
    """Wait; return the memory of the server after the warm-up and at the end."""
    process = psutil.Process(served.process.pid)
    until = time.monotonic() + seconds
    warm = 0
    while (seconds_left := until - time.monotonic()) > 0 and served.process.poll() is None:
        if not warm and seconds_left < seconds * (1 - WARM_UP):
            warm = process.memory_info().rss
        time.sleep(min(0.2, seconds_left))
        if len(tally.findings) > 100:
            break
    if served.process.poll() is not None:
        return warm, warm
    end = process.memory_info().rss
    return warm or end, end


def _faults(served: Served, callers: list[Caller], memory: tuple[int, int]) -> Iterator[str]:
    if served.process.poll() is not None:
        yield f"the server ended with exit code {served.process.returncode}"
    if any(caller.is_alive() for caller in callers):
        yield "a call hangs"
    if memory[1] - memory[0] > MOST_GROWTH_BYTES:
        yield "the memory of the server grows"
    log = served.log()
    bad = [word for word in ("Traceback", "defect", "unexpected error") if word in log]
    if bad:
        at = min(map(log.index, bad))
        yield f"the log of the server has {bad[0]!r}:\n{log[max(0, at - 300) : at + 4000]}"


def replayed(directory: Path, database: str, path: str, encoded: bytes) -> Finding:
    """Send one request to a new server on a database that was filled as for a run."""
    import grpc  # noqa: PLC0415 - for this alone

    from tests.fuzz.calling import send  # noqa: PLC0415

    with (
        DATABASES[database](directory) as url,
        serving(directory, *OPTIONS, "--database", url) as served,
    ):
        World(served.address)
        with grpc.insecure_channel(served.address) as channel:
            status, details, _ = send(channel, path, encoded)
        return Finding(path, status, f"{details}\n{served.log()}", encoded)
