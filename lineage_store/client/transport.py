"""What carries a request to the store: an engine in this process, or a gRPC channel.

Both answer `call(method, request)` with the response message, and `stream(method, request)` with
one after the other, and raise the errors of `lineage_store.errors`, so that everything above is
written once.
"""

from collections.abc import Iterator
from typing import Protocol

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store.v1 import cache_pb2, lineage_pb2, metadata_service_pb2

SERVICE = metadata_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
LINEAGE = lineage_pb2.DESCRIPTOR.services_by_name["LineageService"]
CACHE = cache_pb2.DESCRIPTOR.services_by_name["CacheService"]
METHODS = {
    method.name: method for service in (SERVICE, LINEAGE, CACHE) for method in service.methods
}
"""Every RPC by its name."""

RESPONSES = {name: GetMessageClass(method.output_type) for name, method in METHODS.items()}
"""The class of the response of every RPC, or of each message of a stream."""


class Transport(Protocol):
    """Carries requests to one store."""

    def call(self, method: str, request: Message) -> Message:
        """Return the response to `request`.

        Args:
            method: The name of an RPC, such as "PutArtifacts".
            request: Its request message.

        Raises:
            LineageError: What the store answered, as the class that the engine raised.
        """

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages that answer `request`, as they come.

        An iterator that is not used up should be closed, or the store goes on for a while.

        Args:
            method: The name of an RPC that answers a stream, such as "Trace".
            request: Its request message.

        Raises:
            LineageError: What the store answered; here, or while the messages are taken.
        """

    def close(self) -> None:
        """Free what the transport holds; calls after this raise FailedPrecondition."""
