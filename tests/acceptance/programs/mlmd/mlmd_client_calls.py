"""Calls every public method of ml_metadata's MetadataStore, and checks each answer.

    python mlmd_client_calls.py --module MODULE (--grpc HOST:PORT | --sqlite PATH)

MODULE is ml_metadata, or a module that claims to be like it; the store must be empty. Prints one
JSON object, {"called": [METHOD, ...]}.
"""

import argparse
import json

import grpc
from mlmd_edge_calls import EdgeCalls
from mlmd_expectations import MISSING
from mlmd_node_calls import NodeCalls
from mlmd_query_calls import QueryCalls
from mlmd_step_calls import StepCalls
from mlmd_type_calls import TypeCalls


class Script(TypeCalls, NodeCalls, EdgeCalls, QueryCalls, StepCalls):
    """The calls, in an order in which each finds the nodes that it needs."""

    def run(self):
        self.artifact_types()
        self.execution_types()
        self.context_types()
        self.system_types()
        self.artifacts()
        self.executions()
        self.contexts()
        self.masks()
        self.listings()
        self.pages()
        self.events()
        self.memberships()
        self.parents()
        self.filters()
        self.lineage()
        self.steps()
        self.reuse()
        self.subgraphs()
        self.wrong_configurations()
        assert self.store.pipeline_asset is None
        public = {name for name in dir(self.mlmd.MetadataStore) if name[0] != "_"}
        assert self.store.called == public, self.store.called ^ public
        return sorted(self.store.called)

    def wrong_configurations(self):
        proto = self.mlmd.proto
        # A call without deadline must not wait for a server that isn't there.
        closed = proto.MetadataStoreClientConfig(host="127.0.0.1", port=1)
        with self.raises("Unavailable"):
            self.mlmd.MetadataStore(closed).get_artifacts()
        self.refused(ValueError, closed, enable_upgrade_migration=True)
        self.refused(ValueError, None)
        self.refused(ValueError, proto.Artifact())
        assert "Unset" in str(self.refused(RuntimeError, proto.ConnectionConfig()))
        no_such_file = proto.ConnectionConfig()
        no_such_file.sqlite.filename_uri = "/nonexistent/directory/x.db"
        self.refused(RuntimeError, no_such_file)
        memory = proto.ConnectionConfig(fake_database=proto.FakeDatabaseConfig())
        assert self.mlmd.MetadataStore(memory).get_artifacts() == []
        for version in (-1, 11):
            with self.raises("InvalidArgument"):
                self.mlmd.downgrade_schema(memory, version)

    def wire(self, address):
        """Requests that no method can make, but that a server must answer all the same."""
        with grpc.insecure_channel(address) as channel:
            self.stale_update(channel)
            request = self.rpc.GetArtifactsRequest()
            request.options.max_result_size = 0
            assert self.status(channel, "GetArtifacts", request) == "INVALID_ARGUMENT"
            request.options.max_result_size = 1
            request.options.next_page_token = "no token"
            assert self.status(channel, "GetArtifacts", request) == "INVALID_ARGUMENT"

    def stale_update(self, channel):
        (stored,) = self.store.get_artifacts_by_id([self.a])
        request = self.rpc.PutArtifactsRequest(artifacts=[stored])
        request.options.abort_if_latest_updated_time_changed = True
        assert self.status(channel, "PutArtifacts", request) == "OK"
        request.artifacts[0].last_update_time_since_epoch += 1
        assert self.status(channel, "PutArtifacts", request) == "FAILED_PRECONDITION"
        request.artifacts[0].id = MISSING
        assert self.status(channel, "PutArtifacts", request) == "INVALID_ARGUMENT"

    @staticmethod
    def status(channel, method, request):
        path = f"/ml_metadata.MetadataStoreService/{method}"
        call = channel.unary_unary(path, request_serializer=type(request).SerializeToString)
        try:
            call(request, timeout=30)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True)
    address = parser.add_mutually_exclusive_group(required=True)
    address.add_argument("--grpc")
    address.add_argument("--sqlite")
    args = parser.parse_args()

    def config(proto):
        if args.grpc:
            host, _, port = args.grpc.rpartition(":")
            return proto.MetadataStoreClientConfig(host=host, port=int(port))
        connection = proto.ConnectionConfig()
        connection.sqlite.filename_uri = args.sqlite
        return connection

    script = Script(args.module, config)
    called = script.run()
    if args.grpc:
        script.wire(args.grpc)
    print(json.dumps({"called": called}))


if __name__ == "__main__":
    main()
