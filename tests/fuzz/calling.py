"""Callers that send mutated requests to a server, and note forbidden answers."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from lineage_store.wire import CACHE, HISTORY, LINEAGE, RESPONSES, SERVICE
from tests.fuzz.mutations import mutated
from tests.fuzz.valid import World, valid_request

LATEST_SECONDS = 5.0
"""After this an answer is too late."""

NEVER = {"INTERNAL", "UNKNOWN", "DATA_LOSS"}
MOST_PARTS = 50
"""Messages that are taken of a stream; what is left is given up, as readers do."""

KEPT = 200
_SERVICES = (
    (SERVICE.full_name, SERVICE),
    ("ml_metadata.MetadataStoreService", SERVICE),
    (LINEAGE.full_name, LINEAGE),
    (CACHE.full_name, CACHE),
    (HISTORY.full_name, HISTORY),
    ("grpc.health.v1.Health", health_pb2.DESCRIPTOR.services_by_name["Health"]),
    (
        "grpc.reflection.v1alpha.ServerReflection",
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
    ),
)
CALLS = {
    f"/{name}/{method.name}": method for name, service in _SERVICES for method in service.methods
}
"""Every RPC of every service, by its path."""

ENDLESS = {"Wait", "Watch"}
"""Streams that end when their caller does."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A request whose answer must not be.

    Attributes:
        path: The path of the method.
        status: How it ended.
        details: The text of the status, and after how many seconds.
        encoded: The request.
    """

    path: str
    status: str
    details: str
    encoded: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.path} {self.details}\n  {self.path} {self.encoded.hex()}"


@dataclass(slots=True)
class Tally:
    """The outcomes of the requests of all callers.

    Attributes:
        statuses: How many ended how.
        answered: Requests that were answered well, by method.
        findings: Forbidden answers.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str, status: str, finding: Finding | None) -> None:
        """Note one request."""
        with self.mutex:
            self.statuses[status] += 1
            self.answered[method] += status == "OK"
            if finding is not None:
                self.findings.append(finding)


class Caller(threading.Thread):
    """Sends requests until it is told to end.

    Args:
        address: Of the server.
        world: The nodes that requests may name.
        tally: The counts.
        seed: Of its choices.
    """

    def __init__(self, address: str, world: World, tally: Tally, seed: str) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self._address = address
        self._world = world
        self._tally = tally
        self._chance = random.Random(seed)
        self._accepted: dict[str, list[Message]] = {}

    def run(self) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(self._address, options) as channel:
            turns: list[str] = []
            while not self.stop.is_set():
                turns = turns or self._chance.sample(list(CALLS), len(CALLS))
                self._call(channel, turns.pop())

    def _call(self, channel: grpc.Channel, path: str) -> None:
        method = CALLS[path].name
        request = self._request(path)
        is_valid = self._chance.random() < 0.15
        encoded = request.SerializeToString() if is_valid else mutated(request, self._chance)
        start = time.monotonic()
        status, details, response = send(channel, path, encoded)
        seconds = time.monotonic() - start
        finding = None
        if status in NEVER or "Traceback" in details:
            finding = Finding(path, status, details, encoded)
        elif seconds > LATEST_SECONDS and method not in ENDLESS:
            finding = Finding(path, f"LATE {status}", f"after {seconds:.1f} s {details}", encoded)
        self._tally.count(method, status, finding)
        if status == "OK" and response and method in RESPONSES:
            self._learn(method, request, response, is_valid=is_valid)

    def _request(self, path: str) -> Message:
        requests = self._accepted.get(CALLS[path].name)
        if requests and self._chance.random() < 0.5:
            return self._chance.choice(requests)
        return valid_request(CALLS[path], self._chance, self._world)

    def _learn(self, method: str, request: Message, response: bytes, *, is_valid: bool) -> None:
        """Keep a request that was answered well, and the tokens of its answer."""
        if is_valid:
            requests = self._accepted.setdefault(method, [])
            requests.append(request)
            del requests[:-20]
        if self._chance.random() < 0.1:
            for name, token in _tokens(RESPONSES[method].FromString(response)):
                self._world.tokens[name].append(token)
                del self._world.tokens[name][:-KEPT]


def _tokens(response: Any) -> list[tuple[str, Any]]:
    tokens = []
    for field_, value in response.ListFields():
        if field_.name in {"next_page_token", "page_token", "resume_token"} and value:
            tokens.append((field_.name, value))
            if field_.name == "next_page_token":
                tokens.append(("page_token", value))
        elif field_.name == "verdict":
            tokens += _tokens(value)
    return tokens


def send(channel: grpc.Channel, path: str, encoded: bytes) -> tuple[str, str, bytes]:
    """Send the bytes of a request; return status, its text, and the last message of the answer."""
    method = CALLS[path]
    try:
        if not method.server_streaming:
            return "OK", "", channel.unary_unary(path)(encoded, timeout=20)
        limit = 0.2 if method.name in ENDLESS else 20
        answer = channel.unary_stream(path)(encoded, timeout=limit)
        parts = list(islice(answer, MOST_PARTS))
        answer.cancel()
    except grpc.RpcError as error:
        return error.code().name, error.details() or "", b""
    return "OK", "", parts[-1] if parts else b""
