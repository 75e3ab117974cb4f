"""A transport over gRPC."""

import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store import errors
from lineage_store.client.connection_faults import ConnectionFault, connection_fault
from lineage_store.client.pinned import PinnedTransport
from lineage_store.consistency import ANY, Consistency
from lineage_store.wire import (
    AT_KEY,
    AT_LEAST_KEY,
    AUDIT,
    CACHE,
    HISTORY,
    LINEAGE,
    METHODS,
    REASON_KEY,
    RESPONSES,
    REVISION_KEY,
    SERVICE,
)

FIRST_LOOK_SECONDS = 0.5
"""Seconds that a connection may take before the transport looks why there is none."""

LOOK_SECONDS = 2.0

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 1.0
"""Between a call that the server did not begin, and the next attempt."""

_HEALTH_CHECK = "/grpc.health.v1.Health/Check"

MAX_MESSAGE_BYTES = 100 * 1024 * 1024

_TOO_LARGE = "message larger than max"
"""A part of gRPC's own error, on either side, for a message that is over its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS material of a client as PEM bytes; None: the roots of the system, no certificate."""

    ca: bytes | None = None
    key: bytes | None = None
    certificate: bytes | None = None


_Metadata = tuple[tuple[str, str], ...]


def _metadata(consistency: Consistency) -> _Metadata | None:
    """Return the metadata that asks for a revision; see `lineage_store.wire`."""
    if consistency == ANY:
        return None
    entries = (
        (AT_KEY, consistency.at),
        (AT_LEAST_KEY, consistency.at_least),
        (REVISION_KEY, "1" if consistency.wants_revision else ""),
    )
    return tuple((key, value) for key, value in entries if value)


def _retries(names: list[dict[str, str]], codes: list[str]) -> dict[str, object]:
    return {
        "name": names,
        "waitForReady": True,
        "retryPolicy": {
            "maxAttempts": 5,
            "initialBackoff": "0.1s",
            "maxBackoff": "5s",
            "backoffMultiplier": 3,
            "retryableStatusCodes": codes,
        },
    }


def _service_config(service: str) -> str:
    """Return the service config, which names the calls that gRPC itself retries, with jitter.

    A write whose answer was lost may have taken place, so UNAVAILABLE repeats only reads; a stream
    is repeated only as long as nothing of it has come. A write waits for a connection, and gRPC
    always repeats calls that never left this process. Every call of the cache has the same effect
    when it is made twice: steps have keys, and claims have holders. A call that a server ended with
    CANCELLED, as one of gRPC may do when it stops, is repeated where UNAVAILABLE is.
    """
    names = [method.name for method in SERVICE.methods]
    reads = [{"service": service, "method": name} for name in names if name.startswith("Get")]
    writes = [{"service": service, "method": name} for name in names if not name.startswith("Get")]
    whole = [{"service": of.full_name} for of in (LINEAGE, CACHE, HISTORY, AUDIT)]
    config = [
        _retries([*reads, *whole], ["UNAVAILABLE", "CANCELLED", "ABORTED"]),
        _retries(writes, ["ABORTED"]),
    ]
    return json.dumps({"methodConfig": config})


