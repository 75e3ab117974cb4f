"""Raw gRPC to a server of ML Metadata, with everything that was said written down."""

from dataclasses import dataclass, field

import grpc
from google.protobuf import text_format
from google.protobuf.message import Message

from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.differential.comparison import normalise
from tests.differential.identities import Identities, messages_in

SERVICE = "ml_metadata.MetadataStoreService"
MAX_MESSAGE_BYTES = 100 * 1024 * 1024
DEADLINE_SECONDS = 60


@dataclass(frozen=True)
class RecordedCall:
    """One call, without the differences between two equal stores: ids and clocks."""

    method: str
    request: str
    status: str
    response: str


class Refused(Exception):
    """A call that failed.

    Attributes:
        status: The name of its code.
    """

    def __init__(self, method: str, status: str) -> None:
        super().__init__(f"{method}: {status}")
        self.status = status


@dataclass
class Wire:
    """A channel to one server.

    Attributes:
        address: HOST:PORT.
        calls: The calls on it, in order.
    """

    address: str
    calls: list[RecordedCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        limits = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
        self._channel = grpc.insecure_channel(
            self.address, [(name, MAX_MESSAGE_BYTES) for name in limits]
        )
        self._identities = Identities()

    def close(self) -> None:
        self._channel.close()

    def call(self, method: str, **fields: object) -> Message:
        """Return the response of a method, or raise Refused."""
        request = getattr(service, f"{method}Request")(**fields)
        response, status = getattr(service, f"{method}Response")(), "OK"
        call = self._channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=type(response).FromString,
        )
        try:
            response = call(request, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            status = error.code().name
        self._write_down(method, request, status, response)
        if status != "OK":
            raise Refused(method, status)
        return response

    def _write_down(self, method: str, request: Message, status: str, response: Message) -> None:
        self._identities.learn(response)
        sent_text, answered = (self._normal(method, part) for part in (request, response))
        self.calls.append(RecordedCall(method, sent_text, status, answered))

    def _normal(self, method: str, message: Message) -> str:
        normal = normalise(method, message, self._identities)
        for part in messages_in(normal):
            if isinstance(part, pb.Execution):
                self._symbolise_properties(part.custom_properties)
            elif isinstance(part, pb.ListOperationOptions):
                part.filter_query = self._symbolise_filter(part.filter_query)
        return text_format.MessageToString(normal)

    def _symbolise_properties(self, properties) -> None:
        """Replace the ids that Kubeflow Pipelines keeps in properties."""
        if "parent_dag_id" in properties:
            value = properties["parent_dag_id"]
            value.int_value = self._symbol(value.int_value)
        if "cached_execution_id" in properties:
            value = properties["cached_execution_id"]
            value.string_value = str(self._symbol(int(value.string_value)))

    def _symbolise_filter(self, text: str) -> str:
        before, equals, number = text.rpartition(" = ")
        return f"{before}{equals}{self._symbol(int(number))}" if number.isdigit() else text

    def _symbol(self, execution_id: int) -> int:
        execution = pb.Execution(id=execution_id)
        self._identities.to_symbols(execution)
        return execution.id
