"""filter_query, through every way to reach a store.

Filters of ML Metadata are compared with the real one in tests/differential; here are those beyond
it: neighbours' properties, versions of types, paths, times, and the repairs of its bugs.
"""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

LONG = "x" * 300
KINDS = {"artifact": "GetArtifacts", "execution": "GetExecutions", "context": "GetContexts"}


@pytest.fixture
def graph(call):
    """Two runs: each an execution that reads the data and writes a model, in a context."""
    versions = [call.type("artifact", "Model", version=version) for version in ("", "v2")]
    data_type = call.type("artifact", "Data")
    run_type = call.type("context", "Run")
    execution_type = call.type("execution", "Train")
    [data] = call.put("artifact", {"type_id": data_type, "name": "data", "uri": "s3://data"})
    for number, version in enumerate(versions):
        step = call(
            "PutExecution",
            execution={"type_id": execution_type, "last_known_state": pb.Execution.COMPLETE},
            artifact_event_pairs=[
                {"artifact": {"id": data, "type_id": data_type, "name": "data", "uri": "s3://data"},
                 "event": event(pb.Event.INPUT, "examples", 0, time=1000 + number)},
                {"artifact": model(version, number),
                 "event": event(pb.Event.OUTPUT, "model/a~b", number, time=2000 + number)},
            ],
            contexts=[run(run_type, number)],
        )  # fmt: skip
        assert step.execution_id
    parent = call.contexts("pipeline")[0]
    call("PutParentContexts", parent_contexts=[{"child_id": 1, "parent_id": parent}])
    return call


def event(of, key, index, time):
    steps = [{"key": key}, {"index": index}]
    return {"type": of, "path": {"steps": steps}, "milliseconds_since_epoch": time}


def model(type_id, number):
    properties = {"MyProp": number, "note": LONG + "ab"[number], "quoted \"'": "y"}
    state = [pb.Artifact.ABANDONED, pb.Artifact.REFERENCE][number]
    name = ["uri", "back\\slash"][number]
    return {"type_id": type_id, "name": name, "state": state, "custom_properties": properties}


def run(type_id, number):
    properties = {"team": ["red", "blue"][number], "size": number}
    external = f"run-{number}"
    return {
        "type_id": type_id,
        "name": f"run{number}",
        "external_id": external,
        "custom_properties": properties,
    }


def matching(call, kind, query, method=None, **scope):
    answer = call(method or KINDS[kind], options={"filter_query": query}, **scope)
    return [node.id for node in getattr(answer, f"{kind}s")]


