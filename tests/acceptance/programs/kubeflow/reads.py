"""The reads of ML Metadata by the pages of Kubeflow Pipelines, and by its check of access."""

from collections.abc import Iterable

from lineage_store.v1 import metadata_pb2 as pb
from tests.acceptance.programs.kubeflow.client import DAG, PIPELINE, RUN, property_of
from tests.acceptance.programs.kubeflow.wire import Refused, Wire


def page_of_run(wire: Wire, run_id: str) -> dict[str, pb.Execution]:
    """Ask for the content of the page of a run; return its last execution of each task."""
    run = wire.call("GetContextByTypeAndName", type_name=RUN, context_name=run_id).context
    wire.call("GetContextsByID", context_ids=[run.id])
    # Without options: the page needs all in one answer.
    executions = wire.call("GetExecutionsByContext", context_id=run.id).executions
    artifacts = wire.call("GetArtifactsByContext", context_id=run.id).artifacts
    ids = [execution.id for execution in executions]
    events = wire.call("GetEventsByExecutionIDs", execution_ids=ids).events
    assert {event.artifact_id for event in events if event.type == pb.Event.OUTPUT} <= {
        artifact.id for artifact in artifacts
    }
    wire.call("GetArtifactTypes")
    return {property_of(task, "task_name").string_value: task for task in executions}


def page_of_execution(wire: Wire, execution_id: int) -> None:
    [execution] = wire.call("GetExecutionsByID", execution_ids=[execution_id]).executions
    wire.call("GetExecutionTypesByID", type_ids=[execution.type_id])
    contexts = wire.call("GetContextsByExecution", execution_id=execution_id).contexts
    assert sorted(context.type for context in contexts) == [PIPELINE, RUN]
    events = wire.call("GetEventsByExecutionIDs", execution_ids=[execution_id]).events
    ids = [event.artifact_id for event in events]
    artifacts = wire.call("GetArtifactsByID", artifact_ids=ids).artifacts
    types = [artifact.type_id for artifact in artifacts]
    wire.call("GetArtifactTypesByID", type_ids=types)


def page_of_artifact(wire: Wire, artifact_id: int) -> None:
    """Ask for an artifact, its producer and its readers, in the order of the events."""
    [artifact] = wire.call("GetArtifactsByID", artifact_ids=[artifact_id]).artifacts
    wire.call("GetArtifactTypesByID", type_ids=[artifact.type_id])
    events = wire.call("GetEventsByArtifactIDs", artifact_ids=[artifact_id]).events
    ids = [event.execution_id for event in events]
    wire.call("GetExecutionsByID", execution_ids=ids)
    wire.call("GetContextsByArtifact", artifact_id=artifact_id)


def lists(wire: Wire, size: int) -> None:
    """Turn all pages of the lists of artifacts and executions."""
    for method in ("GetArtifacts", "GetExecutions"):
        token = ""
        while True:
            options = pb.ListOperationOptions(max_result_size=size, next_page_token=token)
            token = wire.call(method, options=options).next_page_token
            if not token:
                break
    wire.call("GetArtifactTypes")
    wire.call("GetExecutionTypes")


def namespaces_of(wire: Wire, uri: str) -> set[str]:
    """Ask as the access check does whose an artifact is."""
    namespaces = set()
    for artifact in wire.call("GetArtifactsByURI", uris=[uri]).artifacts:
        contexts = wire.call("GetContextsByArtifact", artifact_id=artifact.id).contexts
        namespaces |= {
            property_of(context, "namespace").string_value
            for context in contexts
            if context.type == RUN
        }
    return namespaces


def refusals(wire: Wire) -> list[str]:
    """Ask for nodes that do not exist; return the status of each question."""
    questions = [
        ("GetContextByTypeAndName", {"type_name": RUN, "context_name": "none"}),
        ("GetContextByTypeAndName", {"type_name": "KfpRun", "context_name": "none"}),
        ("GetContextType", {"type_name": "KfpRun"}),
        ("GetExecutionByTypeAndName", {"type_name": DAG, "execution_name": "run/none"}),
        ("GetArtifactType", {"type_name": "system.Markdown"}),
        ("GetContextsByArtifact", {"artifact_id": 10**9}),
        ("GetContextsByExecution", {"execution_id": 10**9}),
        ("GetExecutionsByContext", {"context_id": 10**9}),
        ("GetArtifactsByContext", {"context_id": 10**9}),
        ("GetEventsByArtifactIDs", {"artifact_ids": [10**9]}),
        ("GetEventsByExecutionIDs", {"execution_ids": [10**9]}),
        ("GetExecutionsByID", {"execution_ids": [10**9]}),
        ("GetArtifactsByURI", {"uris": ["s3://none"]}),
    ]
    return list(_statuses(wire, questions))


def _statuses(wire: Wire, questions: Iterable[tuple[str, dict[str, object]]]) -> Iterable[str]:
    for method, fields in questions:
        try:
            wire.call(method, **fields)
        except Refused as refused:
            yield refused.status
        else:
            yield "OK"
