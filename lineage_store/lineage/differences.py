"""The answer of a comparison of two artifacts."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Self

from lineage_store.entities.plain import plain, printable
from lineage_store.entities.tables import html_table
from lineage_store.entities.values import optional
from lineage_store.lineage.aspects import Aspect
from lineage_store.lineage.identity import node_key, node_message
from lineage_store.lineage.verdict import Limit, Verdict, counted
from lineage_store.v1 import lineage_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value that differs.

    Attributes:
        aspect: What it is about.
        subject: The step or the artifact, as people know it: "Train", "Dataset train.csv".
        name: What of it: "parameters.depth", "digest", "present".
        left: The value on the left; None: there is none.
        right: The value on the right; None: there is none.
        left_node: The key of the node on the left, such as "execution:7", or None.
        right_node: The key of the node on the right, or None.
    """

    aspect: Aspect
    subject: str
    name: str
    left: str | None = None
    right: str | None = None
    left_node: str | None = None
    right_node: str | None = None

    def to_message(self) -> pb.CompareResponse.Difference:
        """Return the difference as a v1 message."""
        return pb.CompareResponse.Difference(
            aspect=str(self.aspect),
            subject=self.subject,
            name=self.name,
            left=self.left,
            right=self.right,
            left_node=None if self.left_node is None else node_message(self.left_node),
            right_node=None if self.right_node is None else node_message(self.right_node),
        )

    @classmethod
    def from_message(cls, message: Any) -> Self:
        """Return the difference that a v1 message holds."""
        return cls(
            aspect=Aspect(pb.CompareResponse.Aspect.Name(message.aspect)),
            subject=message.subject,
            name=message.name,
            left=optional(message, "left"),
            right=optional(message, "right"),
            left_node=node_key(message.left_node) if message.HasField("left_node") else None,
            right_node=node_key(message.right_node) if message.HasField("right_node") else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that differs between the upstream lineages of two artifacts, and how much does not.

    Attributes:
        left: The key of the artifact on the left, such as "artifact:12".
        right: The key of the artifact on the right.
        differences: In the order DATA, CODE, PARAMETERS, ENVIRONMENT, STEPS; the origin first.
        shared_artifacts: How many artifacts are upstream of both, or the same by digest, uri or
            name.
        shared_executions: How many executions are upstream of both, or correspond and do not
            differ in anything that is compared.
        left_verdict: Whether the lineage on the left is all there is.
        right_verdict: Whether the lineage on the right is.
    """

    left: str
    right: str
    differences: tuple[Difference, ...] = ()
    shared_artifacts: int = 0
    shared_executions: int = 0
    left_verdict: Verdict
    right_verdict: Verdict

    @property
    def complete(self) -> bool:
        """True if both lineages were compared whole."""
        return self.left_verdict.complete and self.right_verdict.complete

    def about(self, aspect: Aspect | str) -> list[Difference]:
        """Return the differences of one aspect, such as "DATA"."""
        return [difference for difference in self.differences if difference.aspect == aspect]

    def to_message(self) -> pb.CompareResponse:
        """Return the comparison as a CompareResponse."""
        message = pb.CompareResponse(
            shared_artifacts=self.shared_artifacts,
            shared_executions=self.shared_executions,
            left_verdict=self.left_verdict.to_message(),
            right_verdict=self.right_verdict.to_message(),
        )
        message.differences.extend(difference.to_message() for difference in self.differences)
        return message

    @classmethod
    def from_message(
        cls, message: Any, left: str, right: str, caller_limits: Collection[Limit]
    ) -> Self:
        """Return the comparison in a CompareResponse on two artifacts.

        Args:
            message: A CompareResponse.
            left: The key of the artifact on the left.
            right: The key of the artifact on the right.
            caller_limits: See `Verdict.from_message`.
        """
        return cls(
            left=left,
            right=right,
            differences=tuple(map(Difference.from_message, message.differences)),
            shared_artifacts=message.shared_artifacts,
            shared_executions=message.shared_executions,
            left_verdict=Verdict.from_message(message.left_verdict, caller_limits),
            right_verdict=Verdict.from_message(message.right_verdict, caller_limits),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison in terms of JSON: an object of the attributes."""
        fields: dict[str, Any] = plain(self)
        return fields | {"complete": self.complete}

    def to_text(self) -> str:
        """Return the differences for people, by aspect.

        The last lines say so if a lineage is not complete.
        """
        sides = {"left": self.left_verdict, "right": self.right_verdict}
        incomplete_sides = [
            f"{side}: {verdict}" for side, verdict in sides.items() if not verdict.complete
        ]
        return "\n".join([f"{self.left} and {self.right}", *self.lines(), *incomplete_sides])

    def lines(self) -> Iterator[str]:
        """Yield the lines of the text, without the names of the artifacts and the verdicts."""
        return _lines(self)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        heading, *lines = self.to_text().splitlines()
        if not self.differences:
            return f"<p>{escape(heading)}</p><p>{'<br>'.join(map(escape, lines))}</p>"
        remarks = [line for line in lines if line.startswith(("The same on", "left:", "right:"))]
        table = html_table(self.differences, "; ".join(remarks))
        return f"<p>{escape(heading)}</p>{table}"


def _lines(comparison: Comparison) -> Iterator[str]:
    for aspect in Aspect:
        lines = _grouped(comparison.about(aspect))
        yield f"{aspect}:" if lines else f"{aspect}: no difference"
        yield from lines
    artifacts = counted(comparison.shared_artifacts, "artifact")
    yield f"The same on both sides: {artifacts}, {counted(comparison.shared_executions, 'step')}"


def _grouped(differences: list[Difference]) -> list[str]:
    """Return a line for each difference; one that several steps share is named once."""
    subjects: dict[tuple[str, str], list[str]] = {}
    for difference in differences:
        subjects.setdefault((difference.name, _sides(difference)), []).append(difference.subject)
    return [
        f"  {', '.join(dict.fromkeys(who))}  {printable(name)}: {sides}"
        for (name, sides), who in subjects.items()
    ]


def _sides(difference: Difference) -> str:
    sides = [_shown(value) for value in (difference.left, difference.right)]
    if sides[0] == sides[1]:  # they differ only behind the cut
        sides = [printable(value or "") for value in (difference.left, difference.right)]
    return " → ".join(sides)


def _shown(value: str | None) -> str:
    if value is None:
        return "(none)"
    text = _LONG_HEX.sub(lambda digits: digits[0][:12], printable(value))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


_LONG_HEX = re.compile(r"\b[0-9a-f]{20,}\b")
_MAX_SHOWN = 120
