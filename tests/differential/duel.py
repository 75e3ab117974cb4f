"""Runs operations on two stores and stops at the first answer that must not differ."""

from collections import Counter
from collections.abc import Iterable
from typing import NoReturn

from google.protobuf.message import Message

from tests.differential import dump, pages
from tests.differential.comparison import Exchange, copy_of, normalise
from tests.differential.differences import DIFFERENCES
from tests.differential.identities import SYSTEM_TYPES, Identities
from tests.differential.operations import AS_READ, Operation
from tests.differential.peers import Answer, Store, request_of
from tests.differential.update_times import IDLE_UPDATE, UpdateTimes
from tests.differential.writes import PLURAL


class MismatchError(AssertionError):
    """The two stores do not agree, and no deliberate difference says why."""


class Tally:
    """Counts: calls by method and by the real store's status, and differences by name."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self.differences: Counter[str] = Counter()
        self.avoided: Counter[str] = Counter()
        self.sequences = 0

    def summary(self) -> str:
        """Return a table of the counts."""
        statuses = sorted({status for _, status in self.calls} - {"OK"})
        rows = [["", "OK", *statuses]]
        rows += [
            [method, *(str(self.calls[method, status] or "") for status in rows[0][1:])]
            for method in sorted({method for method, _ in self.calls})
        ]
        lines = [f"{row[0]:36}" + "".join(f"{cell:>20}" for cell in row[1:]) for row in rows]
        lines += [f"allowed  {count:6}  {name}" for name, count in self.differences.items()]
        lines += [f"avoided  {count:6}  {name}" for name, count in self.avoided.items()]
        return "\n".join([f"{self.sequences} sequences", *lines])


class Side:
    """One of the two stores, the ids that it gave out and its nodes as it answered them last."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.identities = Identities()
        self.nodes: dict[str, dict[int, Message]] = {kind: {} for kind in PLURAL}

    def call(self, method: str, request: Message) -> tuple[Answer, Answer]:
        """Return the answer to a request with symbols: as it came, and with symbols for ids."""
        rendered = copy_of(request)
        self.identities.to_ids(rendered)
        raw = self.store.call(method, rendered)
        if method.startswith("Put"):
            self.identities.learn(raw.response)
        response = normalise(method, raw.response, self.identities)
        return raw, Answer(raw.code, raw.message, response)

    def observe(self, kind: str, response: Message) -> None:
        """Remember all nodes of a kind from an answer that was not normalised."""
        symbolic = copy_of(response)
        self.identities.to_symbols(symbolic)
        # A new dict each time: the one before is what update times are compared with.
        self.nodes = self.nodes | {
            kind: {node.id: node for node in getattr(symbolic, PLURAL[kind])}
        }

    def reread(self, request: Message) -> Message:
        """Return the request with each node laid over the node as it was read."""
        result = copy_of(request)
        for kind, plural in PLURAL.items():
            for node in getattr(result, plural, ()):
                stored = self.nodes[kind].get(node.id) if node.HasField("id") else None
                if stored is not None:
                    overlay = copy_of(node)
                    node.CopyFrom(stored)
                    node.MergeFrom(overlay)
        return result

    def with_times(self, request: Message) -> Message:
        """Return the request with the update times that this store answered, where it asks so."""
        result = copy_of(request)
        for artifact in getattr(result, "artifacts", ()):
            stored = self.nodes["artifact"].get(artifact.id)
            if stored is not None and artifact.last_update_time_since_epoch == AS_READ:
                artifact.last_update_time_since_epoch = stored.last_update_time_since_epoch
        return result


class Duel:
    """A comparison of two stores over one sequence of operations."""

    def __init__(self, real: Store, ours: Store, tally: Tally) -> None:
        self.sides = (Side(real), Side(ours))
        self.tally = tally
        self.log: list[str] = []
        self._update_times = UpdateTimes()
        for side in self.sides:
            side.store.reset()
        for kind, name in SYSTEM_TYPES:
            self._learn_system_type(f"Get{kind.capitalize()}Type", f"mlmd.{name}")

    def _learn_system_type(self, method: str, name: str) -> None:
        request = request_of(method)
        request.type_name = name
        for side in self.sides:
            answer = side.store.call(method, request)
            assert answer.code == 0, f"{side.store.name} has no {name}: {answer.message}"
            side.identities.learn(answer.response)

    def run(self, operations: Iterable[Operation]) -> None:
        """Run a sequence and compare all that the stores hold in the end.

        Raises:
            MismatchError: With a log of the whole sequence.
        """
        for operation in operations:
            self.perform(operation)
        for method, request in dump.everything(self.sides[0].identities):
            self.exchange(method, request, quiet=True)
        self.tally.sequences += 1

    def perform(self, operation: Operation) -> None:
        """Run one operation on both stores and compare the answers."""
        request = copy_of(operation.request)
        self.sides[0].identities.resolve(request)
        for difference in DIFFERENCES:
            if difference.avoids is not None and difference.avoids(operation.method, request):
                self.tally.avoided[difference.name] += 1
                return
        if operation.method.startswith("Put"):
            self._write(operation, request)
        elif hasattr(request, "options") and request.HasField("options"):
            pages.walk(self, operation, request)
        else:
            self.exchange(operation.method, request)

    def exchange(self, method: str, request: Message, *, quiet: bool = False) -> list[Answer]:
        """Send one request to both stores, compare the answers and return them as they came."""
        return self.compare(self.call(method, request, [request, request]), quiet=quiet)

    def call(self, method: str, request: Message, rendered: list[Message]) -> Exchange:
        """Send each store its form of a request, and judge nothing."""
        answers = [side.call(method, part) for side, part in zip(self.sides, rendered, strict=True)]
        (real, normal_real), (ours, normal_ours) = answers
        self.tally.calls[method, real.status] += 1
        return Exchange(method, request, normal_real, normal_ours, raw=[real, ours])

    def compare(self, exchange: Exchange, *, quiet: bool = False) -> list[Answer]:
        """Fail unless the answers are equal or an entry of the list explains why they are not."""
        if not exchange.equal:
            explaining = (entry for entry in DIFFERENCES if entry.explains is not None)
            exchange.allowed = next(
                (entry.name for entry in explaining if entry.explains(exchange)), None
            )
            if exchange.allowed is None:
                self.fail(str(exchange))
            self.tally.differences[exchange.allowed] += 1
        if not quiet:
            self.log.append(str(exchange))
        return exchange.raw

    def fail(self, why: str) -> NoReturn:
        """Stop with the log of the sequence."""
        raise MismatchError("\n".join(["the stores differ", *self.log, why]))

    def _write(self, operation: Operation, request: Message) -> None:
        before = [side.nodes for side in self.sides]
        self._update_times.wait(before)
        rendered = []
        for side in self.sides:
            part = side.reread(request) if operation.rereads else request
            rendered.append(side.with_times(part))
        exchange = self.call(operation.method, rendered[0], rendered)
        self.compare(exchange)
        after = self._observe()
        idle = self._update_times.judge(exchange, before, after, self.fail)
        self.tally.differences[IDLE_UPDATE] += idle

    def _observe(self) -> list[dict[str, dict[int, Message]]]:
        """Read all nodes of both stores, compare them and return them."""
        for kind, plural in PLURAL.items():
            method = f"Get{plural.capitalize()}"
            answers = self.exchange(method, request_of(method), quiet=True)
            for side, answer in zip(self.sides, answers, strict=True):
                side.observe(kind, answer.response)
        return [side.nodes for side in self.sides]
