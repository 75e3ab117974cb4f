import os

from kfp import dsl, local
from kfp.dsl import Dataset, Input, Metrics, Model, Output


@dsl.component(install_kfp_package=False)
def clean(raw: Input[Dataset], floor: int, table: Output[Dataset]):
    import json
    import os

    import churn_steps

    table.path = os.path.abspath("data/table.json")
    with open(raw.path) as source, open(table.path, "w") as target:
        json.dump(churn_steps.clean(source.read(), floor), target)


@dsl.component(install_kfp_package=False)
def train_small(table: Input[Dataset], depth: int, small: Output[Model]):
    import json
    import os

    import churn_steps

    small.path = os.path.abspath("data/small.json")
    with open(table.path) as source, open(small.path, "w") as target:
        json.dump(churn_steps.train_small(json.load(source), depth), target)


@dsl.component(install_kfp_package=False)
def train_large(table: Input[Dataset], large: Output[Model], depth: int = 2):
    import json
    import os

    import churn_steps

    large.path = os.path.abspath("data/large.json")
    large.metadata["depth"] = depth
    with open(table.path) as source, open(large.path, "w") as target:
        json.dump(churn_steps.train_large(json.load(source), depth), target)


@dsl.component(install_kfp_package=False)
def evaluate(
    table: Input[Dataset], small: Input[Model], large: Input[Model], metrics: Output[Metrics]
):
    import json
    import os

    import churn_steps

    read = [json.load(open(one.path)) for one in (table, small, large)]
    metrics.path = os.path.abspath("data/metrics.json")
    scores = churn_steps.evaluate(*read)
    for name, accuracy in scores.items():
        metrics.log_metric(name, accuracy)
    with open(metrics.path, "w") as target:
        json.dump(scores, target)


@dsl.pipeline(name="churn")
def churn(floor: int = 2, depth: int = 1):
    raw = dsl.importer(
        artifact_uri=os.path.abspath("data/raw.csv"), artifact_class=Dataset, reimport=False
    )
    table = clean(raw=raw.output, floor=floor)
    small = train_small(table=table.output, depth=depth)
    large = train_large(table=table.output).set_retry(num_retries=1, backoff_duration="0s")
    evaluate(table=table.output, small=small.output, large=large.output)


if __name__ == "__main__":
    local.init(runner=local.SubprocessRunner(use_venv=False))
    churn()
