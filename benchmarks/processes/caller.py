"""Calls a store and takes the time: one process, as many threads as it is told.

    python caller.py (grpc HOST:PORT | ours URL | mlmd DATABASE)

Runs on the interpreter that has what it calls, and so imports nothing of the suite. A task comes
pickled on standard input and is answered on standard output:

- A task is a list of lanes that run at once. A lane is a dict: `ops`, `callers` (threads that share
  the ops), `keep` (how many answers go back), and `seconds`: None runs each op once, a number runs
  them over and over for so long, 0 for as long as the other lanes run.
- An op is a list of calls, each a method and an encoded request. A method may be a whole path, or
  one of SCRIPTS: calls of which each needs the answer of the one before.
- The answer has a dict for each lane: `latencies` in seconds, `elapsed`, `errors` by their code,
  and `answers`, the encoded answers of the first ops.
"""

import pickle
import sys
import threading
import time
from collections import Counter
from pathlib import Path

UNLIMITED = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),  # a connection for each caller
]


class Failed(Exception):
    """A call that the store refused; its text is the name of the code."""


class GrpcPort:
    """A channel to a server."""

    def __init__(self, address):
        import grpc

        from lineage_store.v1 import metadata_service_pb2
        from lineage_store.wire import METHODS

        self.address, self.messages = address, metadata_service_pb2
        self._error = grpc.RpcError
        self._channel = grpc.insecure_channel(address, options=UNLIMITED)
        grpc.channel_ready_future(self._channel).result(timeout=60)
        self._paths = {
            name: f"/{method.containing_service.full_name}/{name}"
            for name, method in METHODS.items()
        }
        for method in metadata_service_pb2.DESCRIPTOR.services_by_name[
            "MetadataStoreService"
        ].methods:
            self._paths[method.name] = f"/ml_metadata.MetadataStoreService/{method.name}"
        self._methods = {}

    def another(self):
        return GrpcPort(self.address)

    def close(self):
        self._channel.close()

    def call(self, method, request):
        send = self._methods.get(method)
        if send is None:
            send = self._methods[method] = self._channel.unary_unary(
                self._paths.get(method, method)
            )
        try:
            return send(request)
        except self._error as error:
            raise Failed(error.code().name) from error


class EnginePort:
    """An engine of ours in this process; takes and gives bytes, as the core of ML Metadata does."""

    def __init__(self, url):
        from google.protobuf.message_factory import GetMessageClass

        from lineage_store import errors
        from lineage_store.engine import Engine
        from lineage_store.v1 import metadata_service_pb2
        from lineage_store.wire import METHODS

        self.messages = metadata_service_pb2
        self._error = errors.LineageError
        self._requests = {name: GetMessageClass(m.input_type) for name, m in METHODS.items()}
        self.engine = Engine(url)

    def another(self):
        return self

    def close(self):
        """Do nothing: the others call the same store."""

    def call(self, method, request):
        try:
            answer = self.engine.call(method, self._requests[method].FromString(request))
        except self._error as error:
            raise Failed(error.code.name) from error
        return answer if isinstance(answer, bytes) else answer.SerializeToString()


class MlmdPort:
    """The core of ML Metadata in this process; its binding makes calls take turns."""

    def __init__(self, database):
        from ml_metadata.proto import metadata_store_service_pb2
        from mlmd_core import core, open_store

        self.messages = metadata_store_service_pb2
        self._core, self._store = core, open_store(database)
        self._lock = threading.Lock()

    def another(self):
        return self

    def close(self):
        """Do nothing: the others call the same store."""

    def call(self, method, request):
        with self._lock:
            answer, _, code = getattr(self._core, method)(self._store, request)
        if code:
            raise Failed(f"code {code}")
        return answer


PORTS = {"grpc": GrpcPort, "ours": EnginePort, "mlmd": MlmdPort}


