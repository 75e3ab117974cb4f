"""Independence: the data that trained a model and the data that tested it share no content."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lineage_store.audit.answer import Audit, Conclusion, Finding, Missing
from lineage_store.audit.material import Material
from lineage_store.audit.roles import Roles, roles_upstream, shown_roles
from lineage_store.audit.vocabulary import Role, roles_of_event
from lineage_store.entities import Artifact
from lineage_store.lineage.identity import Digest, digest_of, key_of
from lineage_store.lineage.verdict import Verdict, counted

COLUMNS = ("set", "role", "digest", "same content as", "uri")

_NO_TEST = frozenset({Role.TRAINING, Role.VALIDATION, Role.BASE_MODEL})
_NOT_TRAINING = frozenset({Role.TEST, Role.VALIDATION})


@dataclass(frozen=True, slots=True)
class _Shared:
    training: Artifact
    test: Artifact
    is_certain: bool


def independence(
    material: Material, evaluations: Material, named_tests: Iterable[Artifact] = ()
) -> Audit:
    """Return whether no test data of a model have the content of any of its training data.

    Training data are all artifacts upstream of the model, but for those that only validated or
    tested it. Test data are those of that role upstream, all inputs of the steps that read the
    model and are neither models nor of another role, and those named.

    Args:
        material: The lineage upstream of the model.
        evaluations: The executions that read the model, with all that they read.
        named_tests: Artifacts that the caller says to be test data.
    """
    roles = roles_upstream(material)
    training = [node for node in material.graph.artifacts if _trained(material, node, roles)]
    tests = dict(_tests(material, evaluations, roles))
    certain = {key_of(node) for node in named_tests}
    tests |= {key_of(node): (node, frozenset({Role.TEST})) for node in named_tests}
    shared, doubts = _compared(training, tests, certain)
    absences = [*_absences(material, evaluations, training, tests), *doubts]
    complete = material.verdict.complete and evaluations.verdict.complete
    proven = any(pair.is_certain for pair in shared)
    conclusion = Conclusion.NO if proven else Conclusion.YES
    if not proven and (absences or not complete):
        conclusion = Conclusion.UNKNOWN
    return Audit(
        question="independence",
        conclusion=conclusion,
        statement=_statement(conclusion, len(training), len(tests), shared),
        columns=COLUMNS,
        findings=tuple(_findings(training, tests, roles, shared)),
        absences=tuple(absences),
        verdict=_joined(material.verdict, evaluations.verdict),
        nodes=tuple(dict.fromkeys([*material.keys, *map(key_of, evaluations.graph.nodes)])),
    )


def _joined(upstream: Verdict, evaluations: Verdict) -> Verdict:
    """Return the verdict on both walks: that of the one that was cut, with all that was read."""
    base = upstream if not upstream.complete else evaluations
    return replace(
        base,
        node_count=upstream.node_count + evaluations.node_count,
        event_count=upstream.event_count + evaluations.event_count,
    )


Tests = dict[str, tuple[Artifact, frozenset[Role]]]


def _trained(material: Material, node: Artifact, roles: Roles) -> bool:
    own = roles.get(key_of(node), frozenset())
    is_other = bool(own) and own <= _NOT_TRAINING
    return key_of(node) not in material.graph.start and not is_other


def _tests(
    material: Material, evaluations: Material, roles: Roles
) -> Iterator[tuple[str, tuple[Artifact, frozenset[Role]]]]:
    for node in material.graph.artifacts:
        own = roles.get(key_of(node), frozenset())
        if Role.TEST in own:
            yield key_of(node), (node, own)
    for step in evaluations.graph.executions:
        for event in evaluations.inputs(step):
            node = evaluations.artifact(event)
            event_roles = roles_of_event(event, node)
            is_data = key_of(node) not in evaluations.graph.start and not evaluations.is_model(node)
            if is_data and not (event_roles and event_roles <= _NO_TEST):
                yield key_of(node), (node, event_roles)


def _compared(
    training: list[Artifact], tests: Tests, certain: set[str]
) -> tuple[list[_Shared], list[Missing]]:
    """Return the pairs of equal content, and the pairs that can't be compared or judged."""
    by_digest: dict[str, Artifact] = {}
    algorithms = set()
    for node in training:
        digest = digest_of(node)
        if digest is not None:
            by_digest.setdefault(str(digest), node)
            algorithms.add(digest.algorithm)
    shared, doubts = [], []
    trained = {key_of(node) for node in training}
    for name, (node, event_roles) in tests.items():
        digest = digest_of(node)
        twin = node if name in trained else by_digest.get(str(digest)) if digest else None
        if twin is not None:
            is_certain = Role.TEST in event_roles or name in certain
            shared.append(_Shared(twin, node, is_certain))
            if not is_certain:
                why = f"it was read with the model, and {key_of(twin)} trained it; say its role"
                doubts.append(Missing.of(node, "role", why))
        others = _not_comparable(digest, algorithms)
        if twin is None and others:
            why = f"training data have digests of {', '.join(sorted(others))}, so can't be compared"
            doubts.append(Missing.of(node, "digest", why))
    return shared, doubts


def _not_comparable(digest: Digest | None, algorithms: set[str]) -> set[str]:
    """Return the algorithms whose digests say nothing beside this one unless they are equal."""
    if digest is None:
        return set()
    return {name for name in algorithms if name != digest.algorithm or name == "unknown"}


def _absences(
    material: Material, evaluations: Material, training: list[Artifact], tests: Tests
) -> Iterator[Missing]:
    subject = material.subject
    if not training:
        yield Missing.of(subject, "training data", "no data upstream of it are recorded")
    if not tests:
        why = "no step that tested it is recorded; record the evaluation, or name the test data"
        yield Missing.of(subject, "test data", why)
    for node in {
        key_of(one): one for one in [*training, *(of for of, _ in tests.values())]
    }.values():
        if digest_of(node) is None:
            yield Missing.of(node, "digest", "its content can't be compared with any other")
    for part in (material, evaluations):
        for step, reason in part.unfinished():
            yield Missing.of(step, "record", reason)


def _statement(conclusion: Conclusion, training: int, tests: int, shared: list[_Shared]) -> str:
    sets = f"{counted(training, 'artifact')} that trained it and {tests} that tested it"
    if conclusion is Conclusion.NO:
        count = sum(pair.is_certain for pair in shared)
        return f"of {sets}, {count} that tested it have the content of one that trained it"
    if conclusion is Conclusion.YES:
        return f"{sets} share no digest of content"
    return f"{sets}: the record does not prove that they share no content"


def _findings(
    training: list[Artifact], tests: Tests, roles: Roles, shared: list[_Shared]
) -> Iterator[Finding]:
    twins = {key_of(pair.test): key_of(pair.training) for pair in shared}
    for node in training:
        own = shown_roles(roles.get(key_of(node), frozenset()))
        yield Finding.of(node, "training", own, digest_of(node), None, node.uri)
    for name, (node, event_roles) in tests.items():
        twin = twins.get(name)
        yield Finding.of(node, "test", shown_roles(event_roles), digest_of(node), twin, node.uri)
