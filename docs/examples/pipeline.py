"""The pipeline of the demo: each step is a function from files to files."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from recorder import Recorder
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lineage_store import Artifact, LineageStore

PIPELINE = "breast-cancer"
TARGET = "target"


def ingest(data: Path) -> None:
    """Write the data set as CSV."""
    load_breast_cancer(as_frame=True).frame.to_csv(data, index=False)


def validate(data: Path, report: Path, minimum_rows: int) -> None:
    """Refuse data that is short or has gaps; write what was found."""
    frame = pd.read_csv(data)
    gaps = int(frame.isna().sum().sum())
    if len(frame) < minimum_rows or gaps:
        raise ValueError(f"{len(frame)} rows, {gaps} gaps")
    balance = frame[TARGET].value_counts(normalize=True).round(3)
    found = {"rows": len(frame), "columns": frame.shape[1], "gaps": gaps}
    report.write_text(json.dumps(found | {"benign": balance[1], "malignant": balance[0]}))


def split(data: Path, report: Path, train: Path, test: Path, test_share: float, seed: int) -> None:
    """Split the data into a part to learn from and a part to judge by."""
    if json.loads(report.read_text())["gaps"]:
        raise ValueError("the data was not valid")
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


def evaluate(model: Path, test: Path, metrics: Path) -> None:
    """Judge a model by data that it has not seen."""
    frame, fitted = pd.read_csv(test), joblib.load(model)
    features, truth = frame.drop(columns=TARGET), frame[TARGET]
    scores = {
        "accuracy": float(accuracy_score(truth, fitted.predict(features))),
        "roc_auc": float(roc_auc_score(truth, fitted.predict_proba(features)[:, 1])),
    }
    metrics.write_text(json.dumps(scores))


def choose(choice: Path, by: str, **metrics: Path) -> None:
    """Write the name of the best model, and the scores that made it so."""
    scores = {name: json.loads(path.read_text())[by] for name, path in metrics.items()}
    best = max(scores, key=lambda name: scores[name])
    choice.write_text(json.dumps({"best": best, "by": by, "scores": scores}))


def run_pipeline(store: LineageStore, directory: Path) -> str:
    """Run every step, its files in a directory of the run's own; return the name of the run."""
    run = datetime.now(UTC).strftime("run-%Y%m%d-%H%M%S-%f")
    recorder, home = Recorder(store, PIPELINE, run), directory / run
    home.mkdir()
    parts = prepare(recorder, home)
    models = train_both(recorder, home, parts["train"])
    metrics = {
        name: recorder.step(
            "Evaluate",
            evaluate,
            inputs={"model": model, "test": parts["test"]},
            outputs={"metrics": ("Metrics", home / f"{name}-metrics.json")},
        )["metrics"]
        for name, model in models.items()
    }
    chosen = {"choice": ("Report", home / "choice.json")}
    recorder.step("Choose", choose, inputs=metrics, outputs=chosen, parameters={"by": "roc_auc"})
    return run


def prepare(recorder: Recorder, home: Path) -> dict[str, Artifact]:
    """Run the steps up to the split; return its two parts."""
    data = {"data": ("Dataset", home / "data.csv")}
    ingested = recorder.step("Ingest", ingest, inputs={}, outputs=data)
    report = {"report": ("Report", home / "validation.json")}
    floor = {"minimum_rows": 500}
    valid = recorder.step("Validate", validate, inputs=ingested, outputs=report, parameters=floor)
    return recorder.step(
        "Split",
        split,
        inputs=ingested | valid,
        outputs={"train": ("Dataset", home / "train.csv"), "test": ("Dataset", home / "test.csv")},
        parameters={"test_share": 0.25, "seed": 7},
    )


def train_both(recorder: Recorder, home: Path, train: Artifact) -> dict[str, Artifact]:
    """Train the two models; return them by name."""
    plans: dict[str, tuple[Any, dict[str, Any]]] = {
        "regression": (train_regression, {"strength": 0.5}),
        "forest": (train_forest, {"trees": 60, "depth": 6, "seed": 7}),
    }
    return {
        name: recorder.step(
            "Train",
            function,
            inputs={"train": train},
            outputs={"model": ("Model", home / f"{name}.joblib")},
            parameters=parameters,
        )["model"]
        for name, (function, parameters) in plans.items()
    }
