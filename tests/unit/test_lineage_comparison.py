"""Why two artifacts differ, told from their lineages."""

from dataclasses import replace
from typing import Any

import pytest

from lineage_store import Artifact, Event, Execution, errors
from lineage_store.lineage.aspects import Aspect, aspect_of, flat_properties
from lineage_store.lineage.comparison import compare
from lineage_store.lineage.differences import Comparison
from lineage_store.lineage.graph import Direction
from lineage_store.lineage.identity import key_of
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Limit, Verdict
from tests.unit.lineages import data, lineage, reads, step, writes


def run(first_id: int, *, raw: Artifact | None = None, **parameters: Any) -> Lineage:
    """Return raw data → Clean → table → Train → model, with ids from `first_id` on."""
    raw = raw or data(first_id, "raw", "aa")
    clean = step(first_id, "Clean", image="clean:1")
    table = data(first_id + 1, f"run{first_id}/table", uri=f"/runs/{first_id}/table")
    train = step(first_id + 1, "Train", parameters=parameters)
    model = data(first_id + 2, f"run{first_id}/model", f"{first_id:x}", type="Model")
    return lineage(
        [[model], [train], [table], [clean], [raw]],
        [
            writes(train, model, "model", 0),
            reads(train, table, "table", 0),
            writes(clean, table, "out", 0),
            reads(clean, raw, "in", 0),
        ],
    )


def changed(
    lineage: Lineage, node: Artifact | Execution, edges: list[Event] | None = None
) -> Lineage:
    """Return a lineage with another version of a node, and more events."""
    nodes = [node if key_of(old) == key_of(node) else old for old in lineage.nodes]
    if key_of(node) not in lineage:
        nodes.append(node)
    return replace(lineage, nodes=tuple(nodes), edges=(*lineage.edges, *(edges or ())))


def rows(comparison: Comparison) -> list[tuple[str, str, str, str | None, str | None]]:
    return [(d.aspect, d.subject, d.name, d.left, d.right) for d in comparison.differences]


def test_two_runs_of_the_same_do_not_differ() -> None:
    comparison = compare(run(10, depth=6), run(20, depth=6))
    assert rows(comparison) == []
    assert (comparison.left, comparison.right, comparison.complete) == (
        "artifact:12",
        "artifact:22",
        True,
    )
    assert (comparison.shared_artifacts, comparison.shared_executions) == (1, 2)


def test_parameters() -> None:
    comparison = run(10, depth=6, seed=7).compare(run(20, depth=8.0, seed=7.0, trees=60))
    assert rows(comparison) == [
        ("PARAMETERS", "Train", "parameters.depth", "6", "8"),
        ("PARAMETERS", "Train", "parameters.trees", None, "60"),
    ]
    first = comparison.differences[0]
    assert (first.left_node, first.right_node) == ("execution:11", "execution:21")


def test_original_data_differs_by_content() -> None:
    comparison = compare(run(10), run(20, raw=data(20, "raw", "bb", uri="elsewhere")))
    assert rows(comparison) == [("DATA", "Data raw", "digest", "sha256:aa", "sha256:bb")]
    moved = compare(run(10), run(20, raw=data(20, "other name", "aa", uri="elsewhere")))
    assert rows(moved) == []


def test_original_data_without_digest_differs_by_uri_and_version() -> None:
    left = run(10, raw=data(10, uri="s3://raw", properties={"version": 1}))
    right = run(20, raw=data(20, uri="s3://raw", properties={"version": 2}))
    assert rows(compare(left, right)) == [("DATA", "Data raw", "version", "1", "2")]
    other = run(30, raw=data(30, uri="s3://raw2", properties={"version": 1}))
    assert rows(compare(left, other)) == [
        ("DATA", "Data raw / Data raw2", "uri", "s3://raw", "s3://raw2")
    ]
    nameless = [run(first, raw=data(first)) for first in (40, 50)]
    assert rows(compare(*nameless)) == [
        ("DATA", "Data", "node", "Data  (artifact:40)", "Data  (artifact:50)")
    ]


def test_what_was_made_and_not_hashed_differs_only_by_its_origin() -> None:
    assert rows(compare(run(10), run(20))) == []  # the tables have other uris and names
    left = changed(run(10), data(11, "t", "01"))
    right = changed(run(20, raw=data(20, "raw", "bb")), data(21, "t", "02"))
    names = [(d.subject, d.left) for d in compare(left, right).differences]
    assert names == [("Data raw", "sha256:aa"), ("Data t", "sha256:01")]  # the origin first


def test_code_and_environment() -> None:
    left = changed(run(10), step(10, "Clean", image="clean:1", git_commit="a", runtime={"os": "x"}))
    right = changed(
        run(20), step(20, "Clean", image="clean:2", git_commit="b", runtime={"os": "y"})
    )
    assert rows(compare(left, right)) == [
        ("CODE", "Clean", "git_commit", "a", "b"),
        ("ENVIRONMENT", "Clean", "image", "clean:1", "clean:2"),
        ("ENVIRONMENT", "Clean", "runtime.os", "x", "y"),
    ]


