"""Every hot filter finds its nodes through an index, never by looking at all of them."""

from contextlib import closing

import pytest
from sqlalchemy import select

import lineage_store
from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.database import Database
from lineage_store.database.queries.listing import PageQuery, list_statement
from lineage_store.database.statements import Statement
from lineage_store.filtering import compile_filter
from lineage_store.kinds import BY_NUMBER, KINDS
from lineage_store.limits import FilterLimits
from tests.statements import observed_statements

KIND = {kind.name: kind for kind in KINDS}
PROPERTY = "ix_execution_properties_{}_value (name=? AND is_custom=? AND {}_value{}?)"
BY_ID = "SEARCH executions USING INTEGER PRIMARY KEY (rowid=?)"
PLANS = [
    ("execution", "id = 5", BY_ID),
    ("execution", "id IN (5, 6)", BY_ID),
    ("execution", "id > 5", "SEARCH executions USING INTEGER PRIMARY KEY (rowid>?)"),
    ("execution", "type = 'Train'", "ix_executions_type (type_id=?)"),
    ("execution", "name = 'x'", "ix_executions_name (name=?)"),
    ("execution", "name IN ('x', 'y')", "ix_executions_name (name=?)"),
    ("execution", "external_id = 'x'", "(external_id=?)"),
    ("execution", "last_known_state = FAILED", "ix_executions_state (state=?)"),
    ("execution", "last_known_state IN (NEW, FAILED)", "ix_executions_state (state=?)"),
    ("execution", "create_time_since_epoch > 5", "ix_executions_create_time (create_time>?)"),
    (
        "execution",
        "last_update_time_since_epoch BETWEEN TIMESTAMP('2026-01-01') AND TIMESTAMP('2026-02-01')",
        "ix_executions_update_time (update_time>? AND update_time<?)",
    ),
    ("artifact", "uri = 'x'", "ix_artifacts_uri_hash (uri_hash=?)"),
    ("artifact", "uri IN ('x', 'y') AND state = LIVE", "ix_artifacts_uri_hash (uri_hash=?)"),
    ("artifact", "state = LIVE", "ix_artifacts_state (state=?)"),
    ("context", "name = 'x'", "ix_contexts_name (name=?)"),
    ("execution", "contexts_a.id = 5", "SEARCH e0 USING PRIMARY KEY (context_id=?)"),
    ("execution", "contexts_a.name = 'x'", "ix_contexts_name (name=?)"),
    ("execution", "events_a.artifact_id = 5", "(artifact_id=?)"),
    ("context", "executions_a.id = 5", "ix_associations_execution_id (execution_id=?)"),
    (
        "execution",
        "custom_properties.parent_dag_id.int_value = 5",
        PROPERTY.format("int", "int", "="),
    ),
    (
        "execution",
        "type = 'T' AND last_known_state = NEW AND custom_properties.parent_dag_id.int_value = 5",
        PROPERTY.format("int", "int", "="),
    ),
    ("execution", "properties.k.double_value > 0.5", PROPERTY.format("double", "double", ">")),
    ("execution", "properties.k.bool_value", PROPERTY.format("bool", "bool", "=")),
    ("execution", "properties.k.string_value = 'x'", PROPERTY.format("string", "string", "=")),
    (
        "execution",
        "properties.k.string_value IN ('x', 'y')",
        PROPERTY.format("string", "string", "="),
    ),
    (
        "execution",
        "properties.k.string_value = 'x' OR properties.k.string_value = 'y'",
        PROPERTY.format("string", "string", "="),
    ),
    ("execution", "properties.k.string_value LIKE 'x%'", PROPERTY.format("string", "string", ">")),
    (
        "artifact",
        "contexts_a.custom_properties.team.string_value = 'x'",
        "ix_context_properties_string_value (name=? AND is_custom=? AND string_value=?)",
    ),
]


@pytest.fixture(scope="module")
def database():
    with closing(Database("sqlite://")) as opened:
        yield opened


