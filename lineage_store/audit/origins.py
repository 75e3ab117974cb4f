"""Origins: the data, code, images and parameters that reached an artifact, and who started it."""

from collections.abc import Collection

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material, order_of
from lineage_store.audit.roles import Roles, has_role, roles_upstream, shown_roles
from lineage_store.audit.vocabulary import CODE, IMAGE, USER, Role, first_value
from lineage_store.entities import Artifact, Execution
from lineage_store.lineage.aspects import Aspect, aspect_of, flat_properties
from lineage_store.lineage.identity import digest_of, key_of, version_of
from lineage_store.lineage.verdict import counted

COLUMNS = ("what", "role", "version", "digest", "uri", "code", "image", "parameters", "started by")


def origins(material: Material, selection: Collection[Role] = ()) -> Audit:
    """Return the answer for the lineage upstream of an artifact.

    Args:
        material: The lineage.
        selection: Only data of these roles, and the steps; empty: of all.
    """
    roles = roles_upstream(material)
    start = material.graph.start[0]
    wanted_roles = frozenset(selection)
    artifacts = [
        node
        for node in order_of(material.graph)
        if isinstance(node, Artifact) and key_of(node) != start
        and (not wanted_roles or has_role(node, roles, wanted_roles))
    ]  # fmt: skip
    steps = [node for node in order_of(material.graph) if isinstance(node, Execution)]
    absences = _absences(material, artifacts, steps)
    if wanted_roles:
        absences += _without_role(artifacts, roles)
    doubts = [lack for lack in absences if lack.field in {"role", "record", "origin"}]
    is_known = material.verdict.complete and not doubts
    sources = {key_of(node) for node in material.sources()}
    return Audit(
        question="origins",
        conclusion=Conclusion.ANSWERED if is_known else Conclusion.UNKNOWN,
        statement=_statement(artifacts, steps, sources, absences),
        columns=COLUMNS,
        findings=(
            *(_data(node, roles, is_source=key_of(node) in sources) for node in artifacts),
            *(_step(material, node) for node in steps),
        ),
        absences=tuple(absences),
        verdict=material.verdict,
        nodes=material.keys,
    )


def _statement(
    artifacts: list[Artifact], steps: list[Execution], sources: set[str], absences: list[Missing]
) -> str:
    count = sum(key_of(node) in sources for node in artifacts)
    made_text = counted(len(artifacts) - count, "artifact")
    lacks = f"; {counted(len(absences), 'fact')} not recorded" if absences else ""
    if not steps:
        return f"no step that made it is recorded{lacks}"
    return f"{counted(count, 'source')}, {made_text} between, {counted(len(steps), 'step')}{lacks}"


def _data(artifact: Artifact, roles: Roles, *, is_source: bool) -> Finding:
    return Finding.of(
        artifact,
        "source" if is_source else "made",
        shown_roles(roles.get(key_of(artifact), frozenset())),
        version_of(artifact),
        digest_of(artifact),
        artifact.uri,
        *[None] * 4,
    )


def _step(material: Material, step: Execution) -> Finding:
    facts = material.facts(step)
    return Finding.of(
        step,
        "step" if step.state is None else str(step.state),
        *[None] * 4,
        first_value(facts, CODE),
        first_value(facts, IMAGE),
        parameters(step),
        first_value(facts, USER),
    )


def parameters(step: Execution) -> str:
    """Return the parameters of an execution for people: "depth=3 trees=200"."""
    values = flat_properties(step).items()
    return " ".join(
        sorted(
            f"{name.removeprefix('parameters.')}={text}"
            for name, text in values
            if aspect_of(name) is Aspect.PARAMETERS
        )
    )


def _absences(
    material: Material, artifacts: list[Artifact], steps: list[Execution]
) -> list[Missing]:
    absences = [Missing.of(step, "record", reason) for step, reason in material.unfinished()]
    if not steps:
        why = "no execution wrote it; record the step that did"
        absences.append(Missing.of(material.subject, "origin", why))
    for step in material.steps_without_inputs():
        why = "it declared no inputs, so the data behind its outputs are not recorded"
        absences.append(Missing.of(step, "inputs", why))
    for artifact in artifacts:
        if digest_of(artifact) is None:
            why = "without a digest nobody can tell whether the content is still the same"
            absences.append(Missing.of(artifact, "digest", why))
    for step in steps:
        facts = material.facts(step)
        for field, names in (("code", CODE), ("started by", USER)):
            if first_value(facts, names) is None:
                why = f"neither the step nor its run has a property such as {names[0]}"
                absences.append(Missing.of(step, field, why))
    return absences


def _without_role(artifacts: list[Artifact], roles: Roles) -> list[Missing]:
    why = "nothing says its role: name the input (train, test) or set the property role"
    return [
        Missing.of(node, "role", why)
        for node in artifacts
        if not roles.get(key_of(node), frozenset())
    ]
