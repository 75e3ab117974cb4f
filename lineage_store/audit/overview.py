"""Answers on a whole store: inventory, users of code, gaps, counts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material, is_model
from lineage_store.audit.rerun import LOST, state_of
from lineage_store.audit.vocabulary import (
    DUE,
    OWNER,
    STAGE,
    TIER,
    VALIDATED,
    first_value,
    values_of,
)
from lineage_store.entities import Artifact, Execution
from lineage_store.lineage.identity import GraphNode, digest_of, key_of, version_of
from lineage_store.lineage.verdict import Verdict, counted

INVENTORY_COLUMNS = ("stage", "owner", "risk tier", "last validation", "next due", "version")
USER_COLUMNS = ("where", "property", "value", "state", "runs")
GAP_COLUMNS = ("gap", "detail")
COUNT_COLUMNS = ("what", "type", "count")

_FIELDS = (
    ("stage", STAGE), ("owner", OWNER), ("risk tier", TIER),
    ("last validation", VALIDATED), ("next due", DUE),
)  # fmt: skip


def inventory(models: Sequence[Artifact], stages: Collection[str], verdict: Verdict) -> Audit:
    """Return the models of a store, and what is recorded of their use and review."""
    selection = {stage.strip().lower() for stage in stages}
    findings, absences, listed = [], [], []
    for model in models:
        values = values_of(model)
        stage = first_value(values, STAGE)
        if selection and stage is not None and stage.lower() not in selection:
            continue
        absent = [field for field, names in _FIELDS if first_value(values, names) is None]
        absences += [
            Missing.of(model, field, f"set the property {_property(field)}") for field in absent
        ]
        if not selection or stage is not None:
            texts = [first_value(values, names) for _, names in _FIELDS]
            findings.append(Finding.of(model, *texts, version_of(model)))
            listed.append(model)
    doubts = selection and any(lack.field == "stage" for lack in absences)
    is_known = verdict.complete and not doubts
    where = f" in stage {', '.join(sorted(selection))}" if selection else ""
    return Audit(
        question="inventory",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=f"{counted(len(listed), 'model')}{where}; "
        f"{counted(len(absences), 'fact')} not recorded",
        columns=INVENTORY_COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        verdict=verdict,
        nodes=tuple(map(key_of, listed)),
    )


def is_model_type(name: str, model_types: Collection[str]) -> bool:
    """Return whether artifacts of a type are models."""
    return is_model(Artifact(type=name), model_types)


def _property(field: str) -> str:
    return dict(_FIELDS)[field][0]


def used_by(
    kind: str,
    value: str,
    users: Iterable[tuple[Execution, str, str]],
    without: int,
    steps: Mapping[str, Sequence[Execution]],
    verdict: Verdict,
) -> Audit:
    """Return the executions that used a commit, an image or a version of a library.

    Args:
        kind: "commit", "image" or "library".
        value: The one that was asked for.
        users: Executions that name it, with the property and its value.
        without: How many executions neither name one of that kind nor belong to a run that does.
        steps: The steps of the whole runs among the users, by the key of the run.
        verdict: Whether all executions were looked at.
    """
    rows = [row for user in users for row in _user_rows(user, steps)]
    absences = []
    if without:
        why = f"{counted(without, 'execution')} and their runs name none, so may have used it"
        absences.append(Missing(None, "the store", kind, why))
    is_known = verdict.complete and not absences
    nodes = tuple(dict.fromkeys(row.node for row in rows if row.node))
    return Audit(
        question="used-by",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=f"{counted(len(nodes), 'execution')} used the {kind} {value:.80}",
        columns=USER_COLUMNS,
        findings=tuple({(row.node, row.values): row for row in rows}.values()),
        absences=tuple(absences),
        verdict=verdict,
        nodes=nodes,
    )


def _user_rows(
    user: tuple[Execution, str, str], steps: Mapping[str, Sequence[Execution]]
) -> Iterator[Finding]:
    """Yield the row of a user, and those of its steps if it is a whole run."""
    execution, name, text = user
    run = key_of(execution)
    own_steps = steps.get(run, ())
    place = "run" if own_steps else "step"
    yield Finding.of(execution, place, name, text, execution.state, len(own_steps) or None)
    for step in own_steps:
        yield Finding.of(step, f"step of {run}", None, None, step.state, None)


NO_PRODUCER = ("no producer", "executions read it, and none is recorded that wrote it")
NO_INPUTS = ("no inputs", "it wrote artifacts, and declared nothing that it read")


def gaps_of(material: Material) -> Iterator[tuple[GraphNode, str, str]]:
    """Yield the gaps in the lineage upstream of an artifact."""
    for node in material.sources():
        yield node, *NO_PRODUCER
    for step in material.steps_without_inputs():
        yield step, *NO_INPUTS
    yield from own_gaps(material)


def own_gaps(material: Material) -> Iterator[tuple[GraphNode, str, str]]:
    """Yield the gaps that single nodes have, whatever their events."""
    for step, why in material.unfinished():
        yield step, "incomplete record", why
    for node in material.graph.artifacts:
        state = state_of(material, node)
        if state.startswith(LOST):
            yield node, "broken content", state
        if digest_of(node) is None:
            yield node, "no digest", "nothing tells whether the content is still the same"


def gaps(findings: Sequence[tuple[GraphNode, str, str]], verdict: Verdict, where: str) -> Audit:
    """Return the places where the record of a store ends too early.

    Args:
        findings: The node, the kind of gap and its detail.
        verdict: Whether everything was looked at.
        where: "the store", or the artifact whose lineage it is.
    """
    rows = tuple(Finding.of(node, gap, detail) for node, gap, detail in findings)
    conclusion = Conclusion.ANSWERED if verdict.complete else Conclusion.UNKNOWN
    return Audit(
        question="gaps",
        conclusion=conclusion,
        statement=f"{counted(len(rows), 'gap')} in {where}",
        columns=GAP_COLUMNS,
        findings=rows,
        verdict=verdict,
        nodes=tuple(dict.fromkeys(row.node for row in rows if row.node)),
    )


def counts(rows: Iterable[tuple[str, str, int]], where: str) -> Audit:
    """Return the number of nodes and events of each type.

    Args:
        rows: The kind of node, or "event", the type and the count.
        where: "the store", or the context.
    """
    listed = sorted(rows)
    totals: dict[str, int] = {}
    for kind, _, count in listed:
        totals[kind] = totals.get(kind, 0) + count
    text = ", ".join(counted(count, kind) for kind, count in sorted(totals.items()))
    return Audit(
        question="counts",
        conclusion=Conclusion.ANSWERED,
        statement=f"{where}: {text or 'nothing'}",
        columns=COUNT_COLUMNS,
        findings=tuple(
            Finding(None, kind, (kind, name, str(count))) for kind, name, count in listed
        ),
    )
