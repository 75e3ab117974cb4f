"""What carries a request to the store: an engine in this process, or a gRPC channel.

Both answer `call(method, request)` with the response message and raise the errors of
`lineage_store.errors`, so that everything above is written once.
"""

from typing import Protocol

from google.protobuf.message import Message

from lineage_store.v1 import metadata_service_pb2

SERVICE = metadata_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]


class Transport(Protocol):
    """Carries requests to one store."""

    def call(self, method: str, request: Message) -> Message:
        """Return the response to `request`.

        Args:
            method: The name of an RPC of MetadataStoreService, such as "PutArtifacts".
            request: Its request message.

        Raises:
            LineageError: What the store answered, as the class that the engine raised.
        """

    def close(self) -> None:
        """Free what the transport holds; calls after this raise FailedPrecondition."""
