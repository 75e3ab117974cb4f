"""Reads a store through the client of ML Metadata, and prints a digest of each kind of answer.

    python mlmd_client_reads.py (--grpc HOST:PORT | --sqlite PATH)

Runs on the interpreter that can import ml_metadata. Prints one JSON object: for each method how
many times it was called, and the digest of all that it answered, with lists sorted by content.
"""

import argparse
import hashlib
import json
from collections import defaultdict

import ml_metadata as mlmd
from ml_metadata.errors import NotFoundError
from ml_metadata.proto import metadata_store_pb2

SAMPLE = 400
BATCH = 1000


class Digests:
    """Calls the client, and keeps a digest of the answers of each method."""

    def __init__(self, store):
        self._store = store
        self._hashes = defaultdict(hashlib.sha256)
        self._counts = defaultdict(int)

    def __call__(self, method, *args, **kwargs):
        """Return the answer of a method."""
        try:
            answer = getattr(self._store, method)(*args, **kwargs)
        except NotFoundError:
            answer = []
        items = answer if isinstance(answer, list) else [answer]
        self._counts[method] += 1
        for part in sorted(map(_encoded, items)):
            self._hashes[method].update(part)
        return answer

    def result(self):
        """Return count and digest of each method."""
        return {name: [self._counts[name], h.hexdigest()] for name, h in self._hashes.items()}


def _encoded(item):
    if item is None:
        return b"none"
    copy = type(item)()
    copy.CopyFrom(item)
    if type(item).__name__.endswith("Type"):
        copy.ClearField("external_id")  # ML Metadata leaves it out of listings
    if isinstance(item, metadata_store_pb2.LineageGraph):
        for _, values in copy.ListFields():
            values.sort(key=lambda one: one.SerializeToString(deterministic=True))
    return copy.SerializeToString(deterministic=True)


def _sample(items):
    """Return some of the items, spread over all of them."""
    return items[:: max(1, len(items) // SAMPLE)]


def _batches(items):
    return [items[at : at + BATCH] for at in range(0, len(items), BATCH)]


def read_nodes(call):
    """Read every node, in each way; return their ids by kind."""
    ids = {}
    for kind in ("artifact", "execution", "context"):
        nodes = call(f"get_{kind}s")
        ids[kind] = sorted(node.id for node in nodes)
        for batch in _batches(ids[kind]):
            call(f"get_{kind}s_by_id", batch)
        for each in call(f"get_{kind}_types"):
            call(f"get_{kind}_type", each.name, each.version or None)
        for node in _sample([node for node in nodes if node.name]):
            call(f"get_{kind}_by_type_and_name", node.type, node.name)
        external = [node.external_id for node in nodes if node.external_id]
        for batch in _batches(external):
            call(f"get_{kind}s_by_external_ids", batch)
        if kind == "artifact":
            call("get_artifacts_by_uri", sorted({node.uri for node in nodes})[0])
    return ids


def read_edges(call, ids):
    """Read every event, and the neighbours of some nodes."""
    for kind in ("artifact", "execution"):
        for batch in _batches(ids[kind]):
            call(f"get_events_by_{kind}_ids", batch)
        for node_id in _sample(ids[kind]):
            call(f"get_contexts_by_{kind}", node_id)
    for context_id in _sample(ids["context"]):
        call("get_artifacts_by_context", context_id)
        call("get_executions_by_context", context_id)
        call("get_parent_contexts_by_context", context_id)
        call("get_children_contexts_by_context", context_id)


def read_queries(call, ids):
    """Ask filters, and walk from some artifacts."""
    options = mlmd.ListOptions(filter_query="custom_properties.int.int_value >= 0")
    call("get_artifacts", list_options=options)
    for artifact_id in _sample(ids["artifact"])[:50]:
        query = metadata_store_pb2.LineageSubgraphQueryOptions(max_num_hops=4)
        query.starting_artifacts.filter_query = f"id = {artifact_id}"
        call("get_lineage_subgraph", query)


def main():
    parser = argparse.ArgumentParser()
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--grpc")
    where.add_argument("--sqlite")
    args = parser.parse_args()
    if args.grpc:
        host, _, port = args.grpc.rpartition(":")
        config = metadata_store_pb2.MetadataStoreClientConfig(host=host, port=int(port))
        # All artifacts of one uri come at once, also from ML Metadata.
        config.channel_arguments.max_receive_message_length = 2**28
    else:
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = args.sqlite
    call = Digests(mlmd.MetadataStore(config))
    ids = read_nodes(call)
    read_edges(call, ids)
    read_queries(call, ids)
    print(json.dumps(call.result()))


if __name__ == "__main__":
    main()
