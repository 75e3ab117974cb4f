"""Pipelines of other shapes: loops, pipelines in pipelines, parameters, the cache of kfp.

python shapes.py PIPELINE
"""

import sys

from kfp import dsl, local
from kfp.dsl import Collected, Dataset, Input, Metrics, Model, Output


@dsl.component(install_kfp_package=False)
def generate(rows: int, table: Output[Dataset]) -> int:
    with open(table.path, "w") as file:
        file.write("x\n" * rows)
    table.metadata["rows"] = rows
    return rows * 2


@dsl.component(install_kfp_package=False)
def train(table: Input[Dataset], rate: float, size: int, model: Output[Model]) -> float:
    with open(model.path, "w") as file:
        file.write(f"{open(table.path).read()} {rate} {size}")
    return rate


@dsl.component(install_kfp_package=False)
def choose(models: Input[list[Model]], best: Output[Model], report: Output[Metrics]) -> str:
    with open(best.path, "w") as file:
        file.write(max(open(model.path).read() for model in models))
    report.log_metric("tried", len(models))
    return "chosen"


@dsl.component(install_kfp_package=False)
def refuse(word: str):
    if word:
        raise ValueError(f"{word} is refused")


@dsl.pipeline(name="inner")
def inner(rows: int) -> Dataset:
    return generate(rows=rows).outputs["table"]


@dsl.pipeline(name="loops")
def loops(rows: int = 3):
    generated = generate(rows=rows)
    with dsl.ParallelFor([0.1, 0.2, 0.3]) as rate:
        trained = train(table=generated.outputs["table"], rate=rate, size=1)
    choose(models=Collected(trained.outputs["model"]))
    with dsl.If(generated.outputs["Output"] > 1000):
        refuse(word="never")


@dsl.pipeline(name="passing")
def passing():
    generated = generate(rows=3)
    train(table=generated.outputs["table"], rate=0.5, size=generated.outputs["Output"])
    with dsl.If(generated.outputs["Output"] > 1):
        train(table=generated.outputs["table"], rate=0.5, size=generated.outputs["Output"])


@dsl.pipeline(name="nested")
def nested():
    one, other = inner(rows=1), inner(rows=2)
    train(table=one.output, rate=0.5, size=1)
    train(table=other.output, rate=0.5, size=2)


@dsl.pipeline(name="failing")
def failing():
    refuse(word="xyzzy")


def twice():
    nested()
    nested()


def alone():
    generate(rows=4)


if __name__ == "__main__":
    which = sys.argv[1]
    local.init(runner=local.SubprocessRunner(use_venv=False), enable_caching=which == "twice")
    globals()[which]()
