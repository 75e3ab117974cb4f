"""The questions of an audit on one realistic store, over every transport and database."""

from datetime import UTC, datetime

import pytest

from lineage_store import errors
from lineage_store.audit.answer import Conclusion
from lineage_store.client.store import ClientStore
from tests.conformance.audited_store import (
    COMMITS,
    AuditedStore,
    audited_store,
    dataset,
    lacking,
    model,
    rows,
)
from tests.conformance.conftest import Call

FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def audited(call: Call) -> AuditedStore:
    return audited_store(ClientStore(call.transport))


def test_origins_name_data_with_their_roles_and_steps_with_code_and_people(audited):
    answer = audited.store.audit.origins(audited.key("churn/1"))
    assert answer.conclusion is Conclusion.ANSWERED
    assert set(rows(answer, "what", "role", "started by")) == {
        ("Dataset raw", "made", "TRAINING", ""),
        ("Dataset customers/train", "made", "TRAINING", ""),
        ("Classifier vendor/encoder", "source", "BASE_MODEL", ""),
        ("Ingest", "COMPLETE", "", "ada"),
        ("Split", "COMPLETE", "", "ada"),
        ("Train", "COMPLETE", "", "ada"),
    }
    [train] = [row for row in answer.rows() if row["label"] == "Train"]
    assert train["code"] == COMMITS["first"]
    assert train["parameters"] == "depth=3"
    assert train["image"].startswith("registry.example/train@sha256:")
    assert lacking(answer) == {("Ingest", "inputs")}
    assert answer.revision is not None
    assert answer.revision.token == audited.store.history.revision().token
    assert set(answer.nodes) >= {audited.key("raw"), audited.key("churn/1")}


def test_origins_of_one_role(audited):
    answer = audited.store.audit.origins(audited.key("churn/1"), ["base_model"])
    assert [row[0] for row in rows(answer)][:1] == ["Classifier vendor/encoder"]
    with pytest.raises(errors.InvalidArgument, match="roles: each must be one of TRAINING"):
        audited.store.audit.origins(audited.key("churn/1"), ["bogus"])


def test_without_a_step_origins_are_unknown(audited):
    answer = audited.store.audit.origins(audited.key("live"))
    assert answer.conclusion is Conclusion.UNKNOWN
    assert lacking(answer) == {("Dataset live", "origin")}


def test_independence_is_proven_refuted_or_unknown(audited):
    audit = audited.store.audit
    assert audit.independence(audited.key("churn/1")).conclusion is Conclusion.YES
    leaky = audit.independence(audited.key("upsell/1"))
    assert leaky.conclusion is Conclusion.NO
    assert ("Dataset holdout", "test", audited.key("all")) in rows(leaky, "set", "same content as")


def test_independence_without_a_digest_is_unknown_and_names_the_data(audited):
    audited.put(dataset("unhashed"))
    answer = audited.store.audit.independence(audited.key("churn/1"), [audited.key("unhashed")])
    assert answer.conclusion is Conclusion.UNKNOWN
    assert lacking(answer) == {("Dataset unhashed", "digest")}


def test_independence_without_an_evaluation_is_unknown(audited):
    answer = audited.store.audit.independence(audited.key("vendor/encoder"))
    assert answer.conclusion is Conclusion.UNKNOWN
    assert {field for _, field in lacking(answer)} >= {"training data", "test data"}


@pytest.mark.parametrize(
    ("slot", "properties", "conclusion"),
    [
        ("features", {}, Conclusion.UNKNOWN),  # the features of training, read beside a test set
        ("scored", {}, Conclusion.UNKNOWN),
        ("x_test", {}, Conclusion.NO),
        ("train", {}, Conclusion.YES),  # a score on the training data is no test
    ],
)
def test_content_of_training_that_an_evaluation_reads(audited, slot, properties, conclusion):
    audited.put(dataset("again", "1", **properties))
    inputs = {"model": "churn/1", "test": "customers/test", slot: "again"}
    audited.record("Evaluate", ("train", "train-9"), inputs, {})
    answer = audited.store.audit.independence(audited.key("churn/1"))
    assert answer.conclusion is conclusion


def test_a_test_set_that_trained_the_model_refutes_independence(audited):
    audited.put(dataset("marked", "5", split="test"))
    outputs = {"model": model("odd/1")}
    audited.record("Train", ("train", "train-9"), {"train": "marked"}, outputs)
    answer = audited.store.audit.independence(audited.key("odd/1"))
    assert answer.conclusion is Conclusion.NO


