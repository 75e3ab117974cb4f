"""Records a few nodes and prints the answers of each listing to each of some filters.

    python mlmd_filter_calls.py --module MODULE (--grpc HOST:PORT | --sqlite PATH) [--record]

With --record the store must be empty. Prints one JSON object, from the question to the names of
the nodes, or to the name of the error. A server also gets filters on the nodes of a type, for which
the clients have no parameter.
"""

import argparse
import importlib
import json

import grpc

FILTERS = {
    "all": ('name LIKE "%1"', 'type = "T" OR id = 1', "create_time_since_epoch > 0", "id = 'x'"),
    "members": (
        'name = "one"',
        "NOT (id = 1)",
        "external_id IS NULL",
        'custom_properties.tag.string_value IN ("a", "b")',
        "properties.n.int_value > 1 AND properties.n.int_value <= 3",
        'contexts_c.name = "run 1" AND contexts_c.type = "T"',
        'contexts_a.name = "run 1" AND contexts_b.name = "run 2"',
        "events_e.type = INPUT OR events_e.type = OUTPUT",
        "events_e.milliseconds_since_epoch < 2",
    ),
    "artifacts": ("state = LIVE", "state != LIVE", "state IN (LIVE, DELETED)", 'uri LIKE "S3%"'),
    "executions": ("last_known_state = RUNNING", "last_known_state NOT IN (RUNNING)"),
    "contexts": (
        'parent_contexts_p.name = "run 1"',
        'child_contexts_p.name = "run 2"',
        'artifacts_x.name = "one"',
        'executions_x.name = "two" AND artifacts_y.id = 1',
        'contexts_a.name = "run 1"',
    ),
}


def record(store, pb):
    """Put three artifacts and executions in two contexts."""
    ids = {}
    for kind in ("Artifact", "Execution", "Context"):
        declared = {"name": "T", "properties": {"n": pb.INT}}
        put_type = getattr(store, f"put_{kind.lower()}_type")
        type_id = put_type(getattr(pb, f"{kind}Type")(**declared))
        nodes = [getattr(pb, kind)(type_id=type_id, name=name) for name in names_of(kind)]
        for number, node in enumerate(nodes, 1):
            node.properties["n"].int_value = number
            node.custom_properties["tag"].string_value = "abc"[number - 1]
            describe(node, kind, number, pb)
        ids[kind] = getattr(store, f"put_{kind.lower()}s")(nodes)
    artifacts, executions, contexts = ids.values()
    pairs = ((0, 0), (0, 1), (1, 0))
    store.put_attributions_and_associations(
        [pb.Attribution(artifact_id=artifacts[n], context_id=contexts[c]) for n, c in pairs],
        [pb.Association(execution_id=executions[n], context_id=contexts[c]) for n, c in pairs],
    )
    store.put_parent_contexts([pb.ParentContext(child_id=contexts[1], parent_id=contexts[0])])
    for number, kind in enumerate((pb.Event.INPUT, pb.Event.OUTPUT, pb.Event.DECLARED_INPUT)):
        event = pb.Event(artifact_id=artifacts[number], execution_id=executions[0], type=kind)
        event.milliseconds_since_epoch = number + 1
        store.put_events([event])


def names_of(kind):
    return ("run 1", "run 2") if kind == "Context" else ("one", "two", "node 1")


def describe(node, kind, number, pb):
    if kind == "Artifact":
        node.uri = f"s3://{number}"
        if number < 3:
            node.state = (pb.Artifact.LIVE, pb.Artifact.DELETED)[number - 1]
    if kind == "Execution" and number < 3:
        node.last_known_state = pb.Execution.RUNNING
    if number == 1:
        node.external_id = f"{kind} 1"


def texts(kind):
    """Return the filters for a kind of node, some of them not valid for it."""
    members = FILTERS["members"]
    return (*FILTERS["all"], *members, *FILTERS[kind])


def listings(store, options):
    """Return the answer of each method to each filter."""
    outcomes = {}
    for kind in ("artifacts", "executions", "contexts"):
        for text in texts(kind):
            filtered = options(filter_query=text)
            questions = {f"get_{kind}": lambda k=kind, o=filtered: getattr(store, f"get_{k}")(o)}
            if kind != "contexts":
                by_context = getattr(store, f"get_{kind}_by_context")
                for context in (1, 2, 99):
                    question = f"get_{kind}_by_context {context}"
                    questions[question] = lambda c=context, o=filtered, f=by_context: f(c, o)
            for question, call in questions.items():
                outcomes[f"{question}: {text}"] = outcome(call)
    return outcomes


def outcome(call):
    try:
        return [node.name for node in call()]
    except Exception as error:
        return type(error).__name__


def by_type(address, rpc):
    """Return the answers of the RPCs that take a type and a filter."""
    outcomes = {}
    with grpc.insecure_channel(address) as channel:
        for kind in ("Artifacts", "Executions", "Contexts"):
            method = f"Get{kind}ByType"
            response_class = getattr(rpc, f"{method}Response")
            call = channel.unary_unary(
                f"/ml_metadata.MetadataStoreService/{method}",
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=response_class.FromString,
            )
            for text in texts(kind.lower()):
                request = getattr(rpc, f"{method}Request")(type_name="T")
                request.options.filter_query = text
                outcomes[f"{method}: {text}"] = remote_outcome(call, request, kind.lower())
    return outcomes


def remote_outcome(call, request, field):
    try:
        return [node.name for node in getattr(call(request, timeout=30), field)]
    except grpc.RpcError as error:
        return error.code().name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True)
    address = parser.add_mutually_exclusive_group(required=True)
    address.add_argument("--grpc")
    address.add_argument("--sqlite")
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    mlmd = importlib.import_module(args.module)
    pb = importlib.import_module(f"{args.module}.proto.metadata_store_pb2")
    if args.grpc:
        host, _, port = args.grpc.rpartition(":")
        config = pb.MetadataStoreClientConfig(host=host, port=int(port))
    else:
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = args.sqlite
    store = mlmd.MetadataStore(config)
    if args.record:
        record(store, pb)
    answers = {"methods": listings(store, mlmd.ListOptions)}
    if args.grpc:
        rpc = importlib.import_module(f"{args.module}.proto.metadata_store_service_pb2")
        answers["by type"] = by_type(args.grpc, rpc)
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
