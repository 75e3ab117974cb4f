"""The common part of two answers: everything but ids, clocks and the text of tokens."""

import time
from dataclasses import dataclass

from google.protobuf.message import Message

from tests.differential.identities import Identities, is_list, messages_in
from tests.differential.operations import compact
from tests.differential.peers import Answer

# Stands for the clock of the server, and for a token that leads on.
NOW = 4_000_000_000_000
TOKEN = "more"

_TIMES = (
    "create_time_since_epoch",
    "last_update_time_since_epoch",
    "milliseconds_since_epoch",
)
_DAY = 86_400_000


def is_now(milliseconds: int) -> bool:
    """Return True if a time was read from the clock during the test."""
    return abs(milliseconds - time.time_ns() // 10**6) < _DAY


def in_unspecified_order(method: str) -> tuple[str, ...]:
    """Return the fields of a response whose order MLMD does not define."""
    if method == "GetArtifactsByURI":
        return ("artifacts",)
    if method == "GetArtifactsByID":
        return ("artifact_types",)
    if method.endswith("TypesByExternalIds"):
        return ("artifact_types", "execution_types", "context_types")
    if method in ("GetParentContextsByContext", "GetChildrenContextsByContext"):
        return ("contexts",)
    return ()


def copy_of(message: Message) -> Message:
    """Return a message of its own with the same content."""
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def normalise(method: str, response: Message, identities: Identities) -> Message:
    """Return a copy of a response that is equal to that of a store which behaves the same."""
    normal = copy_of(response)
    identities.to_symbols(normal)
    for part in messages_in(normal):
        for descriptor, value in part.ListFields():
            if descriptor.name in _TIMES and is_now(value):
                setattr(part, descriptor.name, NOW)
            elif descriptor.name == "next_page_token" and value:
                part.next_page_token = TOKEN
    for name in in_unspecified_order(method):
        listed = getattr(normal, name, None)
        if listed is not None and is_list(listed):
            listed.sort(key=lambda node: node.id)
    return normal


@dataclass
class Exchange:
    """One request and the answers of the two stores, with symbols for ids.

    Attributes:
        method: The name of the RPC.
        request: The request as it was tied to the state, still the same for both stores.
        real: The answer of ML Metadata.
        ours: The answer of the store under test.
        raw: Both answers as they came.
        allowed: The name of the deliberate difference that explains why they differ.
    """

    method: str
    request: Message
    real: Answer
    ours: Answer
    raw: list[Answer]
    allowed: str | None = None

    @property
    def equal(self) -> bool:
        """Return True if the stores agree."""
        return self.real.code == self.ours.code and self.real.response == self.ours.response

    def __str__(self) -> str:
        lines = [f"{self.method} {compact(self.request)}"]
        if self.equal:
            return f"{lines[0]}\n    both: {described(self.real)}"
        verdict = f" (allowed: {self.allowed})" if self.allowed else " DIFFERENT"
        lines += [f"    real: {described(self.real)}", f"    ours: {described(self.ours)}{verdict}"]
        return "\n".join(lines)


def described(answer: Answer) -> str:
    """Return an answer as text on one line."""
    message = " ".join(answer.message.split())
    shortened = message if len(message) < 240 else f"{message[:110]} ... {message[-110:]}"
    return f"{answer.status} {compact(answer.response)}{shortened}"
