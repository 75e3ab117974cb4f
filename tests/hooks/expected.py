"""The churn pipeline, whoever runs it: the one description that all hooks are held to."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One step of the pipeline.

    Attributes:
        inputs: Its inputs, in words that all tools share; a tool tells its own names for them.
        outputs: Its outputs.
        params: Its other arguments.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]
    params: dict[str, object] = field(default_factory=dict)


def _of(inputs: str, outputs: str, **params: object) -> Step:
    return Step(frozenset(inputs.split()), frozenset(outputs.split()), params)


CHURN = {
    "clean": _of("raw", "table", floor=2),
    "train_small": _of("table", "small", depth=1),
    "train_large": _of("table", "large", depth=2),
    "evaluate": _of("table small large", "metrics"),
}
"""The steps by name."""

LINEAGE = {
    *((thing, name) for name, step in CHURN.items() for thing in step.inputs),
    *((name, thing) for name, step in CHURN.items() for thing in step.outputs),
}
"""What is read by which step, and written by which: the whole lineage of `metrics`."""

ACCURACY = {"small": 0.75, "large": 1.0}
"""What `evaluate` returns."""
