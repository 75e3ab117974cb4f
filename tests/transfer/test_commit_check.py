"""Commits and rows that something other than the store has changed."""

import pytest

from lineage_store.database.checks.checking import check
from tests.transfer.stores import BACKENDS, execute, fill, new_store


@pytest.fixture(params=BACKENDS)
def url(request, tmp_path):
    with new_store(request.param, tmp_path) as store_url:
        fill(store_url, 5)
        yield store_url


def findings(url, **options):
    return {
        (one.kind, one.table, *one.key.values(), one.message)
        for one in check(url, **options).findings.kept_findings
    }


MISSING = "no commit has this fact"

FORGERIES = [  # SQL, and the kind and key of the facts that are found to be gone, and to be new
    ("DELETE FROM events WHERE id = 3", [("event", (3, 3, 3, 3))], []),
    (
        "UPDATE events SET recorded_at = recorded_at + 1 WHERE id = 2",
        None,
        [("event", (2, 2, 2, 4))],
    ),
    ("DELETE FROM attributions WHERE artifact_id = 4", [("attribution", (1, 4))], []),
    ("INSERT INTO associations VALUES (1, 1, 5)", [], [("association", (1, 1))]),
    ("DELETE FROM node_versions WHERE revision = 1", [("artifact", (1, 1))], []),
    ("DELETE FROM type_versions", [("type", (11, 1))], []),
    ("DELETE FROM artifact_report_versions", None, []),
    ("UPDATE cache_entries SET invalidated_at = NULL", [("invalidation", (2,))], []),
    ("DELETE FROM cache_hits", None, []),
    ("DELETE FROM parent_contexts", [("parent", (2, 1))], []),
]


@pytest.mark.parametrize(("statement", "gone", "new"), FORGERIES, ids=lambda value: str(value)[:40])
def test_a_forged_row_is_found(url, statement, gone, new):
    execute(url, statement)
    commits = [one for one in check(url).findings.kept_findings if one.kind == "commit"]
    without_commit = {(one.table, one.key["key"]) for one in commits if one.message == MISSING}
    without_row = {(one.table, one.key["key"]) for one in commits if one.message != MISSING}
    assert without_commit == set(new)
    if gone is None:
        assert without_row
    else:
        assert without_row == set(gone)


def test_a_commit_that_is_gone_leaves_a_hole_and_facts_without_one(url):
    execute(url, "DELETE FROM commits WHERE seq = 7")
    messages = {one.message for one in check(url).findings.kept_findings if one.kind == "commit"}
    assert MISSING in messages
    assert "seq is 8 and follows 6: commits between are missing" in messages


def test_facts_that_can_not_be_read(url):
    execute(url, "UPDATE commits SET facts = ? WHERE seq = 3", b"\xff\xff")
    assert any(
        one.message == "the facts of a commit can't be read"
        for one in check(url).findings.kept_findings
    )


def test_repair_leaves_a_node_alone_whose_versions_do_not_add_up(url):
    execute(url, "UPDATE artifacts SET uri = 'forged' WHERE id IN (1, 2)")
    execute(url, "DELETE FROM node_versions WHERE revision = 2")
    message = "it has revision 3, and 1 of the 2 before are there"
    assert ("version", "artifacts", 1, message) in findings(url, repair=True)
    columns = {(one[1], one[2]) for one in findings(url) if one[0] == "column"}
    assert columns == {("artifacts", 1)}
