"""Forms of a lineage: graphs, drawings, trees, JSON."""

import json
import re
from dataclasses import replace

import pytest

from lineage_store import Artifact, ArtifactState, Execution, ExecutionState, errors
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import Digest, digest_of, same_artifact
from lineage_store.lineage.impact import impact
from lineage_store.lineage.result import Lineage, LineagePart
from lineage_store.lineage.verdict import Limit, Verdict
from lineage_store.v1 import lineage_pb2 as pb
from tests.unit.lineages import data, keys, lineage, reads, step, writes

HOSTILE = 'a"]); drop\n\\end %%{init}%% <script>#`\x1b[31m'

MODEL = data(1, "model", "ab" * 32, type="Model")
TRAIN = step(2, "Train", parameters={"depth": 6.0, "name": "x" * 60}, git_commit="c0" * 20)
TABLE = data(3, "table", properties={"version": "4"})
CLEAN = Execution(id=4, type="Clean", state=ExecutionState.CACHED)
RAW = data(5, uri="s3://bucket/raw.csv", state=ArtifactState.DELETED)


@pytest.fixture
def diamond() -> Lineage:
    """A model of a table and of the raw data that the table was made from."""
    return lineage(
        [[MODEL], [TRAIN], [TABLE, RAW], [CLEAN]],
        [
            writes(TRAIN, MODEL, "model", 0),
            reads(TRAIN, TABLE, "table", 0),
            reads(TRAIN, RAW, "raw", 1),
            writes(CLEAN, TABLE),
            reads(CLEAN, RAW),
        ],
    )


def test_nodes_and_ways(diamond: Lineage) -> None:
    assert diamond.start == ("artifact:1",)
    assert [diamond.hop(node) for node in diamond.nodes] == [0, 1, 2, 2, 3]
    assert (keys(diamond.roots()), keys(diamond.leaves())) == (["artifact:5"], ["artifact:1"])
    assert keys(diamond.artifacts) == ["artifact:1", "artifact:3", "artifact:5"]
    assert "execution:4" in diamond
    assert len(diamond) == 5
    with pytest.raises(errors.NotFound):
        diamond.node("artifact:99")


def test_networkx_follows_the_data(diamond: Lineage) -> None:
    graph = diamond.to_networkx()
    assert sorted(graph.edges()) == [
        ("artifact:3", "execution:2"),
        ("artifact:5", "execution:2"),
        ("artifact:5", "execution:4"),
        ("execution:2", "artifact:1"),
        ("execution:4", "artifact:3"),
    ]
    assert graph.nodes["artifact:1"]["digest"] == f"sha256:{'ab' * 32}"
    assert graph.nodes["execution:4"]["state"] == "CACHED"
    edge = graph.edges["artifact:3", "execution:2", "INPUT"]
    assert (edge["event"], edge["path"]) == ("INPUT", "table")


def test_the_tree_draws_a_branch_once(diamond: Lineage) -> None:
    long = "x" * 40
    assert str(diamond).splitlines() == [
        "Model model  sha256:abababababab  (artifact:1)",
        f"└─ Train  depth=6 name={long}…  git_commit=c0c0c0c0c0c0  (execution:2)",
        "   ├─ table: Data table  version 4  (artifact:3)",
        "   │  └─ Clean  CACHED  (execution:4)",
        "   │     └─ Data raw.csv  DELETED  (artifact:5)",
        "   └─ raw/1: Data raw.csv  DELETED  (artifact:5)",
    ]


def test_an_artifact_under_several_names_has_all_of_them() -> None:
    several = [
        reads(TRAIN, TABLE, "train", 0, "test", 0),
        reads(TRAIN, RAW, "raw", 0, "raw", 1),
        reads(TRAIN, data(6), "nested", "name", "of", "parts"),
    ]
    several_names = lineage(
        [[MODEL], [TRAIN], [TABLE, RAW, data(6)]], [writes(TRAIN, MODEL), *several]
    )
    places = [line.split(":")[0].strip("├└─ ") for line in str(several_names).splitlines()[2:]]
    assert places == ["train, test", "raw, raw/1", "nested/name/of/parts"]
    assert "train, test" in several_names.to_dot()
    assert (
        several_names.to_networkx().edges["artifact:3", "execution:2", "INPUT"]["path"]
        == "train, test"
    )
    assert several_names.to_dict()["edges"][1]["path"] == ["train", 0, "test", 0]


