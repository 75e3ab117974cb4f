"""Serves the real ML Metadata over gRPC: its wheel has the store, but no server.

    python mlmd_peer.py DATABASE

Runs on the interpreter that can import ml_metadata, and prints "ready grpc=HOST:PORT". The store
takes and returns serialized messages, so each call only hands bytes through, one at a time.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as core
from ml_metadata.proto import metadata_store_pb2

PREFIX = "/ml_metadata.MetadataStoreService/"
STATUS = {code.value[0]: code for code in grpc.StatusCode}


class Peer(grpc.GenericRpcHandler):
    def __init__(self, path: str) -> None:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = path
        migration = metadata_store_pb2.MigrationOptions()
        self._store = core.CreateMetadataStore(
            config.SerializeToString(), migration.SerializeToString()
        )
        self._lock = threading.Lock()

    def service(self, details):
        method = getattr(core, details.method.removeprefix(PREFIX), None)
        if method is None or not details.method.startswith(PREFIX):
            return None

        def call(request: bytes, context: grpc.ServicerContext) -> bytes:
            with self._lock:
                response, message, code = method(self._store, request)
            if code:
                context.abort(STATUS[code], message.decode(errors="replace"))
            return response

        return grpc.unary_unary_rpc_method_handler(call)


server = grpc.server(ThreadPoolExecutor(4), handlers=[Peer(sys.argv[1])])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"ready grpc=127.0.0.1:{port}", flush=True)
server.wait_for_termination()