def test_digests_of_unknown_algorithms_that_differ_prove_nothing(audited):
    audited.put(dataset("part", digest="etag-1"), dataset("other", digest="etag-2"), model("odd/2"))
    audited.record("Train", ("train", "t"), {"train": "part"}, {"model": model("odd/3")})
    audited.record("Evaluate", ("train", "t"), {"model": "odd/3", "test": "other"}, {})
    answer = audited.store.audit.independence(audited.key("odd/3"))
    assert answer.conclusion is Conclusion.UNKNOWN


def test_data_named_as_tests_that_trained_the_model_refute_independence(audited):
    tests = [audited.key("customers/train")]
    answer = audited.store.audit.independence(audited.key("churn/1"), tests)
    assert answer.conclusion is Conclusion.NO


def test_a_recall_lists_models_first_and_their_stages(audited):
    answer = audited.store.audit.recall(audited.key("raw"))
    listed = rows(answer, "what", "stage")
    assert listed[:2] == [
        ("Classifier churn/1", "model", "archived"),
        ("Endpoint churn-eu", "endpoint", "production"),
    ]
    assert answer.conclusion is Conclusion.ANSWERED
    deployed = audited.store.audit.recall(audited.key("raw"), ["production"])
    assert rows(deployed) == [("Endpoint churn-eu",)]


def test_a_recall_of_stages_is_unknown_if_a_model_has_none(audited):
    answer = audited.store.audit.recall(audited.key("all"), ["production"])
    assert answer.conclusion is Conclusion.UNKNOWN
    assert lacking(answer) == {("Classifier upsell/1", "stage")}


def test_a_recall_as_of_a_revision_has_the_stages_of_then(audited):
    later = audited.store.artifacts.get(audited.ids["churn/1"])
    before = audited.store.last_revision
    later.custom_properties["stage"] = "production"
    audited.store.artifacts.put(later)
    with audited.store.at(before) as then:
        answer = then.audit.recall(audited.key("raw"))
    assert ("Classifier churn/1", "archived") in rows(answer, "stage")
    assert answer.revision is not None
    assert answer.revision.token == before
    now = audited.store.audit.recall(audited.key("raw"))
    assert ("Classifier churn/1", "production") in rows(now, "stage")


def test_record_time_as_an_option_is_the_same_as_that_revision(audited):
    moment = audited.store.history.revision().recorded_at
    model = audited.store.artifacts.get(audited.ids["churn/1"])
    model.custom_properties["stage"] = "production"
    audited.store.artifacts.put(model)
    answer = audited.store.audit.recall(audited.key("raw"), recorded_as_of=moment)
    assert ("Classifier churn/1", "archived") in rows(answer, "stage")


def test_paths_and_their_absence(audited):
    paths = audited.store.audit.paths(audited.key("raw"), audited.key("churn/1"))
    assert paths.conclusion is Conclusion.YES
    assert [row["event"] for row in paths.rows()] == ["", "INPUT", "OUTPUT", "INPUT", "OUTPUT"]
    none = audited.store.audit.paths(audited.key("raw"), audited.key("churn/2"))
    assert none.conclusion is Conclusion.NO


def test_differences_have_data_parameters_and_properties_of_the_models(audited):
    answer = audited.store.audit.differences(audited.key("churn/1"), audited.key("churn/2"))
    aspects = {(row["aspect"], row["name"]) for row in answer.rows()}
    assert ("SUBJECT", "stage") in aspects
    assert ("PARAMETERS", "parameters.depth") in aspects
    assert "DATA" in {aspect for aspect, _ in aspects}


def test_a_rerun_is_refuted_by_data_that_are_gone(audited):
    answer = audited.store.audit.rerun_plan(audited.key("churn/1"))
    steps = [row["label"] for row in answer.rows() if row["what"] == "step"]
    assert steps == ["Ingest", "Split", "Train"]
    assert (
        answer.conclusion is Conclusion.UNKNOWN
    )  # raw is made by a step, whose inputs nobody named
    assert ("Classifier vendor/encoder", "payload") in lacking(answer)
    leaky = audited.store.audit
    audited.store.cache.report(by="cleaner", missing=[audited.ids["all"]])
    gone = leaky.rerun_plan(audited.key("upsell/1"))
    assert gone.conclusion is Conclusion.NO
    assert "Dataset all" in gone.statement


