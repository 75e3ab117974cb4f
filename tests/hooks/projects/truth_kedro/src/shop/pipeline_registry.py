from functools import partial

from kedro.pipeline import Pipeline, node

from shop import nodes
from shop.nodes import Scaler, add

X = "params:x"


def on(function, inputs, name=None, outputs=None):
    """A node of the name of its function, whose output is a file of its name."""
    name = name or function.__name__
    return node(function, inputs, outputs or f"out.{name}", name=name)


CODE = [
    on(nodes.helper_elsewhere, X),
    on(nodes.constant_elsewhere, X),
    on(nodes.config_object, X),
    on(nodes.partial_called, X),
    on(nodes.decorator, X, "decorator"),
    on(nodes.base_method, X),
    on(nodes.lambda_list, X),
    on(nodes.import_target, X),
    on(nodes.import_within, X),
    on(nodes.default, X),
    on(nodes.closure, X, "closure"),
    on(partial(add, k=1), X, "partial_node"),  # becomes: on(partial(add, k=2), X, "partial_node"),
    on(Scaler(2).apply, X, "bound_method"),  # becomes: on(Scaler(3).apply, X, "bound_method"),
    on(nodes.never_fingerprint, X),
]

BINDING = [
    on(nodes.subtract, ["in.a", "in.b"], "list_swapped"),
    # becomes: on(nodes.subtract, ["in.b", "in.a"], "list_swapped"),
    on(
        nodes.subtract,
        {"p": "params:lo", "q": "params:hi"},  # becomes: {"p": "params:hi", "q": "params:lo"},
        "dict_swapped",
    ),
    on(
        nodes.outputs_swapped,
        X,
        outputs=["out.outputs_swapped.l", "out.outputs_swapped.r"],
        # becomes: outputs=["out.outputs_swapped.r", "out.outputs_swapped.l"],
    ),
    on(nodes.join, "params:ways", "order_of_dict"),
    on(nodes.echo, "parameters", "all_parameters"),
]

DATASETS = [
    on(nodes.echo, "typed", "dataset_type"),
    on(nodes.echo, "encoded", "load_arguments"),
    on(nodes.echo, "params:deep", "save_arguments", outputs="save_arguments"),
    on(nodes.echo, "shouted", "custom_load"),
    on(nodes.echo, X, "custom_save", outputs="custom_save"),
    on(nodes.echo, "cached", "cached_type"),
    on(nodes.parts, "parts", "partitions"),
    on(nodes.parts, "typed_parts", "partition_type"),
    on(nodes.make_shape, X, "make_shape", outputs="shape"),
    on(nodes.in_memory_class, "shape"),
    on(nodes.make_value, X, "make_value", outputs="value"),
    on(nodes.echo, "value", "behind_memory"),
    on(nodes.echo, "given", "memory_of_catalog"),
]

SAME = [
    on(nodes.same_comment, X),
    on(nodes.same_unrelated, X),
    on(nodes.same_object, X),
    on(nodes.echo, "in.a", "same_touched"),
    on(nodes.echo, "spoken", "same_custom"),
    on(nodes.make_plain, X, "make_plain", outputs="plain"),
    on(nodes.in_memory_class, "plain", "same_in_memory_class"),
    on(nodes.echo, "same_cached", "same_cached"),
    on(nodes.parts, "same_parts", "same_parts"),
    on(nodes.echo, "described", "same_metadata"),
    on(partial(add, k=1), X, "same_partial"),
    on(nodes.echo, "same_given", "same_memory_of_catalog"),
]


def register_pipelines():
    return {"__default__": Pipeline([*CODE, *BINDING, *DATASETS, *SAME])}
