"""The revision that a call wants to read, and the one that it read."""

from dataclasses import dataclass

from google.protobuf.message import Message

TOKEN_PREFIX = "r1."  # noqa: S105 - no secret
"""The beginning of every token."""


@dataclass(frozen=True, slots=True)
class Consistency:
    """The revision that a call wants, as tokens.

    Attributes:
        at: Read exactly this revision.
        at_least: Read this revision, or a later one, once the store has it.
        wants_revision: Whether the answer of a read names its revision; that of a write does.
    """

    at: str = ""
    at_least: str = ""
    wants_revision: bool = False


ANY = Consistency()


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a request, a message or its bytes, and the token of its revision."""

    response: Message | bytes
    revision: str = ""