def test_a_rerun_is_proven_if_everything_was_seen(audited):
    digest = {audited.ids["all"]: "sha256:" + "9" * 64}
    audited.store.cache.report(by="verifier", verified=list(digest), digests=digest)
    assert audited.store.audit.rerun_plan(audited.key("upsell/1")).conclusion is Conclusion.YES
    changed = {audited.ids["all"]: "sha256:" + "8" * 64}
    audited.store.cache.report(by="verifier", verified=list(changed), digests=changed)
    answer = audited.store.audit.rerun_plan(audited.key("upsell/1"))
    assert answer.conclusion is Conclusion.NO


def test_third_parties_and_licences(audited):
    answer = audited.store.audit.third_party(audited.key("churn/1"))
    assert set(rows(answer, "supplier", "licence")) == {
        ("Dataset raw", "ACME", "CC-BY-4.0"),
        ("Classifier vendor/encoder", "Encoders Inc", ""),
    }
    assert answer.conclusion is Conclusion.UNKNOWN
    assert lacking(answer) == {("Classifier vendor/encoder", "licence")}


def test_labels_are_inherited(audited):
    answer = audited.store.audit.labels(audited.key("churn/1"))
    assert set(rows(answer, "name", "value")) == {
        ("Dataset raw", "labels", "personal"),
        ("Dataset raw", "purpose", "churn"),
    }
    personal = audited.store.audit.labels(audited.key("churn/1"), ["personal"])
    assert personal.conclusion is Conclusion.YES
    second = audited.store.audit.labels(audited.key("churn/2"), ["personal"])
    assert second.conclusion is Conclusion.NO
    unknown = audited.store.audit.labels(audited.key("upsell/1"), ["personal"])
    assert unknown.conclusion is Conclusion.UNKNOWN
    assert lacking(unknown) == {("Dataset all", "label")}


@pytest.mark.parametrize(
    ("method", "fields", "message"),
    [
        ("Origins", {}, "artifact_id must be set"),
        ("Origins", {"artifact_id": 1, "as_of": {}}, "as_of must have a bound"),
        ("Origins", {"artifact_id": 1, "budget": {"max_nodes": 0}}, "max_nodes must be at least"),
        ("Recall", {"artifact_id": 1, "stages": [""]}, "stages must not contain an empty"),
        ("Paths", {"source_artifact_id": 1}, "target_artifact_id must be set"),
        ("ExecutedOrCached", {}, "execution_id or artifact_id must be set"),
        ("UsedBy", {"value": "abcdefa"}, "kind must be COMMIT, IMAGE or LIBRARY"),
        ("Between", {"artifact_id": 1, "after_microseconds": 1}, "until_microseconds must be set"),
        ("LateRecords", {"later_than_milliseconds": -1}, "must not be negative"),
        ("LearnedLater", {"artifact_id": 1}, "moment_microseconds must be set"),
    ],
)
def test_requests_that_are_refused(audited, call, method, fields, message):
    with pytest.raises(errors.InvalidArgument, match=message):
        call(method, **fields)


@pytest.mark.parametrize(
    ("method", "fields"),
    [(name, {"artifact_id": 10**9}) for name in (
        "Origins", "Independence", "Recall", "RerunPlan", "ThirdParty", "Labels", "Monitoring",
        "ExecutedOrCached", "Gaps",
    )] + [("LearnedLater", {"artifact_id": 10**9, "moment_microseconds": 1}),
          ("Between", {"artifact_id": 10**9, "after_microseconds": 1, "until_microseconds": 2}),
          ("Paths", {"source_artifact_id": 10**9, "target_artifact_id": 1}),
          ("Differences", {"left_artifact_id": 10**9, "right_artifact_id": 1})],
)  # fmt: skip
def test_unknown_artifacts_are_not_found(audited, call, method, fields):
    with pytest.raises(errors.NotFound, match="there is no artifact 1000000000"):
        call(method, **fields)


def test_a_budget_that_ends_the_walk_makes_the_answer_unknown(audited):
    answer = audited.store.audit.labels(audited.key("churn/2"), ["personal"], max_nodes=2)
    assert answer.conclusion is Conclusion.UNKNOWN
    assert answer.verdict is not None
    assert not answer.verdict.complete
