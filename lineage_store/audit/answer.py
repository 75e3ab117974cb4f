"""The answer to a question of an audit; all questions have this form."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Any, Self

from lineage_store.entities.plain import plain, printable
from lineage_store.entities.tables import html_table, rows_frame
from lineage_store.entities.versions import Revision, moment
from lineage_store.lineage.identity import GraphNode, key_of
from lineage_store.lineage.labels import title
from lineage_store.lineage.verdict import Limit, Verdict, counted
from lineage_store.v1 import audit_pb2 as pb

if TYPE_CHECKING:
    from pandas import DataFrame


class Conclusion(StrEnum):
    """The conclusion of an answer.

    ANSWERED: the findings are all there is. YES and NO: proven and refuted, for a question that
    asks whether something holds. UNKNOWN: the store lacks something that the answer needs.
    """

    ANSWERED = "ANSWERED"
    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of an answer.

    Attributes:
        node: The key of the node that it is about, such as "artifact:12"; None: of no node.
        label: One line on the node for people.
        values: A text for each column of the answer; empty where there is none.
    """

    node: str | None
    label: str
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, node: GraphNode, *values: object) -> Self:
        """Return the finding about a node; a value that is None is empty."""
        texts = ("" if value is None else printable(str(value)) for value in values)
        return cls(key_of(node), title(node), tuple(texts))


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that the store lacks.

    Attributes:
        node: The key of the node that lacks it; None: the store does.
        label: One line on the node for people.
        field: The thing that is missing: "digest", "licence", "role".
        reason: Why it matters, and what to record.
    """

    node: str | None
    label: str
    field: str
    reason: str

    @classmethod
    def of(cls, node: GraphNode, field: str, reason: str) -> Self:
        """Return what a node lacks."""
        return cls(key_of(node), title(node), field, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The answer to a question of an audit.

    Attributes:
        question: Its name: "origins".
        conclusion: Answered, proven, refuted, or unknown.
        statement: The conclusion in a sentence.
        columns: The names of the values of findings.
        findings: The rows.
        absences: Everything that the store lacks for a better answer.
        verdict: Of the walks; None: there was none.
        revision: The state of the store that was read; None: not said.
        nodes: The keys of the nodes that the answer rests on.
    """

    question: str
    conclusion: Conclusion
    statement: str
    columns: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    absences: tuple[Missing, ...] = ()
    verdict: Verdict | None = None
    revision: Revision | None = None
    nodes: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """True if nothing is missing and every walk was complete."""
        return self.conclusion is not Conclusion.UNKNOWN

    def rows(self) -> list[dict[str, str]]:
        """Return the findings by the names of their columns."""
        return [
            {"node": finding.node or "", "label": finding.label}
            | dict(zip(self.columns, finding.values, strict=True))
            for finding in self.findings
        ]

    def with_revision(self, revision: Revision) -> Self:
        """Return the same answer with the state that was read."""
        return replace(self, revision=revision)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer in terms of JSON: an object of the attributes."""
        fields: dict[str, Any] = plain(self)
        return fields | {"findings": self.rows()}

    def to_pandas(self) -> "DataFrame":
        """Return the findings as a pandas.DataFrame.

        Raises:
            FailedPrecondition: pandas is not installed.
        """
        return rows_frame(self.rows(), ("node", "label", *self.columns))

    def lines(self, most: int) -> Iterator[str]:
        """Yield the answer as lines for people.

        Args:
            most: The most findings, and the most missing facts of one kind, to show.
        """
        yield str(self)
        if self.findings:
            yield ""
            yield from _table(self, most)
        if self.absences:
            yield ""
            yield from _lacks(self.absences, most)
        yield ""
        if self.verdict is not None:
            yield f"walk: {self.verdict}"
        if self.revision is not None:
            recorded_at = self.revision.recorded_at.isoformat(timespec="milliseconds")
            yield f"read at: {self.revision.token} ({recorded_at})"

    def __str__(self) -> str:
        return f"{self.conclusion}: {self.statement}"

    def _repr_html_(self) -> str:
        table = html_table(self.rows(), "") if self.findings else ""
        items = "".join(
            f"<li>{escape(' '.join(filter(None, (lack.node, lack.field))))}: "
            f"{escape(lack.reason)}</li>"
            for lack in self.absences
        )
        absent = f"<p>Not recorded:</p><ul>{items}</ul>" if items else ""
        return f"<p><b>{escape(str(self))}</b></p>{table}{absent}"

    def to_message(self) -> pb.Audit:
        """Return the answer as a v1 message, without its revision."""
        message = pb.Audit(
            question=self.question,
            conclusion=str(self.conclusion),
            statement=self.statement,
            columns=self.columns,
            verdict=None if self.verdict is None else self.verdict.to_message(),
        )
        for finding in self.findings:
            message.findings.add(node=finding.node, label=finding.label, values=finding.values)
        for lack in self.absences:
            message.absences.add(
                node=lack.node, label=lack.label, field=lack.field, reason=lack.reason
            )
        for node in self.nodes:
            kind, _, digits = node.partition(":")
            getattr(message, f"{kind}_ids").append(int(digits))
        return message

    @classmethod
    def from_message(
        cls, message: pb.Audit, caller_limits: Collection[Limit] = frozenset(Limit)
    ) -> Self:
        """Return the answer that a v1 message holds; see `Verdict.from_message`."""
        has_verdict = message.HasField("verdict")
        return cls(
            question=message.question,
            conclusion=Conclusion(pb.Audit.Conclusion.Name(message.conclusion)),
            statement=message.statement,
            columns=tuple(message.columns),
            findings=tuple(
                Finding(row.node or None, row.label, tuple(row.values)) for row in message.findings
            ),
            absences=tuple(
                Missing(lack.node or None, lack.label, lack.field, lack.reason)
                for lack in message.absences
            ),
            verdict=Verdict.from_message(message.verdict, caller_limits) if has_verdict else None,
            revision=_revision(message),
            nodes=(
                *_keys("artifact", message.artifact_ids),
                *_keys("execution", message.execution_ids),
                *_keys("context", message.context_ids),
            ),
        )


def _keys(kind: str, ids: Iterable[int]) -> list[str]:
    return [f"{kind}:{node_id}" for node_id in ids]


def _revision(message: pb.Audit) -> Revision | None:
    if not message.HasField("revision"):
        return None
    revision = message.revision
    return Revision(revision.token, moment(revision.recorded_at_microseconds), revision.number)


def _table(audit: Audit, most: int) -> Iterator[str]:
    """Yield the findings as an aligned table; columns that are empty throughout are left out."""
    rows = [("NODE", "LABEL", *(name.upper() for name in audit.columns))]
    rows += [(row.node or "", row.label, *row.values) for row in audit.findings[:most]]
    cells = [[_cut(text) for text in row] for row in rows]
    columns = [column for column in zip(*cells, strict=True) if any(column[1:])]
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        yield "  ".join(map(str.ljust, line, widths)).rstrip()
    if len(audit.findings) > most:
        yield f"… and {counted(len(audit.findings) - most, 'finding')} more"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_CELL else f"{text[: _MAX_CELL - 1]}…"


def _lacks(absences: Sequence[Missing], most: int) -> Iterator[str]:
    """Yield the missing facts; those of one kind and reason share a line."""
    groups: dict[tuple[str, str], list[str]] = {}
    for lack in absences:
        label = lack.label if lack.node is None else f"{lack.label} ({lack.node})"
        groups.setdefault((lack.field, lack.reason), []).append(label)
    yield "Not recorded:"
    for (field, reason), labels in list(groups.items())[:most]:
        rest = len(labels) - _MAX_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        yield f"  {field} of {', '.join(labels[:_MAX_NAMED])}{more}: {reason}"
    if len(groups) > most:
        yield f"  … and {len(groups) - most} more reasons"


_MAX_CELL = 48
_MAX_NAMED = 5
