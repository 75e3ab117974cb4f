"""The pipeline of the demo: each step is a function from files to files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lineage_store import Artifact, LineageStore, Run, Step
from lineage_store.fingerprints.code import code_digest

COLUMNS = ("age", "months", "calls", "spend", "churned")
"""The columns of the data: four features of a customer, and whether the customer left."""

STEPS_OF_NEWTON = 12
THRESHOLDS = 12

Numbers = NDArray[np.float64]


def ingest(data: Path, customers: int, seed: int) -> None:
    """Write the data as CSV: made-up customers, who leave if they call a lot and are new."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(customers, len(COLUMNS) - 1))
    urge = 1.4 * features[:, 2] - 1.1 * features[:, 1] + 0.5 * features[:, 0] * features[:, 3]
    churned = draw.random(customers) < 1 / (1 + np.exp(-urge))
    write_table(data, np.column_stack([features, churned]))


def write_table(path: Path, table: Numbers) -> None:
    """Write a table as CSV."""
    np.savetxt(path, table, fmt="%.6g", delimiter=",", header=",".join(COLUMNS), comments="")


def read_table(path: Path) -> tuple[Numbers, Numbers]:
    """Return the features and the last column of a table."""
    table = np.genfromtxt(path, delimiter=",", skip_header=1)
    return table[:, :-1], table[:, -1]


def validate(data: Path, report: Path, minimum_rows: int) -> None:
    """Refuse data with too few rows or with gaps; write a report."""
    features, churned = read_table(data)
    rows, gaps = len(churned), int(np.isnan(features).sum() + np.isnan(churned).sum())
    if rows < minimum_rows or gaps:
        raise ValueError(f"{rows} rows, {gaps} gaps")
    counts = {"rows": rows, "columns": len(COLUMNS), "gaps": gaps}
    report.write_text(json.dumps(counts | {"churned": round(float(churned.mean()), 3)}))


def split(data: Path, report: Path, train: Path, test: Path, test_share: float, seed: int) -> None:
    """Split the data into a training set and a test set."""
    if json.loads(report.read_text())["gaps"]:
        raise ValueError("the data is not valid")
    table = np.column_stack(read_table(data))
    np.random.default_rng(seed).shuffle(table)
    size = round(test_share * len(table))
    write_table(test, table[:size])
    write_table(train, table[size:])


def train_regression(train: Path, model: Path, strength: float) -> None:
    """Fit a logistic regression by Newton's method, with a penalty on large weights."""
    features, churned = read_table(train)
    inputs = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(inputs.shape[1])
    penalty = strength * np.eye(len(weights))
    for _ in range(STEPS_OF_NEWTON):
        guess = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (guess - churned) + penalty @ weights
        curvature = (inputs.T * (guess * (1 - guess))) @ inputs + penalty
        weights -= np.linalg.solve(curvature, slope)
    model.write_text(json.dumps({"weights": weights.tolist()}))


def train_forest(train: Path, model: Path, trees: int, depth: int, seed: int) -> None:
    """Fit decision trees, each to a random sample of the rows."""
    features, churned = read_table(train)
    draw = np.random.default_rng(seed)
    samples = [draw.integers(len(churned), size=len(churned)) for _ in range(trees)]
    forest = [grown_tree(features[rows], churned[rows], depth) for rows in samples]
    model.write_text(json.dumps({"trees": forest}))


def grown_tree(features: Numbers, churned: Numbers, depth: int) -> Any:
    """Return a tree: a share of churned customers, or [column, threshold, below, above]."""
    share = float(churned.mean())
    if not depth or share in {0, 1}:
        return share
    thresholds = np.quantile(features, np.linspace(0.05, 0.95, THRESHOLDS), axis=0)
    below = features[:, None, :] < thresholds
    counts = np.maximum(below.sum(0), 1), np.maximum((~below).sum(0), 1)
    gain = np.einsum("rtc,r->tc", below, churned) ** 2 / counts[0]
    gain += np.einsum("rtc,r->tc", ~below, churned) ** 2 / counts[1]
    at, column = np.unravel_index(int(gain.argmax()), gain.shape)
    left = below[:, at, column]
    if left.all() or not left.any():
        return share
    branches = [grown_tree(features[side], churned[side], depth - 1) for side in (left, ~left)]
    return [int(column), float(thresholds[at, column]), *branches]


def predict(model: Path, features: Numbers) -> Numbers:
    """Return the probability that each customer leaves."""
    fitted = json.loads(model.read_text())
    if "weights" in fitted:
        bias, *weights = fitted["weights"]
        return np.asarray(1 / (1 + np.exp(-(features @ weights + bias))))
    votes = [[leaf_of(tree, row) for row in features] for tree in fitted["trees"]]
    return np.asarray(np.mean(votes, axis=0))


def leaf_of(tree: Any, row: Numbers) -> float:
    """Return the share at the leaf of a tree that a customer belongs to."""
    while isinstance(tree, list):
        column, threshold, below, above = tree
        tree = below if row[column] < threshold else above
    return float(tree)


def evaluate(model: Path, test: Path, metrics: Path) -> dict[str, float]:
    """Score a model on the test set; write and return the scores.

    The area under the ROC curve comes from the ranks of the guesses (Mann and Whitney).
    """
    features, churned = read_table(test)
    guess = predict(model, features)
    ranks = guess.argsort().argsort() + 1
    positive = int(churned.sum())
    area = (ranks[churned == 1].sum() - positive * (positive + 1) / 2) / positive
    scores = {
        "accuracy": float(((guess > 0.5) == churned).mean()),
        "roc_auc": float(area / (len(churned) - positive)),
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
    with store.run("nightly", pipeline="churn") as run:
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
    made_up = {"customers": 2000, "seed": 3}
    data = perform("Ingest", ingest, outputs={"data": ("Dataset", "data.csv")}, params=made_up)
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
        "forest": (train_forest, {"trees": 40, "depth": depth, "seed": 7}),
    }
    return {
        name: perform(
            f"Train {name}",
            function,
            inputs={"train": train},
            outputs={"model": ("Model", f"{name}.model")},
            params=params,
        )["model"]
        for name, (function, params) in plans.items()
    }
