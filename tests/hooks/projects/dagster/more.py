"""Features beyond the churn pipeline: mapped and skipped steps, files, unhashable values."""

import os

import dagster as dg
from files import DATA


class Model:
    """Something that has no fingerprint, but can be pickled."""

    weights = (1, 2)


class Factor(dg.Config):
    factor: int
    token: str


@dg.op(out=dg.DynamicOut())
def numbers():
    for number in (1, 2, 3):
        yield dg.DynamicOutput(number, mapping_key=f"n{number}")


@dg.op
def double(number, config: Factor):
    return number * config.factor


@dg.op(out=dg.Out(metadata={"unit": "rows"}))
def total(context, several):
    context.add_output_metadata({"seconds": 0.5, "note": "none"})
    return sum(several)


@dg.op
def report(context, value):
    path = DATA / "report.txt"
    path.write_text(str(value))
    context.log_event(dg.AssetObservation("raw", metadata={"path": str(DATA / "raw.csv")}))
    context.log_event(
        dg.AssetMaterialization("published", metadata={"uri": "s3://models/churn", "rows": 3})
    )
    return path


@dg.op
def read(path):
    return Model() if path.read_text() else None


@dg.op
def use(model):
    assert model.weights


@dg.op(out={"some": dg.Out(is_required=False), "none": dg.Out(is_required=False)})
def choose():
    yield dg.Output(1, "some")


@dg.op
def never(value):
    raise AssertionError("it has nothing to read")


@dg.graph
def inner(value):
    return total(value)


CONFIG = {"ops": {"double": {"config": {"factor": 2, "token": {"env": "SECRET"}}}}}


@dg.job(config=CONFIG, tags={"team": "growth"})
def more():
    use(read(report(inner(numbers().map(double).collect()))))
    _, none = choose()
    never(none)


@dg.op
def exits():
    os._exit(3)


@dg.job
def lost():
    exits()


@dg.op
def unpicklable():
    return lambda: 1


@dg.op
def takes(function):
    assert function() == 1


@dg.job
def unhashable():
    takes(unpicklable())


defs = dg.Definitions(jobs=[more, lost, unhashable])

if __name__ == "__main__":
    unhashable.execute_in_process()
