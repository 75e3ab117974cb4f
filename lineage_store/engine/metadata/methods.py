"""The RPCs of ML Metadata that put and read types, nodes and edges."""

from lineage_store.engine.metadata import edges, listing, nodes, reading, types
from lineage_store.engine.method import Method, Mode, methods
from lineage_store.kinds import ARTIFACT, EXECUTION, KINDS, NodeKind


def _methods_of(kind: NodeKind) -> dict[str, Method]:
    """Return the RPCs that artifacts, executions and contexts have alike."""
    title = kind.name.title()
    return {
        **methods(
            Mode.WRITE,
            {
                f"Put{title}Type": types.put_type(kind),
                f"Put{title}s": nodes.put_nodes(kind),
            },
        ),
        **methods(
            Mode.READ,
            {
                f"Get{title}Type": types.get_type(kind),
                f"Get{title}Types": types.get_types(kind),
                f"Get{title}TypesByID": types.get_types_by_id(kind),
                f"Get{title}TypesByExternalIds": types.get_types_by_external_ids(kind),
                f"Get{title}s": listing.get_all(kind),
                f"Get{title}sByType": listing.get_by_type(kind),
            },
        ),
        **methods(
            Mode.READ_ONCE,
            {
                f"Get{title}sByID": reading.get_by_id(kind),
                f"Get{title}ByTypeAndName": reading.get_by_type_and_name(kind),
                f"Get{title}sByExternalIds": reading.get_by_external_ids(kind),
            },
        ),
    }


METHODS: dict[str, Method] = {
    **{name: method for kind in KINDS for name, method in _methods_of(kind).items()},
    **methods(
        Mode.WRITE,
        {
            "PutTypes": types.put_types,
            "PutEvents": edges.put_events,
            "PutAttributionsAndAssociations": edges.put_attributions_and_associations,
            "PutParentContexts": edges.put_parent_contexts,
        },
    ),
    **methods(
        Mode.READ,
        {
            "GetParentContextsByContexts": reading.get_parents_of_many,
            "GetChildrenContextsByContexts": reading.get_children_of_many,
        },
    ),
    **methods(
        Mode.READ_ONCE,
        {
            "GetArtifactsByURI": reading.get_artifacts_by_uri,
            "GetEventsByArtifactIDs": reading.get_events(ARTIFACT),
            "GetEventsByExecutionIDs": reading.get_events(EXECUTION),
            "GetContextsByArtifact": reading.get_contexts_of(ARTIFACT),
            "GetContextsByExecution": reading.get_contexts_of(EXECUTION),
            "GetArtifactsByContext": listing.get_by_context(ARTIFACT),
            "GetExecutionsByContext": listing.get_by_context(EXECUTION),
            "GetParentContextsByContext": reading.get_parents,
            "GetChildrenContextsByContext": reading.get_children,
        },
    ),
}
