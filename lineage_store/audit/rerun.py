"""The plan to make an artifact again, and what of it is not there any more."""

from collections.abc import Iterator

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material, order_of
from lineage_store.audit.origins import parameters
from lineage_store.audit.times import stamp_text
from lineage_store.audit.vocabulary import CODE, COMMIT, IMAGE, first_value
from lineage_store.entities import Artifact, ArtifactState, Execution
from lineage_store.lineage.identity import digest_of, key_of
from lineage_store.lineage.labels import slot, title
from lineage_store.lineage.verdict import counted

COLUMNS = ("order", "what", "state", "code", "image", "parameters", "reads", "digest", "uri")

_GONE = {ArtifactState.DELETED, ArtifactState.MARKED_FOR_DELETION, ArtifactState.ABANDONED}


def rerun_plan(material: Material) -> Audit:
    """Return the sources and the steps in the order in which to run them.

    Args:
        material: The lineage upstream, cached repeats folded into the steps that ran.
    """
    sources = {key_of(node) for node in material.sources()}
    order = [
        n for n in order_of(material.graph) if key_of(n) in sources or isinstance(n, Execution)
    ]
    findings: list[Finding] = []
    absences: list[Missing] = []
    lost_sources: list[Artifact] = []
    for at, node in enumerate(order, 1):
        if isinstance(node, Artifact):
            state = state_of(material, node)
            findings.append(_source(node, at, state))
            absences += _unverified(node, state)
            lost_sources += [node] if state.startswith(LOST) else []
        else:
            findings.append(_step(material, node, at))
            absences += _incomplete(material, node)
    steps = len(material.graph.executions)
    is_known = material.verdict.complete and not absences and steps > 0
    otherwise = Conclusion.YES if is_known else Conclusion.UNKNOWN
    return Audit(
        question="rerun-plan",
        conclusion=Conclusion.NO if lost_sources else otherwise,
        statement=_statement(material, steps, lost_sources, absences),
        columns=COLUMNS,
        findings=tuple(findings),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


LOST = ("gone", "changed")
"""The first words of the states of payloads that can't be had any more."""


def state_of(material: Material, artifact: Artifact) -> str:
    """Return the state of the payload of an artifact for people.

    It begins with "gone", "changed", "verified" or "not verified".
    """
    if artifact.state in _GONE:
        return f"gone: {artifact.state}"
    report = material.reports.get(artifact.id or 0)
    if report is None:
        return "not verified"
    sighting = f"{stamp_text(report.recorded_at)} by {report.by or 'an unnamed caller'}"
    if not report.is_present:
        return f"gone: not there {sighting}"
    digest = digest_of(artifact)
    if not report.digest or digest is None:
        return f"not verified: there {sighting}, without a digest to compare"
    if report.digest.lower() not in {str(digest), digest.value}:
        return f"changed: {report.digest:.80} {sighting}"
    return f"verified {sighting}"


def _source(node: Artifact, at: int, state: str) -> Finding:
    return Finding.of(node, at, "source", state, *[None] * 4, digest_of(node), node.uri)


def _step(material: Material, node: Execution, at: int) -> Finding:
    facts = material.facts(node)
    reads = ", ".join(
        f"{slot(event)}={title(material.artifact(event))}" for event in material.inputs(node)
    )
    code = first_value(facts, COMMIT) or first_value(facts, CODE)
    image = first_value(facts, IMAGE)
    return Finding.of(
        node, at, "step", node.state, code, image, parameters(node), reads, None, None
    )


def _unverified(node: Artifact, state: str) -> Iterator[Missing]:
    if state.startswith("not verified"):
        why = "nobody has reported that its content is still there: cache verify, ReportArtifacts"
        yield Missing.of(node, "payload", why)


def _incomplete(material: Material, node: Execution) -> Iterator[Missing]:
    facts = material.facts(node)
    for field, names in (("code", (*COMMIT, *CODE)), ("environment", (*IMAGE, "python_version"))):
        if first_value(facts, names) is None:
            yield Missing.of(node, field, f"neither the step nor its run has {names[0]}")
    if facts.get("git_dirty") == "true":
        why = "files differed from the commit when it ran, so the commit is not all of its code"
        yield Missing.of(node, "code", why)
    if not material.inputs(node):
        yield Missing.of(node, "inputs", "it declared none; if it read data, they are not recorded")
    if key_of(node) in material.doubts:
        yield Missing.of(node, "record", material.doubts[key_of(node)])


def _statement(
    material: Material, steps: int, lost_sources: list[Artifact], absences: list[Missing]
) -> str:
    plan = f"{counted(steps, 'step')} to make {title(material.subject)} again"
    if lost_sources:
        names = ", ".join(f"{title(node)} ({key_of(node)})" for node in lost_sources[:3])
        return f"{plan}, but {counted(len(lost_sources), 'source')} can't be had any more: {names}"
    if not steps:
        return f"no step that made {title(material.subject)} is recorded"
    return f"{plan}; {counted(len(absences), 'fact')} not recorded" if absences else plan
