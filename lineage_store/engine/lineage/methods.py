"""The RPCs that walk the graph."""

from lineage_store.engine.lineage import comparing, graph, paths, subgraph, summary, trace
from lineage_store.engine.method import Method, Mode, methods

METHODS: dict[str, Method] = {
    "Trace": Method(trace.trace, Mode.STREAM),
    **methods(
        Mode.WALK,
        {
            "GetLineageGraph": graph.get_lineage_graph,
            "GetLineageSubgraph": subgraph.get_lineage_subgraph,
            "FindPaths": paths.find_paths,
            "Summarize": summary.summarize,
            "Compare": comparing.compare_artifacts,
        },
    ),
}
