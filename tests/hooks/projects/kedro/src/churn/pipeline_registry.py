from churn_steps import clean, evaluate, train_large, train_small
from kedro.pipeline import Pipeline, node


def register_pipelines():
    return {
        "__default__": Pipeline(
            [
                node(clean, {"raw": "raw", "floor": "params:floor"}, "table", name="clean"),
                node(
                    train_small,
                    {"table": "table", "depth": "params:small_depth"},
                    "small",
                    name="train_small",
                ),
                node(
                    train_large,
                    {"table": "table", "depth": "params:large_depth"},
                    "large",
                    name="train_large",
                ),
                node(evaluate, ["table", "small", "large"], "metrics", name="evaluate"),
            ]
        )
    }