def plan_of(database, query):
    """Return the plan, with the table or alias of each step, in the order of the steps."""
    statement, values = list_statement(query, query.limit + 1)
    sql, arguments = statement.render(database._driver.dialect, values)
    explained = database._writer._raw.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)
    return [detail for *_, detail in explained]


@pytest.mark.parametrize(("kind", "text", "step"), PLANS)
def test_a_hot_filter_uses_an_index(database, kind, text, step):
    condition = compile_filter(KIND[kind], text)
    plan = plan_of(database, PageQuery(kind=KIND[kind], condition=condition, limit=20))
    assert step in "\n".join(plan), plan
    assert not [line for line in plan if line.startswith("SCAN") and "json_each" not in line], plan


def test_the_plan_of_a_filter_without_an_index_shows_a_scan(database):
    condition = compile_filter(KIND["execution"], "name LIKE 'x%'")
    plan = plan_of(database, PageQuery(kind=KIND["execution"], condition=condition, limit=20))
    assert plan == ["SCAN executions"]


def test_filters_that_differ_in_values_share_a_statement(database):
    queries = [
        PageQuery(kind=KIND["artifact"], condition=compile_filter(KIND["artifact"], text), limit=5)
        for text in ("name = 'x' AND id IN (1, 2)", "name = 'y' and id in (3)")
    ]
    statements = [list_statement(query, query.limit + 1)[0] for query in queries]
    assert statements[0] is statements[1]


def test_a_filtered_page_is_one_statement():
    with lineage_store.connect("sqlite://") as store:
        store.put_context_type(lineage_store.ContextType(name="C"))
        store.put_context(lineage_store.Context(type="C", name="c"))
        with observed_statements() as statements:
            assert len(store.list_contexts(where="name = 'c' AND type = 'C'")) == 1
    assert len(statements) == 1


def test_a_filter_that_takes_too_long_is_stopped_and_the_store_goes_on():
    """Each alias may be any of 40 contexts: 40 to the power of 8 combinations."""
    text = " + ".join(f"contexts_{i}.id" for i in range(8)) + " < 0"
    kind = BY_NUMBER[1]
    with closing(Database("sqlite://")) as database:
        writer = database._writer._raw
        writer.execute("INSERT INTO artifacts VALUES (1, 10, 'x', NULL, '', 0, 2, 0, 0, 1, 0, '')")
        writer.executemany("INSERT INTO attributions VALUES (?, 1, 0)", [[i] for i in range(40)])
        hostile = compile_filter(kind, text, FilterLimits(seconds=0.2))
        with pytest.raises(errors.DeadlineExceeded, match="took longer"):
            database.read(lambda snapshot: snapshot.page(PageQuery(kind=kind, condition=hostile)))
        harmless = compile_filter(kind, "id = 1")
        assert database.read(lambda snapshot: snapshot.matching_ids(kind, harmless)) == [1]


def test_what_sqlite_can_not_parse_is_refused_as_a_filter():
    kind = BY_NUMBER[1]
    condition = compile_filter(kind, "NOT " * 60 + "id = 1")
    with (
        closing(Database("sqlite://")) as database,
        pytest.raises(errors.InvalidArgument, match="nested more deeply than SQLite can read"),
    ):
        database.read(lambda snapshot: snapshot.matching_ids(kind, condition))


def test_time_runs_out_also_while_rows_are_read():
    """The first of 40 to the power of 8 rows comes at once."""
    edges = [tables.attributions.alias(f"a{i}") for i in range(8)]
    endless = Statement(select(edges[0].c.context_id).select_from(*edges))

    def job(snapshot):
        with snapshot.connection.within(0.1):
            return snapshot.connection.rows(endless)

    with closing(Database("sqlite://")) as database:
        writer = database._writer._raw
        writer.executemany("INSERT INTO attributions VALUES (?, 1, 0)", [[i] for i in range(40)])
        with pytest.raises(errors.DeadlineExceeded):
            database.read(job)
