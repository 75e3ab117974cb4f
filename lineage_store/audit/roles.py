"""The roles in which data reached an artifact."""

from collections import defaultdict

from lineage_store.audit.material import Material, order_of
from lineage_store.audit.vocabulary import Role, roles_of_event
from lineage_store.entities import Artifact, Execution
from lineage_store.lineage.identity import ends, key_of

Roles = dict[str, frozenset[Role]]


def roles_upstream(material: Material) -> Roles:
    """Return the roles of all nodes upstream of an artifact, by key; empty: nothing says.

    An artifact has the roles in which steps read it. Where a step does not say, the artifact has
    the roles of what the step made from it: the raw data behind a training set are TRAINING.
    """
    roles: dict[str, set[Role]] = defaultdict(set)
    for node in reversed(order_of(material.graph)):
        if isinstance(node, Execution):
            outputs = (key_of(material.artifact(event)) for event in material.outputs(node))
            roles[key_of(node)] = set().union(*(roles[output] for output in outputs))
            continue
        for event in material.graph.out_of(key_of(node)):
            event_roles = roles_of_event(event, node)
            roles[key_of(node)] |= event_roles or roles[ends(event)[1]]
    return {name: frozenset(of) for name, of in roles.items()}


def shown_roles(roles: frozenset[Role]) -> str:
    """Return roles for people: "TEST, TRAINING"."""
    return ", ".join(sorted(roles))


def has_role(artifact: Artifact, roles: Roles, selection: frozenset[Role]) -> bool:
    """Return whether an artifact has one of some roles, or may have it."""
    own = roles.get(key_of(artifact), frozenset())
    return not own or bool(own & selection)
