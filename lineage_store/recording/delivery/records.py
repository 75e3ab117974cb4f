"""Records on their way to the store: a method and its request, encoded once."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message

from lineage_store import errors
from lineage_store.v1 import cache_pb2 as pb

STEP = "RecordStep"
CACHED = "RecordCached"
REQUESTS: dict[str, Any] = {STEP: pb.RecordStepRequest, CACHED: pb.RecordCachedRequest}
"""The message of each method."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request that records something of a step.

    It is kept as bytes: these go to the journal, to the spool and to the store as they are.

    Attributes:
        method: "RecordStep" or "RecordCached".
        body: Its request message, encoded.
    """

    method: str
    body: bytes

    @classmethod
    def of(cls, method: str, request: Message) -> "Record":
        """Return the record of a request message."""
        return cls(method, request.SerializeToString())

    @property
    def request(self) -> Any:  # noqa: ANN401 - the message of the method
        """A message of the request; to change it changes no record.

        Raises:
            DataLoss: This version knows no such method, or the request can't be read.
        """
        try:
            return REQUESTS[self.method].FromString(self.body)
        except (KeyError, DecodeError):
            raise errors.DataLoss(f"a record of {self.method!r} can't be read") from None

    @property
    def is_readable(self) -> bool:
        """True if this version can read and send it."""
        try:
            return self.request is not None
        except errors.DataLoss:
            return False

    def size(self) -> int:
        """Return the size of the request in bytes."""
        return len(self.body)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that the store will never take as it is, and the reason."""

    record: Record
    why: str