def test_steps_on_one_side() -> None:
    """On the right, raw data is filtered by rules before it is cleaned."""
    extra, rules, raw = step(29, "Filter"), data(29, "rules", "cc"), data(27, "raw", "aa")
    filtered = data(28, "filtered", "dd")
    right = run(20, raw=filtered)
    for node in (extra, rules, raw):
        right = changed(right, node)
    events = [writes(extra, filtered), reads(extra, raw), reads(extra, rules)]
    comparison = compare(run(10), changed(right, rules, events))
    assert rows(comparison) == [
        ("DATA", "Data raw / Data filtered", "digest", "sha256:aa", "sha256:dd"),
        ("DATA", "Data rules", "present", None, "Data rules  sha256:cc  (artifact:29)"),
        ("STEPS", "Filter", "present", None, "Filter  (execution:29)"),
    ]
    assert comparison.shared_executions == 2


def test_a_step_between_does_not_hide_those_behind_it() -> None:
    """On the right, the table is scaled before it is trained on."""
    right = run(20)
    scale, scaled = step(25, "Scale"), data(25, "scaled")
    edges = [event for event in right.edges if event != reads(step(21, ""), data(21), "table", 0)]
    assert len(edges) == 3
    edges += [
        reads(step(21, ""), scaled, "table", 0),
        writes(scale, scaled),
        reads(scale, data(21)),
    ]
    right = replace(right, nodes=(*right.nodes, scale, scaled), edges=tuple(edges))
    comparison = compare(run(10), right)
    assert [(d.aspect, d.subject) for d in comparison.differences] == [("STEPS", "Scale")]
    assert comparison.shared_executions == 2


def test_of_several_steps_of_a_type_the_most_alike_correspond() -> None:
    def fan(first_id: int, *learning: dict[str, int]) -> Lineage:
        model, merge = data(first_id, type="Model"), step(first_id, "Merge")
        ids = range(first_id + 1, first_id + 1 + len(learning))
        parts = [data(part) for part in ids]
        trains = [
            step(at, "Train", parameters=parameters)
            for at, parameters in zip(ids, learning, strict=True)
        ]
        edges = [writes(merge, model), *(reads(merge, part, "parts", 0) for part in parts)]
        edges += [writes(one, part) for one, part in zip(trains, parts, strict=True)]
        return lineage([[model], [merge], [*parts], [*trains]], edges)

    left = fan(100, {"fold": 1, "depth": 6}, {"fold": 2, "depth": 6})
    right = fan(200, {"fold": 2, "depth": 7}, {"fold": 1, "depth": 6})
    comparison = compare(left, right)
    assert [(d.name, d.left, d.right) for d in comparison.differences] == [
        ("parameters.depth", "6", "7")
    ]


def test_shared_nodes_are_not_compared() -> None:
    left = run(10, depth=6)
    tune, model = step(30, "Train", parameters={"depth": 9}), data(30, "m", "ff", type="Model")
    shared = left.nodes[2:]
    right = lineage(
        [[model], [tune], *[[node] for node in shared]],
        [writes(tune, model, "model", 0), reads(tune, data(11), "table", 0), *left.edges[2:]],
    )
    comparison = compare(left, right)
    assert rows(comparison) == [("PARAMETERS", "Train", "parameters.depth", "6", "9")]
    assert (comparison.shared_artifacts, comparison.shared_executions) == (2, 1)


def test_one_artifact_does_not_differ_from_itself() -> None:
    comparison = compare(run(10), run(10))
    assert rows(comparison) == []
    assert (comparison.shared_artifacts, comparison.shared_executions) == (2, 2)


def test_an_incomplete_lineage_is_told() -> None:
    cut = Verdict(complete=False, reason=Limit.MAX_NODES, frontier=("artifact:11",))
    comparison = compare(replace(run(10), verdict=cut), run(20))
    assert not comparison.complete
    assert str(comparison).splitlines()[-1] == f"left: {cut}"
    message = comparison.to_message()
    assert (
        Comparison.from_message(message, comparison.left, comparison.right, frozenset(Limit))
        == comparison
    )


def test_what_can_not_be_compared() -> None:
    downstream = replace(run(10), direction=Direction.DOWNSTREAM)
    for other in (downstream, replace(run(10), start=("artifact:1", "artifact:2"))):
        with pytest.raises(errors.InvalidArgument, match="upstream lineages of one artifact"):
            compare(run(20), other)
    with pytest.raises(errors.InvalidArgument, match="is not an artifact"):
        compare(replace(run(10), start=("execution:1",)), run(20))


