"""The pipeline of the demo: each step is a function from files to files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lineage_store import Artifact, LineageStore
from lineage_store.fingerprints.code import code_digest
from lineage_store.recording import Run, Step

TARGET = "target"


def ingest(data: Path) -> None:
    """Write the data set as CSV."""
    load_breast_cancer(as_frame=True).frame.to_csv(data, index=False)


def validate(data: Path, report: Path, minimum_rows: int) -> None:
    """Refuse data with too few rows or with gaps; write a report."""
    frame = pd.read_csv(data)
    gaps = int(frame.isna().sum().sum())
    if len(frame) < minimum_rows or gaps:
        raise ValueError(f"{len(frame)} rows, {gaps} gaps")
    balance = frame[TARGET].value_counts(normalize=True).round(3)
    counts = {"rows": len(frame), "columns": frame.shape[1], "gaps": gaps}
    report.write_text(json.dumps(counts | {"benign": balance[1], "malignant": balance[0]}))


def split(data: Path, report: Path, train: Path, test: Path, test_share: float, seed: int) -> None:
    """Split the data into a training set and a test set."""
    if json.loads(report.read_text())["gaps"]:
        raise ValueError("the data is not valid")
    frame = pd.read_csv(data)
    learn, judge = train_test_split(
        frame, test_size=test_share, random_state=seed, stratify=frame[TARGET]
    )
    learn.to_csv(train, index=False)
    judge.to_csv(test, index=False)


def train_regression(train: Path, model: Path, strength: float) -> None:
    """Fit a logistic regression on scaled features."""
    frame = pd.read_csv(train)
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    joblib.dump(fitted.fit(frame.drop(columns=TARGET), frame[TARGET]), model)


def train_forest(train: Path, model: Path, trees: int, depth: int, seed: int) -> None:
    """Fit a random forest."""
    frame = pd.read_csv(train)
    fitted = RandomForestClassifier(n_estimators=trees, max_depth=depth, random_state=seed)
    joblib.dump(fitted.fit(frame.drop(columns=TARGET), frame[TARGET]), model)


def evaluate(model: Path, test: Path, metrics: Path) -> dict[str, float]:
    """Score a model on the test set; write and return the scores."""
    frame, fitted = pd.read_csv(test), joblib.load(model)
    features, truth = frame.drop(columns=TARGET), frame[TARGET]
    scores = {
        "accuracy": float(accuracy_score(truth, fitted.predict(features))),
        "roc_auc": float(roc_auc_score(truth, fitted.predict_proba(features)[:, 1])),
    }
    metrics.write_text(json.dumps(scores))
    return scores


def choose(choice: Path, by: str, **metrics: Path) -> dict[str, Any]:
    """Write and return the name of the best model, and all scores."""
    scores = {name: json.loads(path.read_text())[by] for name, path in metrics.items()}
    best = {"best": max(scores, key=lambda name: scores[name]), "by": by, "scores": scores}
    choice.write_text(json.dumps(best))
    return best


@dataclass(frozen=True)
class Performer:
    """Runs functions from files to files as steps of a run, or reuses their files from the cache.

    Attributes:
        run: The run.
        home: The directory for new files.
        tell: Called with each step as soon as its decision is known.
    """

    run: Run
    home: Path
    tell: Callable[[Step], None]

    def __call__(
        self,
        name: str,
        function: Callable[..., dict[str, Any] | None],
        *,
        inputs: dict[str, Artifact] | None = None,
        outputs: dict[str, tuple[str, str]],
        params: dict[str, Any] | None = None,
    ) -> dict[str, Artifact]:
        """Run or skip a step; return its output artifacts by name.

        Args:
            name: The name of the step; its first word is the type of the execution.
            function: Called with the path of each input and output, and the parameters, by name.
            inputs: The input artifacts by name.
            outputs: The type and the file name of each output.
            params: The parameters by name.
        """
        code, kind = code_digest(function), name.partition(" ")[0]
        with self.run.step(
            name, type=kind, inputs=inputs, params=params, code=code, cache=True
        ) as step:
            self.tell(step)
            if step.hit is None:
                sources = {key: Path(str(item.uri)) for key, item in (inputs or {}).items()}
                targets = {key: self.home / file for key, (_, file) in outputs.items()}
                results = function(**sources, **targets, **(params or {}))
                for key, (type_name, _) in outputs.items():
                    step.output(key, targets[key], type=type_name)
                for result, value in (results or {}).items():
                    step.result(result, value)
        return {key: artifacts[0] for key, artifacts in step.outputs.items()}


def run_pipeline(
    store: LineageStore, directory: Path, tell: Callable[[Step], None], *, depth: int
) -> str:
    """Run the new steps of the pipeline, skip the others; return the id of the run."""
    with store.run("nightly", pipeline="breast-cancer") as run:
        home = directory / run.id
        home.mkdir()
        perform = Performer(run, home, tell)
        parts = prepare(perform)
        metrics = {
            name: perform(
                f"Evaluate {name}",
                evaluate,
                inputs={"model": model, "test": parts["test"]},
                outputs={"metrics": ("Metrics", f"{name}-metrics.json")},
            )["metrics"]
            for name, model in train_both(perform, parts["train"], depth).items()
        }
        chosen = {"choice": ("Report", "choice.json")}
        perform("Choose", choose, inputs=metrics, outputs=chosen, params={"by": "roc_auc"})
    return run.id


def prepare(perform: Performer) -> dict[str, Artifact]:
    """Run the steps up to the split; return the training set and the test set."""
    data = perform("Ingest", ingest, outputs={"data": ("Dataset", "data.csv")})
    report = {"report": ("Report", "validation.json")}
    floor = {"minimum_rows": 500}
    valid = perform("Validate", validate, inputs=data, outputs=report, params=floor)
    return perform(
        "Split",
        split,
        inputs=data | valid,
        outputs={"train": ("Dataset", "train.csv"), "test": ("Dataset", "test.csv")},
        params={"test_share": 0.25, "seed": 7},
    )


def train_both(perform: Performer, train: Artifact, depth: int) -> dict[str, Artifact]:
    """Train the two models; return both by name."""
    plans: dict[str, tuple[Any, dict[str, Any]]] = {
        "regression": (train_regression, {"strength": 0.5}),
        "forest": (train_forest, {"trees": 300, "depth": depth, "seed": 7}),
    }
    return {
        name: perform(
            f"Train {name}",
            function,
            inputs={"train": train},
            outputs={"model": ("Model", f"{name}.joblib")},
            params=params,
        )["model"]
        for name, (function, params) in plans.items()
    }