def decide_as_tfx(port, context_name):
    """Look for cached outputs with the four calls of TFX; return the outputs of the newest."""
    v1 = port.messages
    by_name = v1.GetContextByTypeAndNameRequest(
        type_name="execution_cache", context_name=context_name.decode()
    )
    context = ask(port, "GetContextByTypeAndName", by_name).context
    in_context = v1.GetExecutionsByContextRequest(context_id=context.id)
    found = ask(port, "GetExecutionsByContext", in_context).executions
    newest = max(found, key=lambda execution: (execution.create_time_since_epoch, execution.id))
    of_execution = v1.GetEventsByExecutionIDsRequest(execution_ids=[newest.id])
    events = ask(port, "GetEventsByExecutionIDs", of_execution).events
    outputs = [event.artifact_id for event in events if event.type == 4]
    return port.call(
        "GetArtifactsByID", v1.GetArtifactsByIDRequest(artifact_ids=outputs).SerializeToString()
    )


def ask(port, method, request):
    answer = port.call(method, request.SerializeToString())
    return getattr(port.messages, f"{method}Response").FromString(answer)


SCRIPTS = {"@tfx": decide_as_tfx}


def perform(port, op):
    """Return the answers to the calls of an op."""
    answers = []
    for method, request in op:
        script = SCRIPTS.get(method)
        answers.append(script(port, request) if script else port.call(method, request))
    return answers


class Lane:
    """What some callers do; see above."""

    def __init__(self, given, port):
        self.ops, self.callers = given["ops"], given["callers"]
        self.seconds, self.keep = given["seconds"], given["keep"]
        self.latencies, self.errors, self.answers = [], Counter(), {}
        self.elapsed = 0.0
        self._at, self._lock = 0, threading.Lock()
        self._ports = [port] if self.callers == 1 else [port.another() for _ in range(self.callers)]

    def threads(self, start, over):
        return [
            threading.Thread(target=self._run, args=(port, start, over), daemon=True)
            for port in self._ports
        ]

    def _next(self, begun, over):
        with self._lock:
            at = self._at
            self._at += 1
        if self.seconds is None:
            return at if at < len(self.ops) else None
        if over.is_set() or (self.seconds and time.perf_counter() - begun > self.seconds):
            return None
        return at

    def _run(self, port, start, over):
        taken, errors = [], Counter()
        start.wait()
        begun = time.perf_counter()
        while (at := self._next(begun, over)) is not None:
            op = self.ops[at % len(self.ops)]
            before = time.perf_counter()
            try:
                answers = perform(port, op)
            except Failed as error:
                errors[str(error)] += 1
                continue
            taken.append(time.perf_counter() - before)
            if at < self.keep:
                self.answers[at] = answers
        with self._lock:
            self.elapsed = max(self.elapsed, time.perf_counter() - begun)
            self.latencies += taken
            self.errors += errors

    def close(self):
        if self.callers > 1:
            for port in self._ports:
                port.close()

    def result(self):
        answers = [self.answers.get(at, []) for at in range(min(self.keep, len(self.ops)))]
        return {
            "latencies": self.latencies,
            "elapsed": self.elapsed,
            "errors": dict(self.errors),
            "answers": answers,
        }


def run(task, port):
    """Do a task; a lane of one caller alone runs in a thread of its own like any other."""
    lanes = [Lane(given, port) for given in task]
    over = threading.Event()
    start = threading.Barrier(sum(lane.callers for lane in lanes))
    finite = [t for lane in lanes if lane.seconds != 0 for t in lane.threads(start, over)]
    endless = [t for lane in lanes if lane.seconds == 0 for t in lane.threads(start, over)]
    for thread in (*finite, *endless):
        thread.start()
    for thread in finite:
        thread.join()
    over.set()
    for thread in endless:
        thread.join()
    for lane in lanes:
        lane.close()
    return [lane.result() for lane in lanes]


def main():
    root = Path(__file__).parent.parent.parent
    sys.path[:0] = [str(root), str(root / "tests/acceptance/programs/mlmd")]
    kind, where = sys.argv[1:]
    port = PORTS[kind](where)
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(run(task, port), answers)
        answers.flush()


if __name__ == "__main__":
    main()
