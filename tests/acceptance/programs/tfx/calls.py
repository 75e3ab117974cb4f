"""Runs a pipeline as TFX does, call by call, and prints the answers to its reads.

    python calls.py --module MODULE --grpc HOST:PORT

The store must be empty. Prints one JSON object: "decisions", the outcomes of the nodes of each run,
and "answers", pairs of a question and its answer.
"""

import argparse
import json

from launcher import NODES
from resolvers import TfxResolvers
from store import RUN


def runs(tfx):
    """Four runs: new, cached, with a model deleted and a failure, and a partial one."""
    decisions = {"run-1": [tfx.launch("run-1", node) for node in NODES]}
    decisions["run-1 again"] = [tfx.launch("run-1", node) for node in NODES]
    decisions["run-2"] = [tfx.launch("run-2", node, blessed=0) for node in NODES]
    decisions["run-3"] = [tfx.launch("run-3", node, salt=node[:4]) for node in list(NODES)[:2]]
    decisions["run-3"].append(tfx.launch("run-3", "Trainer", fail=True))
    decisions["run-3"] += [
        tfx.launch("run-3", node, salt="new code", blessed=0) for node in ("Trainer", "Evaluator")
    ]
    tfx.collect("Trainer", "model", keep=1)
    decisions["run-4"] = [tfx.launch("run-4", node) for node in ("ExampleGen", "Trainer")]
    tfx.partial_run("run-3", "run-5", ["ExampleGen", "Trainer"])
    decisions["run-5"] = [tfx.launch("run-5", node, salt="5") for node in ("Evaluator", "Pusher")]
    return decisions


def read(tfx):
    """Say all that is there, in the order in which it is answered."""
    store = tfx.store
    for run in ("run-1", "run-3", "run-5"):
        context = tfx.context(RUN, run)
        executions = store.get_executions_by_context(context.id)
        tfx.say(f"executions of {run}", tfx.shown(executions))
        artifacts = store.get_artifacts_by_context(context.id)
        tfx.say(f"artifacts of {run}", tfx.shown(artifacts))
        events = store.get_events_by_execution_ids([one.id for one in executions])
        tfx.say(f"events of {run}", tfx.edges(events))
        for artifact in artifacts:
            events = store.get_events_by_artifact_ids([artifact.id])
            tfx.say(f"events of {artifact.uri} of {run}", tfx.edges(events))
            contexts = store.get_contexts_by_artifact(artifact.id)
            tfx.say(f"contexts of {artifact.uri} of {run}", tfx.names(contexts))
    types = store.get_artifact_types()
    tfx.say("types", [one.name for one in types])
    again = store.get_artifact_types_by_id([one.id for one in types])
    tfx.say("types by id", [one.name for one in again])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--module", required=True)
    parser.add_argument("--grpc", required=True)
    args = parser.parse_args()
    tfx = TfxResolvers(args.module, args.grpc)
    decisions = runs(tfx)
    tfx.reimport()
    tfx.many_at_once()
    tfx.evolve()
    for type_name in ("Examples", "Model"):
        tfx.latest_artifacts(type_name)
    tfx.latest_blessed_model()
    tfx.graphs()
    tfx.siblings()
    tfx.neighbours()
    read(tfx)
    print(json.dumps({"decisions": decisions, "answers": tfx.log}))


if __name__ == "__main__":
    main()