def test_the_tree_names_a_branch_that_it_has_drawn(diamond: Lineage) -> None:
    downstream = replace(diamond, direction=Direction.DOWNSTREAM, start=("artifact:5",))
    lines = [line for line in str(downstream).splitlines() if "execution:2" in line]
    assert [line.endswith("  ↑ drawn above") for line in lines] == [False, True]
    assert sum("artifact:1" in line for line in str(downstream).splitlines()) == 1


def test_the_tree_of_both_ways_says_which() -> None:
    both = lineage(
        [[TABLE], [TRAIN, CLEAN]],
        [reads(TRAIN, TABLE), writes(CLEAN, TABLE)],
        direction=Direction.BOTH,
    )
    assert [line[:9] for line in str(both).splitlines()[1:]] == ["├─ ← Clea", "└─ → Trai"]


def test_a_cycle_and_a_deep_chain_can_be_drawn() -> None:
    loop = lineage([[TABLE], [CLEAN]], [writes(CLEAN, TABLE), reads(CLEAN, TABLE)])
    assert str(loop).splitlines()[-1].strip().endswith("(artifact:3)  ↑ drawn above")
    chain: list[Artifact | Execution] = []
    edges = []
    for at in range(5000):
        chain += [data(at), step(at, "Step")]
        edges.append(writes(chain[-1], chain[-2]))  # type: ignore[arg-type]
        if at:
            edges.append(reads(chain[-3], chain[-2]))  # type: ignore[arg-type]
    deep = lineage([[node] for node in chain], edges)
    lines = str(deep).splitlines()
    assert len(lines) == 42
    assert lines[-1] == "… 9,959 more, deeper than 40 levels"
    assert len(deep.to_text(max_depth=100).splitlines()) == 102


def test_hostile_names_stay_text() -> None:
    hostile = lineage([[data(1, HOSTILE, type=HOSTILE)]], [])
    assert len(str(hostile).splitlines()) == 1
    assert "\x1b" not in str(hostile) + hostile.to_dot() + hostile.to_mermaid()
    [node] = [line for line in hostile.to_dot().splitlines() if "shape" in line]
    strings = re.findall(r'"(?:[^"\\]|\\.)*"', node)
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "", node) == "   [shape=ellipse, label=, penwidth=2];"
    assert strings[0] == '"artifact:1"'
    [line] = hostile.to_mermaid().splitlines()[1:]
    label = line.removeprefix('  artifact1(["').removesuffix('"])')
    assert re.fullmatch(r"(?:[\w .,/:=+@-]|#\d+;)+", label.replace("<br/>", " "))


def test_json_has_everything_that_is_documented(diamond: Lineage) -> None:
    as_values = json.loads(diamond.to_json())
    assert list(as_values) == ["start", "direction", "nodes", "edges", "verdict"]
    assert as_values["nodes"][2] == {
        "key": "artifact:3",
        "kind": "artifact",
        "id": 3,
        "type": "Data",
        "name": "table",
        "uri": None,
        "external_id": None,
        "state": None,
        "hop": 2,
        "digest": None,
        "version": "4",
        "properties": {"version": "4"},
        "custom_properties": {},
        "create_time": None,
        "update_time": None,
    }
    assert as_values["edges"][0] == {
        "source": "execution:2",
        "target": "artifact:1",
        "event": "OUTPUT",
        "path": ["model", 0],
        "time": None,
    }
    assert as_values["verdict"]["complete"] is True
    odd = lineage([[data(1, properties={"x": float("nan")})]], [])
    assert json.loads(odd.to_json())["nodes"][0]["properties"] == {"x": "NaN"}


