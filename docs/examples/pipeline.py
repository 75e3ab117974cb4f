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


def evaluate(model: Path, test: Path, metrics: Path) -> dict[str, float]:
    """Judge a model by data that it has not seen; write and return its scores."""
    frame, fitted = pd.read_csv(test), joblib.load(model)
    features, truth = frame.drop(columns=TARGET), frame[TARGET]
    scores = {
        "accuracy": float(accuracy_score(truth, fitted.predict(features))),
        "roc_auc": float(roc_auc_score(truth, fitted.predict_proba(features)[:, 1])),
    }
    metrics.write_text(json.dumps(scores))
    return scores


def choose(choice: Path, by: str, **metrics: Path) -> dict[str, Any]:
    """Write and return the name of the best model, and the scores that made it so."""
    scores = {name: json.loads(path.read_text())[by] for name, path in metrics.items()}
    best = {"best": max(scores, key=lambda name: scores[name]), "by": by, "scores": scores}
    choice.write_text(json.dumps(best))
    return best


@dataclass(frozen=True)
class Performer:
    """Runs functions from files to files as steps of a run, or takes their files from the cache.

    Attributes:
        run: The run.
        home: Where files are written.
        tell: Called with each step as soon as it is decided whether it runs.
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
        """Return the artifacts that a step wrote, now or when it ran last, by their names.

        Args:
            name: What the step is called; the first word is the type of its execution.
            function: Called with the path of each input and output, and the parameters, by name.
            inputs: What it reads.
            outputs: The type and the file name of what it writes.
            params: What else it is given.
        """
        code, kind = code_digest(function), name.partition(" ")[0]
        with self.run.step(
            name, type=kind, inputs=inputs, params=params, code=code, cache=True
        ) as step:
            self.tell(step)
            if step.hit is None:
                read = {place: Path(str(found.uri)) for place, found in (inputs or {}).items()}
                written = {place: self.home / file for place, (_, file) in outputs.items()}
                results = function(**read, **written, **(params or {}))
                for place, (type_name, _) in outputs.items():
                    step.output(place, written[place], type=type_name)
                for result, value in (results or {}).items():
                    step.result(result, value)
        return {place: artifacts[0] for place, artifacts in step.outputs.items()}


def run_pipeline(
    store: LineageStore, directory: Path, tell: Callable[[Step], None], *, depth: int
) -> str:
    """Run the steps whose outcome is not known yet; return the id of the run."""
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
    """Run the steps up to the split; return its two parts."""
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
    """Train the two models; return them by name."""
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
