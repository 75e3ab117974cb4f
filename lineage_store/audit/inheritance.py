"""What an artifact inherits from all that it was made from: licences of others, and labels."""

from collections import defaultdict
from collections.abc import Collection

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material
from lineage_store.audit.vocabulary import (
    LICENCE,
    SUPPLIER,
    Role,
    denies,
    first_value,
    labels_of,
    roles_of_event,
    values_of,
)
from lineage_store.entities import Artifact
from lineage_store.lineage.identity import key_of, version_of
from lineage_store.lineage.labels import title
from lineage_store.lineage.verdict import counted

THIRD_PARTY_COLUMNS = ("supplier", "licence", "version", "uri", "hops")
LABEL_COLUMNS = ("name", "value", "hops")


def third_party(material: Material) -> Audit:
    """Return the artifacts upstream that name a supplier or a licence, or are base models."""
    findings, absences = [], _unfinished(material)
    sources = {key_of(node) for node in material.sources()}
    for node in material.graph.artifacts:
        values = values_of(node)
        supplier, licence = first_value(values, SUPPLIER), first_value(values, LICENCE)
        is_base = _is_base_model(material, node)
        if supplier or licence or is_base:
            hops = material.graph.hop(node)
            row = (supplier, licence, version_of(node), node.uri, hops)
            findings.append(Finding.of(node, *row))
        if (supplier or is_base) and not licence:
            absences.append(Missing.of(node, "licence", "set the property license"))
        elif key_of(node) in sources and not (supplier or licence):
            why = "nothing says whose it is: set the properties supplier and license"
            absences.append(Missing.of(node, "supplier", why))
    is_known = material.verdict.complete and not absences
    return Audit(
        question="third-party",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=f"{counted(len(findings), 'ancestor')} with a supplier or a licence; "
        f"{counted(len(absences), 'fact')} not recorded",
        columns=THIRD_PARTY_COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


def _is_base_model(material: Material, node: Artifact) -> bool:
    events = material.graph.out_of(key_of(node))
    return any(Role.BASE_MODEL in roles_of_event(event, node) for event in events)


def _unfinished(material: Material) -> list[Missing]:
    return [Missing.of(step, "record", why) for step, why in material.unfinished()]


def labels(material: Material, selection: Collection[str] = ()) -> Audit:
    """Return the labels of an artifact and of all that it was made from.

    Args:
        material: The lineage upstream.
        selection: Only labels of these names or values, for a yes or no; empty: all.
    """
    label_names = {text.strip().lower() for text in selection}
    findings, absences = [], _unfinished(material)
    sources = {key_of(node) for node in material.sources()}
    values_by_label: dict[str, set[str]] = defaultdict(set)
    for node in material.graph.artifacts:
        own = list(labels_of(node))
        if key_of(node) in sources and not own:
            why = "it has no label, so nothing says what it contains: set the property labels"
            absences.append(Missing.of(node, "label", why))
        for name, value in own:
            if not denies(value) and (not label_names or label_names & {name, *_parts(value)}):
                findings.append(Finding.of(node, name, value, material.graph.hop(node)))
                values_by_label[name].add(value)
    return Audit(
        question="labels",
        conclusion=_conclusion(material, label_names, findings, absences),
        statement=_inherited(material, values_by_label, label_names),
        columns=LABEL_COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


def _parts(value: str) -> set[str]:
    """Return a value and, if it is a list, its items, in lower case."""
    items = value.strip("[]").replace('"', "").split(",")
    return {value.lower(), *(item.strip().lower() for item in items)}


def _conclusion(
    material: Material, label_names: set[str], findings: list[Finding], absences: list[Missing]
) -> Conclusion:
    if label_names and findings:
        return Conclusion.YES
    if absences or not material.verdict.complete:
        return Conclusion.UNKNOWN
    return Conclusion.NO if label_names else Conclusion.ANSWERED


def _inherited(material: Material, values: dict[str, set[str]], label_names: set[str]) -> str:
    name = title(material.subject)
    if values:
        texts = (f"{label} {', '.join(sorted(of))}" for label, of in sorted(values.items()))
        return f"{name} inherits {'; '.join(texts)}"
    names_text = f" {', '.join(sorted(label_names))}" if label_names else ""
    return f"no label{names_text} is recorded on {name} and its ancestors"
