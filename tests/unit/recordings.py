"""A store that takes records, goes away and refuses as a test wants it."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message

from lineage_store import Execution, errors
from lineage_store.client.records import StepRecord
from lineage_store.recording.delivery.records import STEP, Record
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc


def record(key: str, **properties: Any) -> Record:
    """Return the record of a step that has only begun."""
    execution = Execution(type="T", state="RUNNING", custom_properties=properties)
    step = StepRecord(key=key, execution=execution)
    return Record.of(STEP, pb.RecordStepRequest(step=step.to_message()))


class FakeStore:
    """A transport that remembers the keys of the steps that it took.

    Attributes:
        taken: The keys, in order.
        calls: How many calls were made.
        error: Raised by every call, if it is set.
        refuses: Returns the error with which a step is refused, or None.
        gate: Every call waits until it is set.
    """

    def __init__(self) -> None:
        self.accepted_keys: list[str] = []
        self.calls = 0
        self.error: Exception | None = None
        self.refuses: Callable[[Any], errors.LineageError | None] = lambda step: None
        self.gate = threading.Event()
        self.gate.set()

    def call(self, method: str, request: Any) -> Any:
        self.calls += 1
        self.gate.wait(30)
        if self.error is not None:
            raise self.error
        if method == "GetArtifactsByExternalIds":
            return rpc.GetArtifactsByExternalIdsResponse()
        response = pb.RecordStepsResponse()
        for step in request.steps:
            result = response.results.add()
            fault = self.refuses(step)
            if fault is None:
                self.accepted_keys.append(step.key)
                result.recorded.SetInParent()
            else:
                result.error_code, result.error_reason = fault.code, fault.reason
                result.error_message = fault.message
        return response

    def stream(self, method: str, request: Message) -> Iterator[Message]:
        raise NotImplementedError

    def close(self) -> None:
        pass


def until(holds: Callable[[], Any], seconds: float = 20.0) -> None:
    """Return when something holds; fail if it does not in this time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
