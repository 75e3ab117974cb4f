"""Recall and monitoring: the things that were made from an artifact, and what they say of it."""

import re
from collections.abc import Collection, Iterator, Mapping

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material
from lineage_store.audit.times import time_text
from lineage_store.audit.vocabulary import OWNER, STAGE, first_value, values_of
from lineage_store.entities import Artifact, Execution
from lineage_store.lineage.aspects import flat_properties
from lineage_store.lineage.identity import digest_of, key_of, version_of
from lineage_store.lineage.labels import title
from lineage_store.lineage.verdict import counted

RECALL_COLUMNS = ("what", "stage", "owner", "version", "hops", "made at")
MONITORING_COLUMNS = ("record", "values", "step", "compared with", "recorded at")

_ENDPOINT = re.compile(r"endpoint|deployment|service|serving|pushed", re.IGNORECASE)
_REPORT = re.compile(r"report|document|card|dashboard", re.IGNORECASE)
_QUALITY = re.compile(r"metric|statistic|drift|quality|monitor|anomal|evaluation", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_SHOWN_VALUES = 20


def recall(material: Material, stages: Collection[str] = ()) -> Audit:
    """Return everything made from an artifact: models first, then endpoints, reports, others.

    Args:
        material: The lineage downstream of the artifact.
        stages: Only artifacts in these stages, such as "production"; empty: in any.
    """
    affected = [n for n in material.graph.artifacts if key_of(n) not in material.graph.start]
    affected.sort(key=lambda node: _ORDER.index(kind_of(material, node)))
    selection = {stage.strip().lower() for stage in stages}
    listed = [node for node in affected if not selection or _stage(node).lower() in selection]
    absences = [Missing.of(step, "record", why) for step, why in material.unfinished()]
    absences += _without_stage(material, affected)
    doubts = [lack for lack in absences if lack.field == "record" or selection]
    is_known = material.verdict.complete and not doubts
    return Audit(
        question="recall",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=_recalled(material, listed, selection),
        columns=RECALL_COLUMNS,
        findings=tuple(_affected(material, node) for node in listed),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


_ORDER = ("model", "endpoint", "report", "artifact")


def kind_of(material: Material, node: Artifact) -> str:
    """Return the kind of an artifact for a recall: "model", "endpoint", "report", "artifact"."""
    if _ENDPOINT.search(node.type or ""):
        return "endpoint"
    if material.is_model(node):
        return "model"
    return "report" if _REPORT.search(node.type or "") else "artifact"


def _stage(node: Artifact) -> str:
    return first_value(values_of(node), STAGE) or ""


def _without_stage(material: Material, nodes: list[Artifact]) -> list[Missing]:
    why = "nothing says whether it is in use: set the property stage"
    return [
        Missing.of(node, "stage", why)
        for node in nodes
        if kind_of(material, node) in {"model", "endpoint"} and not _stage(node)
    ]


def _recalled(material: Material, listed: list[Artifact], selection: Collection[str]) -> str:
    counts = {kind: sum(kind_of(material, node) == kind for node in listed) for kind in _ORDER}
    parts = [counted(count, kind) for kind, count in counts.items() if count]
    where = f" in stage {', '.join(sorted(selection))}" if selection else ""
    return f"{', '.join(parts) or 'nothing'} made from {title(material.subject)}{where}"


def _affected(material: Material, node: Artifact) -> Finding:
    values = values_of(node)
    return Finding.of(
        node,
        kind_of(material, node),
        first_value(values, STAGE),
        first_value(values, OWNER),
        version_of(node) or digest_of(node),
        material.graph.hop(node),
        time_text(node.create_time),
    )


def monitoring(material: Material) -> Audit:
    """Return the records of quality that steps wrote which read a model, and their other inputs.

    Args:
        material: The executions that read the model, with all that they read and wrote.
    """
    findings = [row for step in material.graph.executions for row in _records(material, step)]
    absences = [Missing.of(step, "record", why) for step, why in material.unfinished()]
    absences += [
        Missing.of(step, "compared data", "it read nothing but the model, as far as recorded")
        for step in material.graph.executions
        if not _others(material, step)
    ]
    if not findings:
        why = "no step that read it wrote metrics, statistics or a report of drift"
        absences.append(Missing.of(material.subject, "quality record", why))
    is_known = material.verdict.complete and findings and not absences
    count = counted(len(findings), "record")
    return Audit(
        question="monitoring",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=f"{count} of quality after {title(material.subject)}",
        columns=MONITORING_COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


def _others(material: Material, step: Execution) -> list[Artifact]:
    read = [material.artifact(event) for event in material.inputs(step)]
    return [node for node in read if key_of(node) not in material.graph.start]


def _records(material: Material, step: Execution) -> Iterator[Finding]:
    compared = ", ".join(f"{title(node)} ({key_of(node)})" for node in _others(material, step))
    for event in material.outputs(step):
        node = material.artifact(event)
        if material.is_model(node) or not _QUALITY.search(f"{node.type} {node.name} {node.uri}"):
            continue
        recorded = time_text(node.create_time)
        yield Finding.of(node, node.type, shown_values(node), title(step), compared, recorded)
    results = scores(flat_properties(step), "outputs.")
    if results:
        recorded = time_text(step.create_time)
        yield Finding.of(step, "results of a step", results, title(step), compared, recorded)


def shown_values(node: Artifact) -> str:
    """Return the numbers among the properties of an artifact: "accuracy=0.93 rows=200"."""
    return scores(flat_properties(node), "")


def scores(values: Mapping[str, str], section: str) -> str:
    """Return the numbers among properties whose names begin with a section, for people."""
    numbers = [
        f"{name.removeprefix(section)}={text}"
        for name, text in sorted(values.items())
        if name.startswith(section) and _NUMBER.fullmatch(text)
    ]
    return " ".join(numbers[:_SHOWN_VALUES])
