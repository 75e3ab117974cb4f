"""A store for audits: three pipelines, two models, a retraction, a re-training and a late record.

```
ingest → raw → split → customers/train ─┬→ train ─→ churn/1 → deploy → endpoint
                     → customers/test  ─┼─────────→ evaluate → metrics/1
vendor/encoder ─────────────────────────┘
raw is retracted; ingest again → raw2 → split → train2, test2 → train → churn/2 → evaluate
all.csv ─→ train ─→ upsell/1 ─→ evaluate on the same content
churn/2 with train2 and live.csv → drift report, recorded two days late
```
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
)
from lineage_store.audit.answer import Audit
from lineage_store.client.store import ClientStore
from lineage_store.entities import ArtifactState

COMMITS = {"first": "3f2a9c1d7e5b" + "0" * 28, "second": "b81d6604aa12" + "0" * 28}
IMAGE = "registry.example/train@sha256:" + "ab" * 32
LATE = timedelta(days=2)

_STEPS = ("PipelineRun", "Ingest", "Split", "Train", "Evaluate", "Deploy", "Drift")
_KINDS = ("Dataset", "Metrics", "Endpoint", "DriftReport")


@dataclass
class AuditedStore:
    """The store, and the ids of its artifacts by name.

    Attributes:
        store: The store.
        ids: The ids of artifacts, such as "churn/1".
        before_retraction: The token of the revision before the first data were retracted.
    """

    store: ClientStore
    ids: dict[str, int]
    before_retraction: str = ""

    def key(self, name: str) -> str:
        """Return the key of an artifact, such as "artifact:7"."""
        return f"artifact:{self.ids[name]}"

    def record(
        self,
        step: str,
        run: tuple[str, str],
        inputs: dict[str, str],
        outputs: dict[str, Artifact],
        **fields: object,
    ) -> int:
        """Record a step of a run, with artifacts by their names; return its id."""
        recorded = self.store.record_execution(
            Execution(type=step, state="COMPLETE", **fields),
            inputs={slot: Artifact(id=self.ids[name]) for slot, name in inputs.items()},
            outputs=outputs,
            contexts=[Context(type="Pipeline", name=run[0]), Context(type="Run", name=run[1])],
        )
        names = [artifact.name for artifact in outputs.values()]
        self.ids |= dict(zip(names, recorded.output_ids, strict=True))
        return recorded.execution_id

    def begin(self, run: tuple[str, str], commit: str, user: str) -> None:
        """Record the run itself, which names its code and who started it."""
        facts = {
            "git_commit": COMMITS[commit],
            "user": user,
            "python_version": "3.11.9",
            "packages": {"numpy": "1.26.4", "scikit-learn": "1.5.0"},
        }
        self.record("PipelineRun", run, {}, {}, custom_properties=facts)

    def put(self, *artifacts: Artifact) -> None:
        """Put artifacts that no step of the store makes."""
        ids = self.store.artifacts.put(*artifacts)
        self.ids |= dict(zip((artifact.name for artifact in artifacts), ids, strict=True))


def dataset(name: str, content: str | None = None, **properties: object) -> Artifact:
    """Return a data set; its digest is made of one letter."""
    digest = {} if content is None else {"digest": "sha256:" + content * 64}
    return Artifact(
        type="Dataset", name=name, uri=f"s3://data/{name}", custom_properties=digest | properties
    )


def model(name: str, **properties: object) -> Artifact:
    """Return a model."""
    return Artifact(type="Classifier", name=name, custom_properties=properties)


def audited_store(store: ClientStore) -> AuditedStore:
    """Fill a store that is empty."""
    store.put_artifact_type(ArtifactType(name="Classifier", base_type="mlmd.Model"))
    for name in _KINDS:
        store.put_artifact_type(ArtifactType(name=name))
    for name in _STEPS:
        store.put_execution_type(ExecutionType(name=name))
    for name in ("Pipeline", "Run"):
        store.put_context_type(ContextType(name=name))
    audited = AuditedStore(store, {})
    _first_model(audited)
    audited.before_retraction = store.last_revision
    _retraction(audited)
    _second_model(audited)
    _leaky_model(audited)
    _drift(audited)
    return audited


def _data(audited: AuditedStore, run: str, raw: Artifact, parts: dict[str, Artifact]) -> None:
    prepare = ("prepare", run)
    audited.begin(prepare, "first", "ada")
    audited.record("Ingest", prepare, {}, {"table": raw})
    audited.record("Split", prepare, {"table": raw.name or ""}, parts)


def _first_model(audited: AuditedStore) -> None:
    labels = {"labels": "personal", "purpose": "churn", "supplier": "ACME", "license": "CC-BY-4.0"}
    parts = {"train": dataset("customers/train", "1"), "test": dataset("customers/test", "2")}
    _data(audited, "prepare-1", dataset("raw", "a", **labels), parts)
    audited.put(
        Artifact(
            type="Classifier",
            name="vendor/encoder",
            custom_properties={"supplier": "Encoders Inc", "digest": "sha256:" + "e" * 64},
        )
    )
    train = ("train", "train-1")
    audited.begin(train, "first", "ada")
    audited.record(
        "Train",
        train,
        {"train": "customers/train", "base_model": "vendor/encoder"},
        {"model": model("churn/1", stage="archived", digest="sha256:" + "c" * 64)},
        custom_properties={"parameters": {"depth": 3}, "image": IMAGE},
    )
    _evaluate(audited, train, "churn/1", "customers/test", 0.81)
    audited.record(
        "Deploy",
        ("serve", "serve-1"),
        {"model": "churn/1"},
        {
            "endpoint": Artifact(
                type="Endpoint", name="churn-eu", custom_properties={"stage": "production"}
            )
        },
    )


def _evaluate(
    audited: AuditedStore, run: tuple[str, str], name: str, test: str, score: float
) -> None:
    metrics = Artifact(
        type="Metrics", name=f"metrics of {name}", custom_properties={"accuracy": score}
    )
    audited.record("Evaluate", run, {"model": name, "test": test}, {"metrics": metrics})


def _retraction(audited: AuditedStore) -> None:
    raw = audited.store.artifacts.get(audited.ids["raw"])
    retracted = raw.custom_properties | {"retracted": "consent withdrawn"}
    gone = replace(raw, state=ArtifactState.DELETED, custom_properties=retracted)
    audited.store.artifacts.put(gone)
    audited.store.cache.report(by="cleaner", missing=[audited.ids["raw"]])


def _second_model(audited: AuditedStore) -> None:
    labels = {"labels": "none", "supplier": "ACME", "license": "CC-BY-4.0"}
    parts = {"train": dataset("customers/train2", "3"), "test": dataset("customers/test2", "4")}
    _data(audited, "prepare-2", dataset("raw2", "b", **labels), parts)
    train = ("train", "train-2")
    audited.begin(train, "second", "grace")
    review = {"owner": "churn-team", "risk_tier": "high", "last_validation": "2026-05-01"}
    audited.record(
        "Train",
        train,
        {"train": "customers/train2"},
        {"model": model("churn/2", stage="production", next_validation="2026-11-01", **review)},
        custom_properties={"parameters": {"depth": 5}, "image": IMAGE},
    )
    _evaluate(audited, train, "churn/2", "customers/test2", 0.88)
    audited.store.cache.report(by="verifier", verified=[audited.ids["raw2"]],
                               digests={audited.ids["raw2"]: "sha256:" + "b" * 64})  # fmt: skip


def _leaky_model(audited: AuditedStore) -> None:
    audited.put(dataset("all", "9"), dataset("holdout", "9"))
    train = ("train", "train-3")
    audited.begin(train, "second", "grace")
    audited.record("Train", train, {"train": "all"}, {"model": model("upsell/1")})
    _evaluate(audited, train, "upsell/1", "holdout", 0.99)


def _drift(audited: AuditedStore) -> None:
    """Record a step whose events happened two days before the store learned of them."""
    audited.put(dataset("live", "7"), Artifact(type="DriftReport", name="drift of churn/2",
                                               custom_properties={"psi": 0.31}))  # fmt: skip
    [step] = audited.store.executions.put(Execution(type="Drift", state="COMPLETE"))
    report = audited.store.artifacts.get(audited.ids["drift of churn/2"])
    assert report.create_time is not None
    happened = report.create_time - round(LATE.total_seconds() * 1000)
    flows = [("churn/2", "INPUT", "model"), ("customers/train2", "INPUT", "reference"),
             ("live", "INPUT", "current"), ("drift of churn/2", "OUTPUT", "report")]  # fmt: skip
    audited.store.put_events([
        Event(type=EventType(kind), artifact_id=audited.ids[name], execution_id=step,
              path=(slot, 0), time=happened)
        for name, kind, slot in flows
    ])  # fmt: skip


def rows(audit: Audit, *columns: str) -> list[tuple[str, ...]]:
    """Return the labels of findings with some of their values."""
    return [(row["label"], *(row[name] for name in columns)) for row in audit.rows()]


def lacking(audit: Audit) -> set[tuple[str, str]]:
    """Return what is missing, by label and field."""
    return {(lack.label, lack.field) for lack in audit.absences}
