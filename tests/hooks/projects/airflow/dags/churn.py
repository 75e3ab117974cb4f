"""Trains two models on the customers who left, and compares them."""

import json
from datetime import timedelta
from pathlib import Path

import churn_steps
from airflow.sdk import Asset, ObjectStoragePath, dag, task

DATA = Path(__file__).parents[1] / "data"
SMALL, LARGE = (Asset(f"file://{DATA}/{name}.json") for name in ("small", "large"))


@dag(schedule=None)
def churn():
    @task
    def clean(floor):
        with ObjectStoragePath(f"file://{DATA}/raw.csv").open() as raw:
            return churn_steps.clean(raw.read(), floor)

    @task(outlets=[SMALL])
    def train_small(table, depth):
        model = churn_steps.train_small(table, depth)
        (DATA / "small.json").write_text(json.dumps(model))

    @task(outlets=[LARGE], retries=1, retry_delay=timedelta(0))
    def train_large(table, depth):
        model = churn_steps.train_large(table, depth)
        with ObjectStoragePath(f"file://{DATA}/large.json").open("w") as file:
            json.dump(model, file)

    @task(inlets=[SMALL, LARGE])
    def evaluate(table):
        small, large = (json.loads((DATA / f"{n}.json").read_text()) for n in ("small", "large"))
        return churn_steps.evaluate(table, small, large)

    table = clean(floor=2)
    [train_small(table, depth=1), train_large(table, depth=2)] >> evaluate(table)


churn()