class GrpcTransport:
    """Carries requests to a server.

    Args:
        target: HOST:PORT.
        timeout: Seconds that a call may take, connecting and retries included; None: no limit.
        tls: Use TLS with this material; None: plain text.
        options: Further channel arguments, as pairs of name and value.
        service: The full name under which the server serves MetadataStoreService.
        retry: Wait for a server that is not there yet, and repeat what may be repeated; False: a
            call is sent once, and fails at once if there is no server.

    Attributes:
        last_revision: The token of the revision that the last call wrote or read.
    """

    def __init__(
        self,
        target: str,
        *,
        timeout: float | None = 60.0,
        tls: Tls | None = None,
        options: Sequence[tuple[str, object]] | None = None,
        service: str = SERVICE.full_name,
        retry: bool = True,
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._is_closed = False
        self.last_revision = ""
        self._retry = retry
        self._service = service
        channel_arguments = {  # of two arguments with one name, gRPC takes the first
            "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
            "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
            "grpc.service_config": _service_config(service) if retry else "{}",
            **dict(options or []),
        }
        arguments = list(channel_arguments.items())
        if tls is None:
            self._channel = grpc.insecure_channel(target, options=arguments)
        else:
            credentials = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
            self._channel = grpc.secure_channel(target, credentials, options=arguments)
        self._calls = {name: self._multicallable(method) for name, method in METHODS.items()}

    def _multicallable(self, method: MethodDescriptor) -> Any:  # noqa: ANN401 - two of gRPC's types
        ours = method.containing_service is SERVICE
        service = self._service if ours else method.containing_service.full_name
        kind = self._channel.unary_stream if method.server_streaming else self._channel.unary_unary
        return kind(
            f"/{service}/{method.name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=RESPONSES[method.name].FromString,
        )

    def call(self, method: str, request: Message) -> Message:
        """Return the response of the server to `request`; see `Transport.call`.

        A call that the server did not begin is made again, also one that writes.
        """
        return self.call_with(method, request, ANY)

    def call_with(self, method: str, request: Message, consistency: Consistency) -> Message:
        """Return the response as of a revision; see `Transport.pinned`."""
        deadline = math.inf if self._timeout is None else time.monotonic() + self._timeout
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                response, call = self._send(
                    self._calls[method].with_call, request, _metadata(consistency)
                )
            except grpc.RpcError as error:
                failure = _from_rpc_error(error, self._target, is_closed=self._is_closed)
            else:
                self._note_revision(call)
                return response  # type: ignore[no-any-return]
            is_late = time.monotonic() + pause > deadline
            if not self._retry or is_late or not isinstance(failure, errors.NotBegun):
                raise failure
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        """Yield the messages of the server in answer to `request`; see `Transport.stream`."""
        return self.stream_with(method, request, ANY)

    def stream_with(
        self, method: str, request: Message, consistency: Consistency
    ) -> Iterator[Message]:
        """Yield the messages as of a revision; see `Transport.pinned`."""
        answer = self._send(self._calls[method], request, _metadata(consistency))
        try:
            yield from answer
        except grpc.RpcError as error:
            raise _from_rpc_error(error, self._target, is_closed=self._is_closed) from None
        finally:
            answer.cancel()  # of no effect on a stream that has ended

    def pinned(self, consistency: Consistency) -> PinnedTransport:
        """Return the same with calls that read a revision; see `Transport.pinned`."""
        return PinnedTransport(self, consistency)

    def _note_revision(self, call: grpc.Call) -> None:
        for key, value in call.trailing_metadata() or ():
            if key == REVISION_KEY:
                self.last_revision = str(value)

    def _send(self, send: Any, request: Message, metadata: _Metadata | None) -> Any:  # noqa: ANN401 - a response, or a stream of them
        try:
            return send(request, timeout=self._timeout, metadata=metadata)
        except ValueError as error:  # raised by a closed channel
            raise errors.FailedPrecondition(f"the client is closed: {error}") from None

    def wait_until_ready(self, timeout: float) -> None:
        """Return when the server is connected.

        Raises:
            Unavailable: There is no server after `timeout` seconds, or one that does not fit.
        """
        deadline = time.monotonic() + timeout
        seconds = min(FIRST_LOOK_SECONDS, timeout)
        ready = grpc.channel_ready_future(self._channel)
        try:
            while not _is_done(ready, seconds):
                seconds_left = deadline - time.monotonic()
                fault = self._fault(max(0.1, min(seconds_left, LOOK_SECONDS)))
                if seconds_left <= 0 or (fault is not None and fault.is_final):
                    raise self._no_answer(fault, timeout)
                seconds = min(LOOK_SECONDS, seconds_left)
        finally:
            ready.cancel()

    def _fault(self, seconds: float) -> ConnectionFault | None:
        """Return why there is no connection, if the error of a call tells."""
        try:
            check: Any = self._channel.unary_unary(_HEALTH_CHECK)
            check(b"", timeout=seconds)
        except grpc.RpcError as error:
            return connection_fault(error.details() or "")
        return None

    def _no_answer(self, fault: ConnectionFault | None, timeout: float) -> errors.Unavailable:
        why = "" if fault is None else f": {fault.text}"
        if fault is not None and fault.is_final:
            return errors.Unavailable(f"the server at {self._target} can't be used{why}")
        return errors.Unavailable(f"no server answered at {self._target} within {timeout:g} s{why}")

    def close(self) -> None:
        """Close the channel."""
        self._is_closed = True
        self._channel.close()


def _is_done(ready: "grpc.Future[None]", seconds: float) -> bool:
    try:
        ready.result(timeout=seconds)
    except grpc.FutureTimeoutError:
        return False
    return True


def _from_rpc_error(error: Any, target: str, *, is_closed: bool) -> errors.LineageError:  # noqa: ANN401 - an RpcError that is a Call, too
    """Return the error of ours for one of gRPC.

    Args:
        error: The error that gRPC raised.
        target: HOST:PORT of the server.
        is_closed: Whether the transport was closed, which ends its calls with CANCELLED.
    """
    code: int = error.code().value[0]
    reason = dict(error.trailing_metadata() or ()).get(REASON_KEY)
    message: str = error.details() or ""
    if reason is None and code == errors.TooLarge.code and _TOO_LARGE in message:
        return errors.TooLarge(f"the request or the answer is too large: {message}")
    fault = connection_fault(message) if reason is None else None
    if code == errors.Unavailable.code and fault is not None:
        return errors.Unavailable(f"the server at {target} can't be reached: {fault.text}")
    if reason is None and code == errors.Cancelled.code and not is_closed:
        return errors.Unavailable(f"the server ended the call: {message}")
    return errors.from_status(code, message, reason)
