"""Tasks, each with one thing that is changed."""

import json
from functools import partial
from pathlib import Path
from statistics import mean as centre  # becomes: from statistics import median as centre

from prefect import flow, task
from shop import helpers
from shop.helpers import CONF, MOVING, SAME, Model, Plain, Shape, add, adder, clip, scale

OUT = Path("data/out")
WAYS = [lambda x: x + 1, lambda x: x * 2]  # becomes: WAYS = [lambda x: x + 1, lambda x: x * 5]
tripled = partial(add, k=3)  # becomes: tripled = partial(add, k=4)


@task
def helper_elsewhere(x):
    return scale(x)


@task
def constant_elsewhere(x):
    return x + helpers.FLOOR


@task
def config_object(x):
    return x + CONF.floor


@task
def partial_called(x):
    return tripled(x)


@task(name="decorator")
@clip(3)  # becomes: @clip(2)
def decorator(x):
    return x * 9


@task
def base_method(x):
    return Model().fit(x)


@task
def lambda_list(x):
    return [way(x) for way in WAYS]


@task
def import_target(x):
    return centre([x, x, x + 6])


@task
def import_within(x):
    from shop.late import late

    return late(x)


@task
def default(x, k=1):  # becomes: def default(x, k=2):
    return x + k


closure = task(name="closure")(adder(2))  # becomes: closure = task(name="closure")(adder(5))


@task
def inner(x):
    return x * 2  # becomes: return x * 7


@task
def task_calls_task(x):
    return inner(x)


@task
def task_calls_function(x):
    return inner.fn(x)


@task
def method_of_argument(shape):
    return shape.area()


@task
def method_in_list(shapes):
    return [shape.area() for shape in shapes]


@task
def make_shape(x):
    return Shape(x)


@task
def method_of_result(shape):
    return shape.area()


@task
def text_names_file(name):
    return Path(name).read_text()


@task
def texts_in_mapping(names):
    return [Path(name).read_text() for name in names["files"]]


@task
def path_given(path):
    return path.read_text()


@task
def paths_in_list(paths):
    return [path.read_text() for path in paths]


@task
def path_beside_value(given):
    return given[0].read_text() * given[1]


@task
def text_names_directory(name):
    return [path.read_text() for path in sorted(Path(name).iterdir())]


@task
def order_of_list(several):
    return several


@task
def order_of_dict(several):
    return ",".join(several)


@task
def order_of_results(several):
    return several


@task
def argument(x):
    return x


@task
def same_comment(x):
    return x + 1  # a comment  # becomes: return x + 1


@task
def same_unrelated(x):
    return add(x, 1)


@task
def same_object(x):
    return x + SAME.floor


@task
def same_touched(name):
    return Path(name).read_text()


@task
def same_touched_path(path):
    return path.read_text()


@task
def same_method(plain):
    return plain.area()


@task(retries=1)  # becomes: @task(retries=2)
def same_retries(x):
    return x


@task
def same_paths(paths):
    return [path.read_text() for path in paths]


@task
def never_fingerprint(x):
    return next(MOVING)


@flow
def outer():
    one, two = argument.with_options(name="one")(1), argument.with_options(name="two")(2)
    data, texts = Path("data"), ["data/in.txt", "data/touched.txt"]
    paths = [Path(text) for text in texts]
    kept = {
        **{each.name: each(3) for each in OF_A_NUMBER},
        "method_of_argument": method_of_argument(Shape(3)),
        "method_in_list": method_in_list([Shape(3), Shape(4)]),
        "method_of_result": method_of_result(make_shape(3)),
        "text_names_file": text_names_file("data/in.txt"),
        "texts_in_mapping": texts_in_mapping({"files": texts}),
        "path_given": path_given(data / "in.txt"),
        "paths_in_list": paths_in_list(paths),
        "path_beside_value": path_beside_value([data / "in.txt", 2]),
        "text_names_directory": text_names_directory("data/several"),
        "order_of_list": order_of_list([1, 2]),  # becomes: "order_of_list": order_of_list([2, 1]),
        "order_of_dict": order_of_dict({"a": 1, "b": 2}),
        # becomes: "order_of_dict": order_of_dict({"b": 2, "a": 1}),
        "order_of_results": order_of_results([one, two]),
        # becomes: "order_of_results": order_of_results([two, one]),
        "argument": argument(5),  # becomes: "argument": argument(6),
        "same_touched": same_touched("data/touched.txt"),
        "same_touched_path": same_touched_path(data / "touched.txt"),
        "same_paths": same_paths([data / "touched.txt", data / "touched.txt"]),
        "same_method": same_method(Plain(3)),
    }
    for name, value in kept.items():
        (OUT / f"{name}.json").write_text(json.dumps(value))


OF_A_NUMBER = [
    *(helper_elsewhere, constant_elsewhere, config_object, partial_called, decorator, base_method),
    *(lambda_list, import_target, import_within, default, closure, task_calls_task),
    *(task_calls_function, same_comment, same_unrelated, same_object, same_retries),
    never_fingerprint,
]

if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    outer()
