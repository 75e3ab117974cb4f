"""The names under which people record roles, stages, licences, labels, code and environments.

A name is compared in lower case with underscores, and without the sections before its last dot:
"code.gitCommit" is "git_commit". The first name of a list that has a value counts.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from lineage_store.entities import Artifact, Event, Node
from lineage_store.lineage.aspects import flat_properties
from lineage_store.lineage.identity import places_of

STAGE = ("stage", "promotion_state", "promotion_stage", "deployment_stage", "lifecycle_stage")
OWNER = ("owner", "owners", "maintainer", "responsible", "team")
TIER = ("risk_tier", "risk_class", "risk", "tier")
VALIDATED = ("last_validation", "last_validated_at", "last_validated", "validated_at")
DUE = ("next_validation", "next_due", "validation_due", "next_review", "review_due")
LICENCE = ("license", "licence", "licenses", "license_id", "spdx_license", "spdx")
SUPPLIER = ("supplier", "vendor", "provider", "publisher", "third_party", "hub_id")
USER = ("user", "started_by", "launched_by", "triggered_by", "submitted_by", "principal")
COMMIT = ("git_commit", "commit", "commit_sha", "git_sha", "code_commit", "source_commit")
CODE = ("code_digest", "code_sha256", "code_hash", "source_digest", *COMMIT)
IMAGE = ("image", "image_digest", "container_image", "docker_image", "image_uri", "image_id")
LABELS = (
    "labels", "sensitivity", "classification", "data_classification", "confidentiality",
    "personal_data", "contains_personal_data", "pii", "contains_pii", "special_category",
    "restricted", "purpose", "purposes", "purpose_limitation", "allowed_purposes",
)  # fmt: skip
LIBRARY_SECTIONS = frozenset({"packages", "libraries", "dependencies", "requirements"})

_NEGATIVE = frozenset({"", "no", "none", "false", "0", "null", "n/a"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Role(StrEnum):
    """The part that data play for a model."""

    TRAINING = "TRAINING"
    VALIDATION = "VALIDATION"
    TEST = "TEST"
    BASE_MODEL = "BASE_MODEL"
    FEATURES = "FEATURES"


_ROLES = {
    role: re.compile(pattern)
    for role, pattern in (
        (Role.BASE_MODEL, r"(base|pretrained|foundation|initial|init|parent|warm_start)(_?model)?"),
        (Role.VALIDATION, r"((.*_)?(val|valid|validation|dev)(_.*)?)"),
        (Role.TEST, r"((.*_)?(test|testing|eval|evaluation|holdout|hold_out)(_.*)?)"),
        (Role.TRAINING, r"((.*_)?(train|training)(_.*)?)|finetun.*|fine_tun.*"),
        (Role.FEATURES, r"((.*_)?features?(_(store|view|set|table))?)"),
    )
}
_SPLITS = frozenset({Role.TRAINING, Role.VALIDATION, Role.TEST})
_ROLE_NAMES = ("role", "dataset_role", "split", "subset")


def snake(name: str) -> str:
    """Return a name in lower case with underscores.

    >>> snake("Git-Commit"), snake("imageDigest")
    ('git_commit', 'image_digest')
    """
    return _CAMEL.sub("_", name).replace("-", "_").replace(" ", "_").lower()


def values_of(node: Node) -> dict[str, str]:
    """Return the properties of a node as text, by the last part of their names; no empty ones."""
    texts: dict[str, str] = {}
    for name, text in flat_properties(node).items():
        if text:
            texts.setdefault(snake(name.rpartition(".")[2]), text)
    return texts


def first_value(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """Return the first value that there is among some names, or None."""
    return next((values[name] for name in names if name in values), None)


def roles_named(name: str) -> frozenset[Role]:
    """Return the roles that a name speaks of; empty: none, or it contradicts itself.

    >>> sorted(roles_named("x_test")), sorted(roles_named("trainingData")), roles_named("rows")
    ([<Role.TEST: 'TEST'>], [<Role.TRAINING: 'TRAINING'>], frozenset())
    """
    word = snake(name)
    roles = frozenset(role for role, pattern in _ROLES.items() if pattern.fullmatch(word))
    return frozenset() if len(roles & _SPLITS) > 1 else roles


def roles_of_event(event: Event, artifact: Artifact) -> frozenset[Role]:
    """Return the roles in which an execution read an artifact; empty: nothing says.

    Both count: the artifact's own properties ("split", "role") and the place in the signature. So
    a test set that a step read as "train" is seen to be both.
    """
    own = first_value(values_of(artifact), _ROLE_NAMES)
    own_roles = frozenset() if own is None else roles_named(own)
    names = (str(place[0]) for place in places_of(event) if place)
    return own_roles.union(*map(roles_named, names))


def labels_of(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the labels of a node, also those that deny something."""
    values = values_of(node)
    yield from ((name, values[name]) for name in LABELS if name in values)


def denies(value: str) -> bool:
    """Return whether the value of a label says that it does not apply."""
    return value.strip().lower() in _NEGATIVE


def libraries_of(node: Node) -> dict[str, str]:
    """Return the versions of libraries that a node names, by their names in lower case."""
    versions = {}
    for name, text in flat_properties(node).items():
        parts = name.split(".")
        sections = {snake(part) for part in parts[:-1]}
        if sections & LIBRARY_SECTIONS:
            versions[library_name(parts[-1])] = text
        elif parts[-1].endswith("_version"):
            versions[library_name(parts[-1].removesuffix("_version"))] = text
    return versions


def library_name(name: str) -> str:
    """Return the name of a library as Python packages are compared: "Scikit_Learn" is one."""
    return re.sub(r"[-_.]+", "-", name).lower()
