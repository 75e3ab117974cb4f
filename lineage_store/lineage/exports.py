"""Lineage for programs: a networkx graph, and JSON.

The JSON is an object of

- `start`: keys of nodes, such as "artifact:12"; `direction`: "upstream", "downstream" or "both";
- `nodes`, the nearest first: objects of `key`, `kind`, `id`, `type`, `name`, `uri` (artifacts),
  `external_id`, `state`, `hop`, `digest` ("sha256:9f86…"), `version`, `properties`,
  `custom_properties`, `create_time` and `update_time` (ms); unknown values are null. An
  execution also has `repeats`, those from the cache that are folded into it: an object of `count`
  and `ids`, the lowest 100 of them, or null;
- `edges`, as data flows: objects of `source` and `target` (keys), `event` (its type), `path` (a
  list), `time` (ms);
- `verdict`, on all that was walked: an object of `complete`, `reason`, `by_server`, `frontier`
  (keys), `node_count`, `event_count`, `resume_token` (base64), and `repeat_count`: how many
  executions were walked and are folded into others, so are no nodes here.

Fields may be added, never changed or removed.
"""

from typing import TYPE_CHECKING, Any

from lineage_store.entities import Artifact, Event
from lineage_store.entities.plain import plain
from lineage_store.lineage.folding import repeats_to_dict
from lineage_store.lineage.graph import LineageGraph
from lineage_store.lineage.identity import GraphNode, digest_of, ends, key_of, version_of
from lineage_store.lineage.labels import slot
from lineage_store.lineage.verdict import Verdict

if TYPE_CHECKING:
    from networkx import MultiDiGraph


def to_networkx(graph: LineageGraph) -> "MultiDiGraph[str]":
    """Return a MultiDiGraph whose edges lead where data flows.

    A node is called "artifact:12" and has the attributes of a node in the JSON. An edge is
    called by the type of its event, and has the attributes `event`, `path` (a text, such as
    "train") and `time`.
    """
    import networkx as nx  # noqa: PLC0415 - takes longer to import than all the rest

    network: MultiDiGraph[str] = nx.MultiDiGraph()
    for node in graph.nodes:
        attributes = node_to_dict(graph, node)
        network.add_node(attributes.pop("key"), **attributes)
    for event in graph.inner_edges:
        source, target = ends(event)
        attributes_of_edge = {"event": str(event.type), "path": slot(event), "time": event.time}
        network.add_edge(source, target, key=str(event.type), **attributes_of_edge)
    return network


def node_to_dict(graph: LineageGraph, node: GraphNode) -> dict[str, Any]:
    """Return a node as its object in the JSON."""
    artifact = node if isinstance(node, Artifact) else Artifact()  # without uri, digest, version
    digest = digest_of(artifact)
    repeats = {} if isinstance(node, Artifact) else {"repeats": _repeats(graph, node)}
    return {
        "key": key_of(node),
        "kind": node.kind.name,
        "id": node.id,
        "type": node.type,
        "name": node.name,
        "uri": artifact.uri,
        "external_id": node.external_id,
        "state": None if node.state is None else str(node.state),
        "hop": graph.hops.get(key_of(node)),
        "digest": None if digest is None else str(digest),
        "version": version_of(artifact),
        "properties": plain(node.properties),
        "custom_properties": plain(node.custom_properties),
        "create_time": node.create_time,
        "update_time": node.update_time,
    } | repeats


def _repeats(graph: LineageGraph, node: GraphNode) -> dict[str, Any] | None:
    return repeats_to_dict(graph.repeats.get(key_of(node)))


def edge_to_dict(event: Event) -> dict[str, Any]:
    """Return an event as its object in the JSON."""
    source, target = ends(event)
    where = {"source": source, "target": target}
    return where | {"event": str(event.type), "path": list(event.path), "time": event.time}


def graph_to_dict(graph: LineageGraph) -> dict[str, Any]:
    """Return the object of the JSON."""
    return {
        "start": list(graph.start),
        "direction": str(graph.direction),
        "nodes": [node_to_dict(graph, node) for node in graph.nodes],
        "edges": [edge_to_dict(event) for event in graph.edges],
        "verdict": verdict_to_dict(graph.verdict, graph.repeat_count),
    }


def verdict_to_dict(verdict: Verdict, repeat_count: int) -> dict[str, Any]:
    """Return a verdict as its object in the JSON."""
    fields: dict[str, Any] = plain(verdict)
    return fields | {"repeat_count": repeat_count}
