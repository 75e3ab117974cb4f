"""One operation of a random sequence, not tied to the state of any store."""

from dataclasses import dataclass

from google.protobuf import text_format
from google.protobuf.message import Message
from hypothesis.vendor.pretty import RepresentationPrinter

from lineage_store.v1 import metadata_pb2

# Stands in a request for the update time that the store answered last for that node.
AS_READ = 1


def compact(message: Message) -> str:
    """Return a message as text on one line."""
    return text_format.MessageToString(message, as_one_line=True, as_utf8=True)


@dataclass(frozen=True)
class Operation:
    """A call, or a walk over the pages of a listing.

    Attributes:
        method: The name of the RPC.
        request: The request; its ids are references (see `identities`).
        rereads: Each node with an id in the request is laid over the node as the store answered it
            last, so that the put is the second half of a read-modify-write.
        turns: One entry for each further page to ask for: the options to send with the token of the
            page before it, or None to send those of the first page again.
    """

    method: str
    request: Message
    rereads: bool = False
    turns: tuple[metadata_pb2.ListOperationOptions | None, ...] = ()

    def __repr__(self) -> str:
        extras = " (over the node as read)" if self.rereads else ""
        for turn in self.turns:
            extras += " then next page" + ("" if turn is None else f" with <{compact(turn)}>")
        return f"{self.method} {compact(self.request)}{extras}"

    def _repr_pretty_(self, printer: RepresentationPrinter, _cycle: bool) -> None:
        """Let hypothesis print the operation on one line, not the message on a hundred."""
        printer.text(repr(self))
