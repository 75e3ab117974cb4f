"""Fixed cases on which both stores agree, and which random sequences seldom come upon."""

import time

import pytest
from google.protobuf import text_format

from tests.differential.pair import Case, Step
from tests.differential.peers import request_of

_CONTEXTS = Step(
    "PutContexts", 'contexts { type_id: 12 name: "a" } contexts { type_id: 12 name: "b" }'
)
_LINEAGE = "lineage_subgraph_query_options { %s }"
_FROM = _LINEAGE % "starting_artifacts { filter_query: '%s' } %s"

_MORE = (
    'properties { key: "a" value: INT } properties { key: "b" value: INT } '
    'properties { key: "u" value: UNKNOWN }'
)

CASES = (
    Case(
        "a property of type UNKNOWN",
        "looked for behind what differs from the stored type",
        (
            Step("PutContextType", 'context_type { name: "C" external_id: "c" }'),
            Step(
                "PutContextType",
                f'context_type {{ name: "C" {_MORE} }} can_omit_fields: true',
                "ALREADY_EXISTS",
            ),
            Step(
                "PutContextType",
                f'context_type {{ name: "C" {_MORE} }} can_add_fields: true',
                "INVALID_ARGUMENT",
            ),
            Step("PutContextType", f'context_type {{ name: "D" {_MORE} }}', "INVALID_ARGUMENT"),
            Step(
                "PutContextType",
                f'context_type {{ name: "D" external_id: "c" {_MORE} }}',
                "ALREADY_EXISTS",
            ),
        ),
    ),
    Case(
        "external ids that an artifact loses in the same request",
        "stand for what they stood for before it",
        (
            Step("PutArtifacts", 'artifacts { type_id: 10 external_id: "x" }'),
            Step(
                "PutLineageSubgraph",
                'artifacts { id: 1 type_id: 10 external_id: "y" } '
                'artifacts { type_id: 10 external_id: "x" uri: "u" } '
                "options { reuse_artifact_if_already_exist_by_external_id: true }",
                "artifact_ids: 1 artifact_ids: 1",
            ),
            Step(
                "GetArtifacts",
                "",
                'artifacts { id: 1 type_id: 10 type: "A" external_id: "x" uri: "u" }',
            ),
        ),
    ),
    Case(
        "names that pass from node to node in one request",
        "freed before they are taken",
        (
            _CONTEXTS,
            Step("PutContexts", 'contexts { id: 2 name: "c" } contexts { id: 1 name: "b" }'),
            Step(
                "GetContexts",
                "",
                'contexts { id: 1 type_id: 12 name: "b" type: "C" } '
                'contexts { id: 2 type_id: 12 name: "c" type: "C" }',
            ),
        ),
    ),
    Case(
        "base types",
        "that would make a type refine itself",
        (
            Step(
                "PutExecutionType",
                'execution_type { name: "mlmd.Train" base_type: TRAIN }',
                "INVALID_ARGUMENT",
            ),
            Step("PutExecutionType", 'execution_type { name: "mlmd.Train" base_type: TRANSFORM }'),
            Step(
                "PutExecutionType",
                'execution_type { name: "mlmd.Transform" base_type: TRAIN }',
                "INVALID_ARGUMENT",
            ),
        ),
    ),
    Case(
        "several faults in PutLineageSubgraph",
        "kind by kind, the types before the properties",
        (
            Step(
                "PutLineageSubgraph",
                'artifacts { type_id: 10 properties { key: "i" value { bool_value: true } } } '
                "executions { type_id: 1000000000 }",
                "INVALID_ARGUMENT",
            ),
            Step(
                "PutLineageSubgraph",
                'artifacts { type_id: 10 properties { key: "i" value { bool_value: true } } } '
                "artifacts { type_id: 1000000000 }",
                "NOT_FOUND",
            ),
        ),
    ),
    Case(
        "several faults in PutExecution",
        "event by event",
        (
            Step("PutArtifacts", "artifacts { type_id: 10 }"),
            Step("PutExecutions", "executions { type_id: 11 }"),
            Step("PutEvents", "events { artifact_id: 1 execution_id: 1 type: INPUT }"),
            Step(
                "PutExecution",
                "execution { id: 1 } "
                "artifact_event_pairs { event { artifact_id: 1 type: INPUT } } "
                "artifact_event_pairs { event { type: INPUT } }",
                "ALREADY_EXISTS",
            ),
        ),
    ),
    Case(
        "execution types by external id",
        "without the types of inputs and outputs",
        (
            Step(
                "PutExecutionType",
                'execution_type { name: "F" external_id: "x" input_type { any {} } }',
            ),
            Step(
                "GetExecutionTypesByExternalIds",
                'external_ids: "x"',
                'execution_types { id: 13 name: "F" external_id: "x" }',
            ),
        ),
    ),
    Case(
        "faulty lineage queries",
        "in the order in which they are noticed",
        (
            Step("GetLineageSubgraph", "", "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _LINEAGE % "", "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _LINEAGE % "starting_artifacts {}", "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _FROM % ("", ""), "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _FROM % (" ", ""), "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _FROM % ("(", "max_num_hops: 1"), "INVALID_ARGUMENT"),
            Step("GetLineageSubgraph", _FROM % ("id = 1", ""), "NOT_FOUND"),
            Step("GetLineageSubgraph", _FROM % ("id = 1", "max_num_hops: -1"), "INVALID_ARGUMENT"),
        ),
    ),
    Case(
        "a lineage query with a mask",
        "of fields that there are not",
        (
            Step("PutArtifacts", "artifacts { type_id: 10 }"),
            Step(
                "GetLineageSubgraph",
                f'{_FROM % ("id = 1", "")} read_mask {{ paths: "artifacts.id" paths: "none" }}',
                "lineage_subgraph {}",
            ),
            Step(
                "GetLineageSubgraph",
                f'{_FROM % ("id = 1", "")} read_mask {{ paths: "none" paths: "artifacts" }}',
                "lineage_subgraph { artifacts { id: 1 } }",
            ),
        ),
    ),
    Case(
        "a type without nodes",
        "and options that make no sense",
        (Step("GetArtifactsByType", 'type_name: "A" options { max_result_size: 0 }'),),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.topic}: {case.about}")
def test_case(pair, case: Case):
    pair.check(case)


def test_the_lock_holds_within_one_request(pair):
    pair.call("PutArtifacts", "artifacts { type_id: 10 }")
    read = pair.read("GetArtifacts")
    time.sleep(0.003)
    for side, response in zip(pair.sides, read, strict=True):
        updated = response.artifacts[0].last_update_time_since_epoch
        request = text_format.Parse(
            f'artifacts {{ id: 1 uri: "a" last_update_time_since_epoch: {updated} }} '
            f'artifacts {{ id: 1 uri: "b" last_update_time_since_epoch: {updated} }} '
            "options { abort_if_latest_updated_time_changed: true }",
            request_of("PutArtifacts"),
        )
        assert side.call("PutArtifacts", request)[0].status == "FAILED_PRECONDITION"


def test_a_state_that_no_enum_has_is_unset(pair):
    request = request_of("PutArtifacts")
    request.artifacts.add(type_id=10).MergeFromString(b"\x30\x4d")  # state: 77
    for side in pair.sides:
        assert side.call("PutArtifacts", request)[0].status == "OK"
    for response in pair.read("GetArtifacts"):
        assert not response.artifacts[0].HasField("state")


MISFITS = [
    ('properties { key: "i" value {} }', "Found unmatched property type: i"),
    ('properties { key: "i" value { string_value: "x" } }', "Found unmatched property type: i"),
    ('properties { key: "z" value { int_value: 1 } }', "Found unknown property: z"),
    ('properties { key: "z" value {} }', "Found unknown property: z"),
]


@pytest.mark.parametrize(("properties", "text"), MISFITS)
def test_properties_that_do_not_fit_are_told_alike(pair, properties: str, text: str):
    """Programs match on these texts."""
    answers = pair.call("PutArtifacts", f"artifacts {{ type_id: 10 {properties} }}")
    assert [answer.status for answer in answers] == ["INVALID_ARGUMENT"] * 2
    assert all(text in answer.message for answer in answers)
