"""Fixed cases, one or more for each deliberate difference: the requests, and both answers.

Requests and answers are in the text format. Ids are symbols (see `identities`): the types of SETUP
are 10, 11 and 12, and the nodes of each kind count from 1.
"""

from tests.differential.pair import Case, Step

_TWO_ARTIFACTS = Step(
    "PutArtifacts", 'artifacts { type_id: 10 external_id: "a" } artifacts { type_id: 10 }'
)
_ONE_ARTIFACT = Step("PutArtifacts", "artifacts { type_id: 10 }")
_LISTED = 'artifacts { id: 1 type_id: 10 type: "A" uri: "" %s }'


def _artifact_with(value: str, real: str, ours: str) -> tuple[Step, ...]:
    """Return the steps that store and read an artifact with one property."""
    return (
        Step("PutArtifacts", f"artifacts {{ type_id: 10 properties {{ {value} }} }}"),
        Step(
            "GetArtifactsByID",
            "artifact_ids: 1",
            _LISTED % f"properties {{ {real} }}" if "value" in real else real,
            _LISTED % f"properties {{ {ours} }}",
        ),
    )


def _value(key: str, value: str) -> str:
    return f'key: "{key}" value {{ {value} }}'


def _doubles(about: str, text: str, stored: str) -> Case:
    steps = _artifact_with(
        _value("d", f"double_value: {text}"),
        _value("d", f"double_value: {stored}"),
        _value("d", f"double_value: {text}"),
    )
    return Case("doubles", about, steps)


def _string(about: str, text: str, real: str) -> Case:
    value = _value("s", f'string_value: "{text}"')
    return Case("strings that look like its encoding", about, _artifact_with(value, real, value))


CLASHES = (
    Case(
        "clash on update",
        "the external id of another artifact",
        (
            _TWO_ARTIFACTS,
            Step(
                "PutArtifacts",
                'artifacts { id: 2 external_id: "a" }',
                "INTERNAL",
                "ALREADY_EXISTS",
            ),
        ),
    ),
    Case(
        "clash on update",
        "the name of another context",
        (
            Step(
                "PutContexts",
                'contexts { type_id: 12 name: "a" } contexts { type_id: 12 name: "b" }',
            ),
            Step("PutContexts", 'contexts { id: 2 name: "a" }', "INTERNAL", "ALREADY_EXISTS"),
        ),
    ),
    Case(
        "clash on update",
        "the external id of a type of another kind",
        (
            Step("PutArtifactType", 'artifact_type { name: "B" external_id: "x" }'),
            Step(
                "PutContextType",
                'context_type { name: "B" external_id: "x" }',
                "INTERNAL",
                "ALREADY_EXISTS",
            ),
        ),
    ),
    Case(
        "clash on update",
        "the external id of another type of the kind",
        (
            Step("PutContextType", 'context_type { name: "B" external_id: "x" }'),
            Step(
                "PutContextType",
                'context_type { name: "C" external_id: "x" }',
                "INTERNAL",
                "ALREADY_EXISTS",
            ),
        ),
    ),
    Case(
        "empty external id",
        "of two artifacts",
        (
            Step("PutArtifacts", 'artifacts { type_id: 10 external_id: "" }'),
            Step(
                "GetArtifacts",
                "",
                _LISTED % 'external_id: ""',
                _LISTED % "",
            ),
            Step(
                "PutArtifacts",
                'artifacts { type_id: 10 external_id: "" }',
                "ALREADY_EXISTS",
                "artifact_ids: 2",
            ),
        ),
    ),
    Case(
        "empty external id",
        "of two types",
        (
            Step("PutContextType", 'context_type { name: "B" external_id: "" }'),
            Step(
                "PutContextType",
                'context_type { name: "D" external_id: "" }',
                "ALREADY_EXISTS",
                "type_id: 14",
            ),
        ),
    ),
)

TYPES = (
    Case(
        "external id of listed types",
        "of context types",
        (
            Step("PutContextType", 'context_type { name: "C" external_id: "x" }'),
            Step(
                "GetContextTypes",
                "",
                'context_types { id: 12 name: "C" }',
                'context_types { id: 12 name: "C" external_id: "x" }',
            ),
        ),
    ),
)

