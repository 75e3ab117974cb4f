"""The churn pipeline with operators that skip unchanged tasks, and one of each kind that runs."""

import json
from pathlib import Path

import churn_steps
from airflow.sdk import Asset, ObjectStoragePath, dag, task

from lineage_store.integrations.airflow.operators import LineageCacheOperator

DATA = Path(__file__).parents[1] / "data"
RAW, SMALL, LARGE = (Asset(f"file://{DATA}/{n}") for n in ("raw.csv", "small.json", "large.json"))
REMOTE = Asset(name="remote", uri="s3://models/remote")
WORKS_ON = {"trigger_rule": "none_failed"}


@dag(schedule=None, default_args=WORKS_ON)
def cached():
    @task(inlets=[RAW])
    def clean(floor):
        return churn_steps.clean((DATA / "raw.csv").read_text(), floor)

    @task(outlets=[SMALL])
    def train_small(table, depth):
        model = churn_steps.train_small(table, depth)
        (DATA / "small.json").write_text(json.dumps(model))

    @task(outlets=[LARGE])
    def train_large(table, depth):
        model = churn_steps.train_large(table, depth)
        with ObjectStoragePath(f"file://{DATA}/large.json").open("w") as file:
            json.dump(model, file)

    @task(inlets=[SMALL, LARGE])
    def evaluate(table):
        small, large = (json.loads((DATA / f"{n}.json").read_text()) for n in ("small", "large"))
        return churn_steps.evaluate(table, small, large)

    @task
    def report(metrics, table):
        churn_steps.signal("report")
        assert metrics["large"] == 1.0
        assert table

    table = clean(floor=2)
    models = [train_small(table, depth=1), train_large(table, depth=2)]
    metrics = evaluate(table)
    LineageCacheOperator(task_id="is_clean_known") >> table
    table >> LineageCacheOperator(task_id="are_models_known") >> models
    models >> LineageCacheOperator(task_id="are_metrics_known") >> metrics
    models >> metrics
    report(metrics, table)


@task
def of_context(**context):
    return 1


@dag(schedule=None, default_args=WORKS_ON)
def never():
    @task
    def pair():
        return [1, 2]

    @task
    def of_the_run(run_id):
        return run_id

    @task
    def secret(password):
        return 1

    @task
    def nothing():
        pass

    @task
    def unnamed():
        with ObjectStoragePath(f"file://{DATA}/raw.csv").open() as file:
            return len(file.read())

    @task.bash
    def shell():
        return "echo 1"

    @task(outlets=[REMOTE])
    def remote():
        pass

    @task
    def each(x):
        return x

    gate = LineageCacheOperator(task_id="gate")
    several = pair()
    gate >> several
    gate >> each.expand(x=several)
    gate >> [of_the_run(), of_context(), secret("s3cret"), nothing(), unnamed(), shell(), remote()]


cached()
never()
