"""Serves the real ML Metadata over gRPC: its wheel has the store, but no server.

    python mlmd_peer.py DATABASE [--open-for-each-call]

DATABASE is the path of an SQLite file, or a ConnectionConfig in the text format. Runs on the
interpreter that can import ml_metadata, and prints "ready grpc=HOST:PORT". The store takes and
returns serialized messages, so each call only hands bytes through, one at a time. The server of the
published image opens a store for each call; this one keeps it, unless it is told otherwise.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from mlmd_core import core, open_store

PREFIX = "/ml_metadata.MetadataStoreService/"
STATUS = {code.value[0]: code for code in grpc.StatusCode}


class Peer(grpc.GenericRpcHandler):
    def __init__(self, database: str, *, keep: bool) -> None:
        self._database = database
        store = open_store(database)
        self._store = store if keep else None
        self._lock = threading.Lock()

    def service(self, details):
        method = getattr(core, details.method.removeprefix(PREFIX), None)
        if method is None or not details.method.startswith(PREFIX):
            return None

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                store = self._store or open_store(self._database)
                response, message, code = method(store, request)
            if code:
                context.abort(STATUS[code], message.decode(errors="replace"))
            return response

        return grpc.unary_unary_rpc_method_handler(call)


peer = Peer(sys.argv[1], keep="--open-for-each-call" not in sys.argv[2:])
server = grpc.server(ThreadPoolExecutor(4), handlers=[peer])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"ready grpc=127.0.0.1:{port}", flush=True)
server.wait_for_termination()
