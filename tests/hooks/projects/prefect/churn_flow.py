"""Trains two models on the customers who left, and compares them."""

import json
import sys
from pathlib import Path

import churn_steps
from prefect import flow, task
from prefect.task_runners import ProcessPoolTaskRunner, ThreadPoolTaskRunner

DATA = Path(__file__).parent / "data"


def saved(name, model):
    path = DATA / f"{name}.json"
    path.write_text(json.dumps(model))
    return path


@task
def clean(raw, floor):
    return churn_steps.clean(raw.read_text(), floor)


@task
def train_small(table, depth):
    return saved("small", churn_steps.train_small(table, depth))


@task(retries=1)
def train_large(table, depth):
    return saved("large", churn_steps.train_large(table, depth))


@task
def evaluate(table, small, large):
    models = (json.loads(path.read_text()) for path in (small, large))
    return churn_steps.evaluate(table, *models)


@flow
def churn():
    table = clean.submit(DATA / "raw.csv", floor=2)
    small = train_small.submit(table, depth=1)
    large = train_large.submit(table, depth=2)
    evaluate.submit(table, small, large).result()


if __name__ == "__main__":
    runner = ProcessPoolTaskRunner if sys.argv[1:] == ["processes"] else ThreadPoolTaskRunner
    churn.with_options(task_runner=runner(max_workers=2))()
