"""The nodes that are affected if something upstream is bad."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from lineage_store.entities import Artifact, Execution
from lineage_store.entities.plain import printable
from lineage_store.lineage.exports import node_to_dict, verdict_to_dict
from lineage_store.lineage.identity import key_of
from lineage_store.lineage.labels import label
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Verdict, counted


@dataclass(frozen=True, kw_only=True)
class Impact:
    """Everything that was made from some nodes.

    Attributes:
        lineage: The walk downstream.
        models: The models among it, the nearest first.
        artifacts: The other artifacts, the nearest first.
        executions: The steps, the nearest first. Cached repeats of others are folded, unless asked
            for; `lineage.whole` has them.
    """

    lineage: Lineage
    models: tuple[Artifact, ...]
    artifacts: tuple[Artifact, ...]
    executions: tuple[Execution, ...]

    @property
    def verdict(self) -> Verdict:
        """True if nothing is missing."""
        return self.lineage.verdict

    @property
    def counts(self) -> dict[str, int]:
        """The number of artifacts of each type: models first, then the most frequent."""
        counted_types = [Counter(node.type or "?" for node in group) for group in self._groups]
        return {name: count for counter in counted_types for name, count in counter.most_common()}

    @property
    def _groups(self) -> tuple[tuple[Artifact, ...], ...]:
        return self.models, self.artifacts

    def to_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON; nodes are as in the JSON of a lineage."""
        return {
            "start": list(self.lineage.start),
            "counts": self.counts,
            "models": [node_to_dict(self.lineage, node) for node in self.models],
            "artifacts": [node_to_dict(self.lineage, node) for node in self.artifacts],
            "executions": [node_to_dict(self.lineage, node) for node in self.executions],
            "verdict": verdict_to_dict(self.verdict, self.lineage.repeat_count),
        }

    def to_text(self) -> str:
        """Return the counts and the list of artifacts, for people.

        The last line says so if this is not complete.
        """
        lines = list(self.lines())
        return "\n".join(lines if self.verdict.complete else [*lines, str(self.verdict)])

    def lines(self) -> Iterator[str]:
        """Yield the lines of the text, without the verdict."""
        return _lines(self)

    def __str__(self) -> str:
        return self.to_text()


def impact(lineage: Lineage, model_types: Collection[str] = ()) -> Impact:
    """Return the impact that a downstream lineage shows.

    Args:
        lineage: The walk downstream.
        model_types: The names of the types of models; a type whose name ends in "Model" is one
            anyway.
    """
    affected = [node for node in lineage.nodes if key_of(node) not in lineage.start]
    artifacts = [node for node in affected if isinstance(node, Artifact)]
    is_model = [_is_model(node, model_types) for node in artifacts]
    return Impact(
        lineage=lineage,
        models=tuple(node for node, model in zip(artifacts, is_model, strict=True) if model),
        artifacts=tuple(node for node, model in zip(artifacts, is_model, strict=True) if not model),
        executions=tuple(node for node in affected if isinstance(node, Execution)),
    )


def _is_model(node: Artifact, model_types: Collection[str]) -> bool:
    return node.type in model_types or (node.type or "").lower().endswith("model")


def _lines(impact: Impact) -> Iterator[str]:
    for start in impact.lineage.start:
        yield f"Made from {label(impact.lineage.node(start))}"
    types = ", ".join(f"{count:,} {printable(name)}" for name, count in impact.counts.items())
    steps = counted(len(impact.executions), "step")
    if impact.lineage.repeats:
        steps += f" (+{impact.lineage.repeat_count:,} cached)"
    yield f"Affected: {types or 'no artifact'}; {steps}"
    for heading, nodes in (("Models", impact.models), ("Other artifacts", impact.artifacts)):
        if nodes:
            yield heading
        for node in nodes:
            yield f"  {counted(impact.lineage.hop(node), 'hop')} away  {label(node)}"
