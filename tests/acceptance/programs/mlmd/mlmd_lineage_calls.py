"""Records a small pipeline and prints the lineage graphs that get_lineage_subgraph answers.

    python mlmd_lineage_calls.py --module MODULE --grpc HOST:PORT [--record]

With --record the store must be empty. Prints one JSON object, from the question to the graph.
"""

import argparse
import importlib
import json

from google.protobuf.json_format import MessageToDict

MASKS = [None, [], ["artifacts"], ["events", "contexts"], ["executions", "execution_types"]]
MASKS += [["attributions", "associations", "context_types"], ["artifact_types"], ["nothing"]]


def record(store, pb):
    data, net = (store.put_artifact_type(pb.ArtifactType(name=name)) for name in ("Data", "Net"))
    train = store.put_execution_type(pb.ExecutionType(name="Train"))
    run = pb.Context(type_id=store.put_context_type(pb.ContextType(name="Run")), name="run")
    for type_id, uri, event in ((data, "data", pb.Event.OUTPUT), (net, "net", pb.Event.OUTPUT)):
        pairs = [(pb.Artifact(type_id=type_id, uri=uri), pb.Event(type=event))]
        if uri == "net":
            (source,) = store.get_artifacts_by_uri("data")
            pairs.append((None, pb.Event(artifact_id=source.id, type=pb.Event.INPUT)))
        execution = pb.Execution(type_id=train)
        store.put_execution(execution, pairs, [run], reuse_context_if_already_exist=True)


def graph(store, options, mask):
    subgraph = MessageToDict(store.get_lineage_subgraph(options, mask))
    for nodes in subgraph.values():  # the order within a list means nothing
        nodes.sort(key=lambda node: json.dumps(node, sort_keys=True))
    return subgraph


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True)
    parser.add_argument("--grpc", required=True)
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    mlmd = importlib.import_module(args.module)
    pb = importlib.import_module(f"{args.module}.proto.metadata_store_pb2")
    host, _, port = args.grpc.rpartition(":")
    store = mlmd.MetadataStore(pb.MetadataStoreClientConfig(host=host, port=int(port)))
    if args.record:
        record(store, pb)
    answers = {}
    for hops in (0, 1, 20):
        options = pb.LineageSubgraphQueryOptions(max_num_hops=hops)
        options.starting_artifacts.filter_query = 'uri = "net"'
        answers.update({f"{hops} {mask}": graph(store, options, mask) for mask in MASKS})
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