def test_the_text_is_for_people() -> None:
    left = run(10, depth=6, note="line\nbreak")
    right = run(20, depth=8, note="line\nbreak\x1b[31m")
    left, right = (
        changed(graph, replace(node, properties={**node.properties, "git_commit": commit}))
        for graph, commit in ((left, "ab" * 20), (right, "cd" * 20))
        for node in graph.executions
        if node.type == "Clean"
    )
    assert str(compare(left, right)).splitlines() == [
        "artifact:12 and artifact:22",
        "DATA: no difference",
        "CODE:",
        "  Clean  git_commit: abababababab → cdcdcdcdcdcd",
        "PARAMETERS:",
        "  Train  parameters.depth: 6 → 8",
        r"  Train  parameters.note: line\nbreak → line\nbreak\x1b[31m",
        "ENVIRONMENT: no difference",
        "STEPS: no difference",
        "The same on both sides: 1 artifact, 0 steps",
    ]


@pytest.mark.parametrize(
    ("aspect", "names"),
    [
        (
            Aspect.CODE,
            (
                "code_sha256 code.digest git_commit gitCommit commit source_code module_file"
                " entrypoint entry_point function function_name version pipeline_version script"
                " notebook train_script train_commit"
            ),
        ),
        (
            Aspect.ENVIRONMENT,
            (
                "image image_digest container_image baseImage python python_version sklearn_version"
                " packages.numpy environment.PATH platform os hostname cuda_version gpu"
                " hardware.gpu library dependencies"
            ),
        ),
        (
            Aspect.PARAMETERS,
            (
                "depth learning_rate parameters.image parameters.run_id hyperparameters.seed"
                " image_size loss_function country_code data_version args.timestamp config.version"
                " num_epochs output_size timeout_seconds splits"
            ),
        ),
        (
            None,
            (
                "run_id pod_name job_id task.id uuid start_time endTime created_at duration_seconds"
                " elapsed error error_message log_uri outputs.model.uri finished timestamp"
            ),
        ),
    ],
)
def test_what_names_are_about(aspect: Aspect | None, names: str) -> None:
    assert {name: aspect_of(name) for name in names.split()} == dict.fromkeys(names.split(), aspect)


def test_a_runs_own_is_left_out() -> None:
    left = changed(run(10), step(10, "Clean", image="clean:1", run_id="1", module="/runs/1/m.py"))
    right = changed(run(20), step(20, "Clean", image="clean:1", run_id="2", module="/runs/2/m.py"))
    assert rows(compare(left, right)) == []
    paths = [run(first, table=f"/tables/{first}/t.csv") for first in (10, 20)]
    assert [d.name for d in compare(*paths).differences] == ["parameters.table"]


def test_properties_are_flat_texts() -> None:
    execution = Execution(
        properties={"a": {"b": {"c": 1.0}, "d": [1.0, "x"], "e": {}}, "n": 3},
        custom_properties={"n": True, "m": 0.5},
    )
    assert flat_properties(execution) == {
        "a.b.c": "1",
        "a.d": '[1.0, "x"]',
        "n": "3",
        "custom_properties.n": "true",
        "m": "0.5",
    }


def split(first_id: int, *names: str, **others: Artifact) -> Lineage:
    """Return raw data that a step reads under some names, and other data under others."""
    raw, train = data(1, "raw", "aa"), step(first_id, "Train")
    model = data(first_id, "model", f"{first_id:x}", type="Model")
    path = [part for name in names for part in (name, 0)]
    edges = [writes(train, model, "model", 0), reads(train, raw, *path)]
    edges += [reads(train, artifact, name, 0) for name, artifact in others.items()]
    return lineage([[model], [train], [raw, *others.values()]], edges)


def test_an_input_under_several_names_differs_by_the_name_that_is_missing() -> None:
    both, one = split(10, "train", "test"), split(20, "train")
    comparison = compare(both, one)
    assert rows(comparison) == [
        ("DATA", "Train", "inputs.test", "Data raw  sha256:aa  (artifact:1)", None)
    ]
    assert (comparison.differences[0].left_node, comparison.differences[0].right_node) == (
        "artifact:1",
        None,
    )
    assert comparison.shared_executions == 0
    assert rows(compare(one, both)) == [
        ("DATA", "Train", "inputs.test", None, "Data raw  sha256:aa  (artifact:1)")
    ]
    assert rows(compare(both, split(20, "train", "test"))) == []
    assert rows(compare(both, split(20, "test", "train"))) == []


def test_an_input_under_another_name_is_not_lost_and_won() -> None:
    comparison = compare(split(10, "train"), split(20, "data"))
    assert [name for _, _, name, *_ in rows(comparison)] == ["inputs.data", "inputs.train"]
    copied = split(20, "train", test=data(30, "copy of raw", "aa"))
    assert rows(compare(split(10, "train", "test"), copied)) == []


def test_other_data_under_one_of_the_names_is_a_difference_of_data() -> None:
    comparison = compare(split(10, "train", "test"), split(20, "train", test=data(30, "raw", "bb")))
    assert rows(comparison) == [("DATA", "Data raw", "digest", "sha256:aa", "sha256:bb")]
    more = compare(split(10, "train"), split(20, "train", test=data(30, "more", "bb")))
    assert [(name, left) for _, _, name, left, _ in rows(more)] == [("present", None)]
