"""Assets that Dagster stores, that store themselves, that are checked, that have partitions."""

import dagster as dg
from files import DATA, resources

days = dg.StaticPartitionsDefinition(["mon", "tue"])


@dg.asset(code_version="7")
def stored():
    return {"rows": 3}


@dg.asset(deps=[stored])
def own():
    (DATA / "own.txt").write_text("mine")
    path = dg.MetadataValue.path(str(DATA / "own.txt"))
    return dg.MaterializeResult(metadata={"path": path, "rows": 3})


@dg.asset(deps=[own])
def told() -> None:
    pass


@dg.asset(deps=[told], ins={"stored": dg.AssetIn()})
def last(stored):
    return stored["rows"]


@dg.asset_check(asset=stored)
def is_full(stored):
    return dg.AssetCheckResult(passed=bool(stored))


@dg.asset(partitions_def=days)
def daily(context):
    return context.partition_key


@dg.asset(partitions_def=days, deps=[daily])
def noted() -> None:
    pass


@dg.asset(ins={"daily": dg.AssetIn()}, deps=[noted])
def weekly(daily):
    return sorted(daily.values())


defs = dg.Definitions(
    assets=[stored, own, told, last, daily, noted, weekly],
    asset_checks=[is_full],
    resources=resources,
)

if __name__ == "__main__":
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([stored, own, told, last], instance=instance)