def test_an_incomplete_answer_says_so() -> None:
    message = pb.Verdict(
        complete=False,
        reason=pb.Verdict.MAX_NODES,
        frontier_artifact_ids=[3],
        frontier_execution_ids=[4, 5],
        node_count=2000,
        event_count=1,
        resume_token=b"t",
    )
    verdict = Verdict.from_message(message, caller_limits={Limit.MAX_HOPS})
    assert verdict.to_message() == message
    assert verdict.frontier == ("artifact:3", "execution:4", "execution:5")
    assert verdict.by_server
    assert str(verdict) == (
        "NOT COMPLETE: the limit of nodes of the server was reached; 2,000 nodes, 1 event; "
        "3 nodes not followed"
    )
    assert str(lineage([[MODEL]], [], verdict=verdict)).splitlines()[-1] == str(verdict)
    assert not Verdict.from_message(message, caller_limits={Limit.MAX_NODES}).by_server


def test_parts_are_joined_to_what_was_there(diamond: Lineage) -> None:
    more = LineagePart(hop=4, nodes=(data(9),), edges=(writes(CLEAN, data(9)),))
    joined = diamond.joined_by([more])
    assert (len(joined), joined.hop(data(9)), joined.start) == (6, 4, diamond.start)
    assert joined.verdict == diamond.verdict


@pytest.mark.parametrize(
    ("properties", "digest"),
    [
        ({"sha256": "AB"}, Digest("sha256", "ab")),
        ({"digest": "md5:AB"}, Digest("md5", "ab")),
        ({"digest": "d" * 40}, Digest("sha1", "d" * 40)),
        ({"checksum": "rL0Y20zCmFzt72VPzMSk2A=="}, Digest("unknown", "rL0Y20zCmFzt72VPzMSk2A==")),
        ({"checksum_md5": "0" * 32, "hash": "x"}, Digest("md5", "0" * 32)),
        ({"digest": "", "rows": 3}, None),
    ],
)
def test_digests(properties: dict[str, str], digest: Digest | None) -> None:
    assert digest_of(Artifact(properties=properties)) == digest
    assert digest_of(Artifact(custom_properties=properties)) == digest


def test_what_makes_artifacts_the_same() -> None:
    assert same_artifact(data(1, "a", "aa"), data(2, "b", "aa", uri="u"))
    assert not same_artifact(data(1, "a", "aa", uri="u"), data(2, "a", "bb", uri="u"))
    assert same_artifact(data(1, "a", "aa", uri="u"), data(2, "b", uri="u"))
    assert not same_artifact(data(1, "a", uri="u"), data(2, "a", uri="v"))
    assert same_artifact(data(1, "a"), data(2, "a", uri="v"))
    assert not same_artifact(data(1), data(2))


def test_impact_has_models_first(diamond: Lineage) -> None:
    hops = {"artifact:5": 0, "execution:4": 1, "artifact:3": 2, "execution:2": 1, "artifact:1": 2}
    downstream = replace(diamond, direction=Direction.DOWNSTREAM, start=("artifact:5",), hops=hops)
    result = impact(downstream)
    assert (keys([*result.models]), keys([*result.artifacts])) == (["artifact:1"], ["artifact:3"])
    assert result.counts == {"Model": 1, "Data": 1}
    assert str(result).splitlines() == [
        "Made from Data raw.csv  DELETED  (artifact:5)",
        "Affected: 1 Model, 1 Data; 2 steps",
        "Models",
        "  2 hops away  Model model  sha256:abababababab  (artifact:1)",
        "Other artifacts",
        "  2 hops away  Data table  version 4  (artifact:3)",
    ]
    assert keys([*impact(downstream, {"Data"}).models]) == ["artifact:1", "artifact:3"]
    assert json.loads(json.dumps(result.to_dict()))["counts"] == {"Model": 1, "Data": 1}
