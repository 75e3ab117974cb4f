"""Questions of an audit on single records and on a whole store; see `test_audit`."""

from datetime import UTC, datetime, timedelta

import pytest

from lineage_store import Execution, errors
from lineage_store.audit.answer import Conclusion
from lineage_store.client.store import ClientStore
from tests.conformance.audited_store import COMMITS, AuditedStore, audited_store, lacking, rows
from tests.conformance.conftest import Call

FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def audited(call: Call) -> AuditedStore:
    return audited_store(ClientStore(call.transport))


def test_executed_or_cached(audited):
    answer = audited.store.audit.executed_or_cached(audited.key("churn/1"))
    assert rows(answer, "what", "by") == [("Train", "executed", "ada")]
    assert answer.conclusion is Conclusion.ANSWERED
    unmade = audited.store.audit.executed_or_cached(audited.key("live"))
    assert unmade.conclusion is Conclusion.UNKNOWN


def test_users_of_a_commit_an_image_and_a_library(audited):
    by_commit = audited.store.audit.used_by("commit", COMMITS["second"][:10])
    assert by_commit.conclusion is Conclusion.UNKNOWN  # the drift step names none
    assert "PipelineRun" in {label for label, *_ in rows(by_commit)}
    steps = [label for label, where in rows(by_commit, "where") if where.startswith("step")]
    assert sorted(steps) == ["Evaluate", "Evaluate", "Train", "Train"]
    by_image = audited.store.audit.used_by("image", "sha256:" + "ab" * 32)
    assert [label for label, *_ in rows(by_image)] == ["Train", "Train"]
    assert rows(audited.store.audit.used_by("library", "numpy==1.26.5")) == []
    numpy = audited.store.audit.used_by("library", "numpy==1.26.4")
    assert len([row for row in numpy.rows() if row["where"] == "run"]) == 5
    for kind, value in [("commit", "xyz"), ("commit", "abc"), ("library", "a b"), ("image", "12")]:
        with pytest.raises(errors.InvalidArgument, match=r"value: .* is no"):
            audited.store.audit.used_by(kind, value)


def test_everything_recorded_about_an_artifact_between_two_times(audited):
    start = datetime(2020, 1, 1, tzinfo=UTC)
    answer = audited.store.audit.between(audited.key("raw"), start, FAR)
    facts = {row["what"]: (row["before"], row["after"]) for row in answer.rows()}
    assert facts["version 2: state"][1] == '"DELETED"'
    assert facts["version 2: custom_properties.retracted"] == ("", '"consent withdrawn"')
    assert "payload missing by cleaner" in facts
    assert any(name.startswith("event OUTPUT of execution:") for name in facts)
    assert "member of Run prepare-1" in facts
    assert audited.store.audit.between(audited.key("raw"), FAR, FAR + timedelta(1)).findings == ()
    with pytest.raises(errors.InvalidArgument, match="must be later than"):
        audited.store.audit.between(audited.key("raw"), FAR, start)


def test_late_records(audited):
    late = audited.store.audit.late_records(later_than=86_400)
    assert {row["late by hours"] for row in late.rows()} == {"48.0"}
    assert len(late.findings) == 4
    assert audited.store.audit.late_records(later_than=3 * 86_400).findings == ()
    assert audited.store.audit.late_records(recorded_after=FAR).findings == ()


def test_things_learned_later(audited):
    report = audited.store.artifacts.get(audited.ids["drift of churn/2"])
    moment = audited.store.history.revision().recorded_at - timedelta(days=1)
    answer = audited.store.audit.learned_later(f"artifact:{report.id}", moment)
    assert len(answer.findings) == 4
    assert "knew 0 then and learned 4 later" in answer.statement
    later = audited.store.audit.learned_later(f"artifact:{report.id}", FAR)
    assert later.findings == ()


def test_gaps_of_the_store_and_of_a_lineage(audited):
    store = rows(audited.store.audit.gaps(), "gap")
    assert ("Dataset all", "no producer") in store
    assert ("Ingest", "no inputs") in store
    assert ("Dataset raw", "broken content") in store
    assert ("Classifier churn/2", "no digest") in store
    lineage = rows(audited.store.audit.gaps(audited.key("churn/1")), "gap")
    assert set(lineage) == {
        ("Classifier vendor/encoder", "no producer"),
        ("Ingest", "no inputs"),
        ("Dataset raw", "broken content"),
    }


def test_steps_whose_record_lacks_a_part_are_gaps_of_the_store(audited):
    running = Execution(type="Train", state="RUNNING")
    cut = Execution(
        type="Train", state="COMPLETE", custom_properties={"log.incomplete": "fig is no output"}
    )
    ids = audited.store.executions.put(running, cut)
    answer = audited.store.audit.gaps()
    details = {
        row["node"]: row["detail"] for row in answer.rows() if row["gap"] == "incomplete record"
    }
    assert "its state is RUNNING" in details[f"execution:{ids[0]}"]
    assert "fig is no output" in details[f"execution:{ids[1]}"]


def test_an_inventory_of_models(audited):
    answer = audited.store.audit.inventory()
    assert set(rows(answer, "stage", "owner", "next due")) == {
        ("Classifier churn/1", "archived", "", ""),
        ("Classifier churn/2", "production", "churn-team", "2026-11-01"),
        ("Classifier upsell/1", "", "", ""),
        ("Classifier vendor/encoder", "", "", ""),
    }
    staged = audited.store.audit.inventory(["production"])
    assert rows(staged) == [("Classifier churn/2",)]
    assert staged.conclusion is Conclusion.UNKNOWN
    assert ("Classifier upsell/1", "stage") in lacking(staged)


def test_monitoring_leads_back_to_the_data_that_it_compares_with(audited):
    answer = audited.store.audit.monitoring(audited.key("churn/2"))
    assert answer.conclusion is Conclusion.ANSWERED
    records = {row[0]: row[1:] for row in rows(answer, "values", "compared with")}
    assert records["DriftReport drift of churn/2"][0] == "psi=0.31"
    assert "live" in records["DriftReport drift of churn/2"][1]
    assert records["Metrics metrics of churn/2"][0] == "accuracy=0.88"
    none = audited.store.audit.monitoring(audited.key("raw"))
    assert none.conclusion is Conclusion.UNKNOWN


def test_counts_of_the_store_and_of_a_context(audited):
    counts = {
        (row["what"], row["type"]): row["count"] for row in audited.store.audit.counts().rows()
    }
    assert counts["artifact", "Classifier"] == "4"
    assert counts["execution", "Train"] == "3"
    assert counts["event", "OUTPUT"] == "14"
    run = audited.store.contexts.get("Run/train-1")
    within = audited.store.audit.counts(run)
    assert {(row["what"], row["type"]): row["count"] for row in within.rows()}[
        "execution", "Train"
    ] == "1"
    with pytest.raises(errors.NotFound, match="there is no context 999999"):
        audited.store.audit.counts(999_999)


def test_counts_as_of_a_revision(audited):
    with audited.store.at(audited.before_retraction) as then:
        counts = {(r["what"], r["type"]): r["count"] for r in then.audit.counts().rows()}
    assert counts["execution", "Train"] == "1"