BEYOND = [
    ("artifact", 'contexts_a.custom_properties.team.string_value = "red"', [1, 2]),
    ("artifact", "contexts_a.custom_properties.size.int_value = 1", [1, 3]),
    ("artifact", 'contexts_a.external_id = "run-1"', [1, 3]),
    ("artifact", "contexts_a.type_id = 12 AND contexts_a.name = 'run0'", []),
    ("artifact", 'type = "Model"', [2, 3]),
    ("artifact", 'type = "Model" AND type_version = "v2"', [3]),
    ("artifact", 'type_version = ""', [1, 2]),
    ("execution", 'events_e.path = "/model~1a~0b/1"', [2]),
    ("execution", 'STARTS_WITH(events_e.path, "/examples/")', [1, 2]),
    ("execution", "events_e.type = INPUT AND events_e.artifact_id = 1", [1, 2]),
    ("execution", "events_e.type = 3 AND events_f.type = OUTPUT AND events_f.artifact_id = 3", [2]),
    ("execution", "COMPLETE = last_known_state", [1, 2]),
    ("execution", "last_known_state <> 3 OR last_known_state IN (COMPLETE, 4)", [1, 2]),
    ("execution", "events_e.milliseconds_since_epoch = TIMESTAMP('1970-01-01T00:00:02.001Z')", [2]),
    ("execution", "create_time_since_epoch < TIMESTAMP('2020-01-01')", []),
    ("execution", "create_time_since_epoch > TIMESTAMP('2020-01-01T00:00:00+02:00')", [1, 2]),
    ("artifact", "events_a.execution_id = 2 AND events_a.type = OUTPUT", [3]),
    ("artifact", 'STARTS_WITH(uri, "s3://")', [1]),
    ("artifact", 'ENDS_WITH(uri, "ata") AND CONTAINS(uri, "//")', [1]),
    ("artifact", 'CONTAINS(custom_properties.note.string_value, "xa")', [2]),
    ("artifact", "CHAR_LENGTH(name) = LENGTH('data')", [1]),
    ("context", 'artifacts_a.type_version = "v2"', [2]),
    ("context", "artifacts_a.state != ABANDONED AND artifacts_a.id > 1", [2]),
    ("context", 'executions_e.type = "Train" AND parent_contexts_p.name = "pipeline"', [1]),
    ("context", "child_contexts_c.custom_properties.team.string_value = 'red'", [3]),
    ("context", "parent_contexts_p.create_time_since_epoch > 0", [1]),
    ("context", "external_id IN ('run-0', 'run-9')", [1]),
]
REPAIRED = [
    ("artifact", "custom_properties.MyProp.int_value >= 0", [2, 3]),
    ("artifact", "custom_properties.myprop.int_value >= 0", []),
    ("artifact", "state = ABANDONED", [2]),
    ("artifact", "state IN (REFERENCE)", [3]),
    ("artifact", 'name = "uri"', [2]),
    ("artifact", r'name = "back\\slash" OR name = r"none\d"', [3]),
    ("artifact", r"name LIKE 'BACK\\%'", [3]),
    ("artifact", "custom_properties.`quoted \"'`.string_value = 'y'", [2, 3]),
    ("artifact", 'custom_properties.`x" OR 1=1 --`.int_value = 5', []),
    ("artifact", 'uri = "state = FOO" OR id = 3', [3]),
    ("artifact", "events_a.type = INPUT AND events_b.type = INPUT", [1]),
    ("artifact", f"custom_properties.note.string_value = '{LONG}b'", [3]),
    ("artifact", f"custom_properties.note.string_value != '{LONG}b'", [2]),
    ("artifact", f"custom_properties.note.string_value IN ('{LONG}', '{LONG}a')", [2]),
    ("artifact", f"custom_properties.note.string_value > '{LONG}a'", [3]),
    ("artifact", f"NOT custom_properties.note.string_value <= '{LONG}a'", [3]),
    ("artifact", f"custom_properties.note.string_value BETWEEN '{LONG}' AND '{LONG}az'", [2]),
    ("artifact", "contexts_a.id = 1 AND contexts_A.id = 2", [1]),
    ("artifact", "'naïve' IN ('NAÏVE', 'x') OR id = 2", [2]),
]


@pytest.mark.parametrize(("kind", "query", "ids"), BEYOND + REPAIRED)
def test_what_a_filter_finds(graph, kind, query, ids):
    assert matching(graph, kind, query) == ids


def test_a_filter_in_every_listing(graph):
    query = "custom_properties.MyProp.int_value = 1"
    by_type = {"type_name": "Model", "type_version": "v2"}
    assert matching(graph, "artifact", query, "GetArtifactsByType", **by_type) == [3]
    assert matching(graph, "artifact", query, "GetArtifactsByContext", context_id=2) == [3]
    assert matching(graph, "artifact", query, "GetArtifactsByContext", context_id=1) == []
    assert matching(graph, "execution", "id = 2", "GetExecutionsByType", type_name="Train") == [2]
    assert matching(graph, "execution", "id > 0", "GetExecutionsByContext", context_id=2) == [2]
    assert matching(graph, "context", "name != 'x'", "GetContextsByType", type_name="Run") == [1, 2]


def test_a_node_with_many_neighbours_is_found_once_and_pages_go_on(graph):
    options = {"filter_query": "contexts_a.id > 0 AND events_a.type > 0", "max_result_size": 2}
    first = graph("GetArtifacts", options=options)
    second = graph("GetArtifacts", options=options | {"next_page_token": first.next_page_token})
    assert [[node.id for node in page.artifacts] for page in (first, second)] == [[1, 2], [3]]


