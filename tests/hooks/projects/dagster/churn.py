"""Trains two models on the customers who left, and compares them: a job of ops."""

import churn_steps
import dagster as dg
from files import DATA, resources

raw = dg.SourceAsset("raw", io_manager_key="text", metadata={"path": str(DATA / "raw.csv")})


def output(name):
    return dg.Out(io_manager_key="files", metadata={"file": f"{name}.json"})


class CleanConfig(dg.Config):
    floor: int = 2


class SmallConfig(dg.Config):
    depth: int = 1


class LargeConfig(dg.Config):
    depth: int = 2


@dg.op(out=output("table"))
def clean(raw, config: CleanConfig):
    return churn_steps.clean(raw, config.floor)


@dg.op(out=output("small"))
def train_small(table, config: SmallConfig):
    return churn_steps.train_small(table, config.depth)


@dg.op(out=output("large"), retry_policy=dg.RetryPolicy(max_retries=1))
def train_large(table, config: LargeConfig):
    return churn_steps.train_large(table, config.depth)


@dg.op(out=output("metrics"))
def evaluate(table, small, large):
    return churn_steps.evaluate(table, small, large)


@dg.job
def churn():
    table = clean(raw)
    evaluate(table, train_small(table), train_large(table))


defs = dg.Definitions(jobs=[churn], resources=resources)