VALUES = (
    Case(
        "custom property without a value",
        "in an artifact",
        (
            Step(
                "PutArtifacts",
                'artifacts { type_id: 10 custom_properties { key: "x" value {} } }',
                "the process died",
                "INVALID_ARGUMENT",
            ),
        ),
    ),
    Case(
        "one name in both property maps",
        "an update of the custom one",
        (
            Step(
                "PutArtifacts",
                'artifacts { type_id: 10 properties { key: "i" value { int_value: 1 } } '
                'custom_properties { key: "i" value { int_value: 2 } } }',
            ),
            Step(
                "PutArtifacts",
                "artifacts { id: 1 } update_mask { paths: 'custom_properties.i' }",
            ),
            Step(
                "GetArtifactsByID",
                "artifact_ids: 1",
                _LISTED % "",
                _LISTED % 'properties { key: "i" value { int_value: 1 } }',
            ),
        ),
    ),
    _doubles("smaller than a millionth", "1e-10", "0"),
    _doubles("of sixteen digits", "9007199254740992", "9007199254740990"),
    Case(
        "doubles",
        "that are no numbers",
        (
            Step(
                "PutArtifacts",
                'artifacts { type_id: 10 properties { key: "d" value { double_value: inf } } }',
                "INTERNAL",
                "artifact_ids: 1",
            ),
        ),
    ),
    _string("the mark of null", "__MLMD_NULL__", "INTERNAL"),
    _string("the mark of a struct, and no struct", "mlmd-struct::!", "INVALID_ARGUMENT"),
    _string("the mark of a struct", "mlmd-struct::", _value("s", "struct_value {}")),
    _string("a NUL", "one\\000two", _value("s", 'string_value: "one"')),
    Case(
        "message without a type url",
        "in a property",
        _artifact_with(
            _value("p", "proto_value { value: 'x' }"),
            "INTERNAL",
            _value("p", "proto_value { value: 'x' }"),
        ),
    ),
)

EDGES = (
    Case(
        "dangling event",
        "in PutExecution",
        (
            Step(
                "PutExecution",
                "execution { type_id: 11 } "
                "artifact_event_pairs { event { artifact_id: 1000000000 type: INPUT } }",
                "execution_id: 1 artifact_ids: 1000000000",
                "INVALID_ARGUMENT",
            ),
        ),
    ),
    Case(
        "dangling event",
        "in PutLineageSubgraph",
        (
            Step(
                "PutLineageSubgraph",
                "event_edges "
                "{ event { artifact_id: 1000000000 execution_id: 1000000000 type: INPUT } }",
                "OK",
                "INVALID_ARGUMENT",
            ),
        ),
    ),
    Case(
        "attribution to nothing",
        "of an empty pair",
        (
            Step(
                "PutExecution",
                "execution { type_id: 11 } artifact_event_pairs {} "
                'contexts { type_id: 12 name: "a" }',
                "execution_id: 1 artifact_ids: -1 context_ids: 1",
            ),
            Step("GetArtifactsByContext", "context_id: 1", "INTERNAL", "OK"),
            Step(
                "GetExecutionsByContext",
                "context_id: 1",
                'executions { id: 1 type_id: 11 type: "E" }',
            ),
        ),
    ),
    Case(
        "events of an artifact",
        "with two executions",
        (
            _ONE_ARTIFACT,
            Step("PutExecutions", "executions { type_id: 11 } executions { type_id: 11 }"),
            Step("PutEvents", "events { artifact_id: 1 execution_id: 2 type: INPUT }"),
            Step("PutEvents", "events { artifact_id: 1 execution_id: 1 type: OUTPUT }"),
            Step(
                "GetEventsByArtifactIDs",
                "artifact_ids: 1",
                "events { artifact_id: 1 execution_id: 1 type: OUTPUT } "
                "events { artifact_id: 1 execution_id: 2 type: INPUT }",
                "events { artifact_id: 1 execution_id: 2 type: INPUT } "
                "events { artifact_id: 1 execution_id: 1 type: OUTPUT }",
            ),
            Step(
                "GetEventsByExecutionIDs",
                "execution_ids: 2 execution_ids: 1",
                "events { artifact_id: 1 execution_id: 1 type: OUTPUT } "
                "events { artifact_id: 1 execution_id: 2 type: INPUT }",
            ),
        ),
    ),
)

LINEAGE = (
    Case(
        "malformed filter of ending nodes",
        "that the walk does not come to",
        (
            _ONE_ARTIFACT,
            Step(
                "GetLineageSubgraph",
                'lineage_subgraph_query_options { starting_artifacts { filter_query: "TRUE" } '
                'ending_executions { filter_query: "(" } } read_mask { paths: "artifacts" }',
                "lineage_subgraph { artifacts { id: 1 } }",
                "INVALID_ARGUMENT",
            ),
        ),
    ),
)

CASES = (*CLASHES, *TYPES, *VALUES, *EDGES, *LINEAGE)
