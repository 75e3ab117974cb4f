"""The steps of the churn pipeline; copied beside the pipeline of each tool.

Plain functions on plain values: how they are loaded, saved and called is the tool's business.
Files in $CHURN_SIGNALS say which step is to go wrong:

- `fail-STEP`: the step fails, each time;
- `flaky-STEP`: it fails once, and takes the file away;
- `hold-STEP`: it makes `held-STEP` and waits until `hold-STEP` is gone.
"""

import os
import time
from pathlib import Path

RAW = "id,months,churned\n1,3,1\n2,40,0\n3,,0\n4,1,1\n5,60,0\n6,2,1\n"

CALLS = "calls"
"""The file in $CHURN_SIGNALS with a line for each step that really ran."""


def clean(raw, floor):
    """Return the rows of a CSV that have all their values, from `floor` months on."""
    signal("clean")
    rows = [line.split(",") for line in raw.splitlines()[1:]]
    complete_rows = [[int(value) for value in row] for row in rows if all(row)]
    return [row for row in complete_rows if row[1] >= floor]


def train(name, table, depth):
    """Return a model: below how many months a customer is taken to churn."""
    signal(f"train_{name}")
    months = sorted(row[1] for row in table if row[2])
    return {"name": name, "depth": depth, "threshold": months[min(depth, len(months)) - 1]}


def train_small(table, depth):
    return train("small", table, depth)


def train_large(table, depth):
    return train("large", table, depth)


def evaluate(table, small, large):
    """Return the accuracy of each model."""
    signal("evaluate")
    return {model["name"]: accuracy(table, model["threshold"]) for model in (small, large)}


def accuracy(table, threshold):
    right = sum((row[1] <= threshold) == bool(row[2]) for row in table)
    return right / len(table)


def signal(step):
    """Obey the signals about a step."""
    directory = Path(os.environ["CHURN_SIGNALS"])
    with (directory / CALLS).open("a") as calls:
        calls.write(f"{step}\n")
    flaky, hold = directory / f"flaky-{step}", directory / f"hold-{step}"
    if (directory / f"fail-{step}").exists():
        raise RuntimeError(f"no luck in {step}")
    if flaky.exists():
        flaky.unlink()
        raise RuntimeError(f"no luck in {step}, once")
    if hold.exists():
        (directory / f"held-{step}").touch()
    while hold.exists():
        time.sleep(0.02)
