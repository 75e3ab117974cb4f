"""Trains two models on the customers who left, and compares them: assets."""

import churn_steps
import dagster as dg
from files import DATA, resources


class CleanConfig(dg.Config):
    floor: int = 2


class SmallConfig(dg.Config):
    depth: int = 1


class LargeConfig(dg.Config):
    depth: int = 2


def output(name):
    return {name: dg.AssetOut(io_manager_key="files", metadata={"file": f"{name}.json"})}


raw = dg.AssetSpec("raw", metadata={"path": str(DATA / "raw.csv")}).with_io_manager_key("text")


@dg.multi_asset(outs=output("table"))
def clean(raw, config: CleanConfig):
    return churn_steps.clean(raw, config.floor)


@dg.multi_asset(outs=output("small"))
def train_small(table, config: SmallConfig):
    return churn_steps.train_small(table, config.depth)


@dg.multi_asset(outs=output("large"), retry_policy=dg.RetryPolicy(max_retries=1))
def train_large(table, config: LargeConfig):
    return churn_steps.train_large(table, config.depth)


@dg.multi_asset(outs=output("metrics"))
def evaluate(table, small, large):
    return churn_steps.evaluate(table, small, large)


defs = dg.Definitions(
    assets=[raw, clean, train_small, train_large, evaluate],
    jobs=[dg.define_asset_job("churn")],
    resources=resources,
)