REFUSED = [
    ("nam = 'x'", "Unrecognized name: 'nam'; did you mean name? (line 1, column 1)"),
    ("id = 1 AND\n  uir = 'x'", "did you mean uri? (line 2, column 3)"),
    ("contexts_a.exernal_id = 'x'", "did you mean external_id?"),
    ("properties.p.intvalue = 1", "did you mean int_value?"),
    ("properties.p = 1", "properties.NAME.int_value|double_value|string_value|bool_value"),
    ("state = LIV", "did you mean LIVE?"),
    ("type = Model", "Unrecognized name: 'Model'; put text in quotes: 'Model' (line 1, column 8)"),
    ("Model != name", "Unrecognized name: 'Model'; put text in quotes: 'Model'"),
    ("name = uir", "did you mean uri?; put text in quotes: 'uir'"),
    ("type = system.Model", "put text in quotes: 'system.Model'"),
    ("name = my-model", "Unrecognized name: 'my'; put text in quotes (line"),
    ("type IN ('Data', Model)", "put text in quotes: 'Model'"),
    ("name LIKE model", "put text in quotes: 'model'"),
    ("STARTS_WITH(name, mod)", "put text in quotes: 'mod'"),
    ("LOWER(name) = mod", "put text in quotes: 'mod'"),
    ("contexts_a.type = Run", "put text in quotes: 'Run'"),
    ("custom_properties.team.string_value = red", "put text in quotes: 'red'"),
    ("id = five", "Unrecognized name: 'five'; expected one of id"),
    ("state = 'LIVE'", "write the names of its values without quotes"),
    ("LOWR(name) = 'x'", "Unrecognized function: LOWR; did you mean LOWER?"),
    ("id = 'x'", "INT64 can't be compared with STRING"),
    ("name", "the filter is STRING, but must be BOOL"),
    ("name = NULL", "write IS NULL or IS NOT NULL"),
    ("id =", "the end is not allowed here; expected a value (line 1, column 5)"),
    ("id = 1 name", "'name' is not allowed here; expected an operator, AND, OR, the end"),
    ("(id = 1", "the end is not allowed here; expected ')' (line 1, column 8)"),
    ("name = 'abc", "the quotation that begins here does not end (line 1, column 8)"),
    ("id = 1;", "';' is not allowed here"),
    ("SUBSTR(name) = 'x'", "SUBSTR takes 2 to 3 arguments, not 1"),
    ("create_time_since_epoch > TIMESTAMP('soon')", "such as '2026-01-31T00:00:00Z', not 'soon'"),
    ("CAST(id AS NUMBER) = 1", "a value can be cast to INT64, FLOAT64, STRING, BOOL"),
    ("id IN ('x')", "INT64 can't be compared with STRING"),
    ("artifacts_a.id = 1", "Unrecognized name"),
    (" ", "the end is not allowed here"),
]


@pytest.mark.parametrize(("query", "text"), REFUSED)
def test_a_faulty_filter_is_refused_with_place_and_advice(call, query, text):
    with call.refused(errors.InvalidArgument) as caught:
        call("GetArtifacts", options={"filter_query": query})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("NOT " * 101 + "TRUE", "more than 100 expressions within each other"),
        ("-(" * 101 + "id" + ")" * 101 + " = 1", "more than 100 expressions within each other"),
        (" OR ".join(["id = 1"] * 5_001), "more than 5000 values"),
        (f"id IN ({', '.join(['1'] * 100_001)})", "more than 100000 items in a list"),
        (" AND ".join(f"contexts_{i}.id > 0" for i in range(61)), "joins 62 tables; at most 61"),
        (f"name = '{'x' * 500_000}'", "at most 500000 are allowed"),
        (f"name LIKE '{'x' * 10_001}'", "a pattern has at most"),
    ],
)
def test_a_filter_that_asks_for_too_much_is_refused_at_once(call, query, text):
    call.put("artifact", {"type_id": call.type()})
    with call.refused(errors.InvalidArgument) as caught:
        call("GetArtifacts", options={"filter_query": query})
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        " OR ".join(f"id = {i}" for i in range(4_000)),
        "(" * 3_000 + "id = 1" + ")" * 3_000,
        f"id IN ({', '.join(str(i) for i in range(50_000))})",
        " AND ".join(f"contexts_{i}.id > 0" for i in range(30)),
        "+".join(["id"] * 90) + " = 90",
    ],
)
def test_long_filters_that_ml_metadata_can_not_run(call, query):
    artifact = call.put("artifact", {"type_id": call.type()})[0]
    context = call.contexts("c")[0]
    link = [{"artifact_id": artifact, "context_id": context}]
    call("PutAttributionsAndAssociations", attributions=link)
    assert matching(call, "artifact", query) == [artifact]


@pytest.mark.parametrize("character", ["\0", "\U0010ffff"])
@pytest.mark.parametrize("count", [1, 127, 128, 255, 256, 300])
def test_characters_that_take_two_where_there_is_no_nul(call, character, count):
    """PostgreSQL writes them as two: the indexed part of a text must fit all the same."""
    type_id = call.type()
    texts = [character * count, character * count + "b", "a" * 255, "a" * 254 + character]
    for text in texts:
        call.put("artifact", {"type_id": type_id, "custom_properties": {"v": text}})
    assert matching(call, "artifact", "custom_properties.v.string_value = '" + "a" * 255 + "'") == [
        3
    ]
    assert matching(call, "artifact", "custom_properties.v.string_value LIKE 'a%'") == [3, 4]
    if character != "\0":
        for place, text in enumerate(texts, start=1):
            assert matching(call, "artifact", f"custom_properties.v.string_value = '{text}'") == [
                place
            ]
