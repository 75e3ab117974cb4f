"""Nodes, each with one thing that is changed."""

from functools import partial
from statistics import mean as centre  # becomes: from statistics import median as centre

from shop import helpers
from shop.helpers import CONF, MOVING, SAME, Model, Plain, Shape, add, adder, clip, scale

WAYS = [lambda x: x + 1, lambda x: x * 2]  # becomes: WAYS = [lambda x: x + 1, lambda x: x * 5]
tripled = partial(add, k=3)  # becomes: tripled = partial(add, k=4)


def helper_elsewhere(x):
    return scale(x)


def constant_elsewhere(x):
    return x + helpers.FLOOR


def config_object(x):
    return x + CONF.floor


def partial_called(x):
    return tripled(x)


@clip(3)  # becomes: @clip(2)
def decorator(x):
    return x * 9


def base_method(x):
    return Model().fit(x)


def lambda_list(x):
    return [way(x) for way in WAYS]


def import_target(x):
    return centre([x, x, x + 6])


def import_within(x):
    from shop.late import late

    return late(x)


def default(x, k=1):  # becomes: def default(x, k=2):
    return x + k


closure = adder(2)  # becomes: closure = adder(5)


class Scaler:
    def __init__(self, k):
        self.k = k

    def apply(self, x):
        return x * self.k


def make_shape(x):
    return Shape(x)


def in_memory_class(shape):
    return shape.area()


def make_plain(x):
    return Plain(x)


def make_value(x):
    return x + 10  # becomes: return x + 20


def echo(x):
    return x


def outputs_swapped(x):
    return x, x + 1


def subtract(p, q):
    return p - q


def join(x):
    return ",".join(x)


def parts(several):
    return {name: several[name]() for name in sorted(several)}


def same_comment(x):
    return x + 1  # a comment  # becomes: return x + 1


def same_unrelated(x):
    return add(x, 1)


def same_object(x):
    return x + SAME.floor


def never_fingerprint(x):
    return next(MOVING)
