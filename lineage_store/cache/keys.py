"""Cache keys: a SHA-256 over everything that decides what a step produces, part by part.

docs/cache-keys.md is the specification, with test vectors. Whoever follows it, in any language,
gets the same keys.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.entities import Artifact
from lineage_store.entities.values import member
from lineage_store.lineage.identity import digest_of, version_of

VERSION = "lineage-store cache key 1"
"""The first line of the hashed text; a change of the encoding changes it."""

DIGEST_BYTES = 32
MAX_COMPONENTS = 10_000
MAX_NAME = 512
"""Characters in the name of a component."""


class Identity(StrEnum):
    """The rule by which a key takes two inputs for the same."""

    AUTO = "AUTO"
    """The content digest if there is one, else uri and version, else the id."""
    CONTENT = "CONTENT"
    """The content digest: an input made anew with equal bytes is the same."""
    VERSION = "VERSION"
    """Uri and version, whatever the bytes are."""
    ID = "ID"
    """The id of the artifact in the store: an input made anew is another."""


@dataclass(frozen=True, slots=True)
class Component:
    """One named part of a key.

    Attributes:
        name: Unique within the key.
        value: Canonical text.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Key:
    """The cache key of a step: it stands for the step and everything that goes into it.

    Attributes:
        components: Ordered by name.
        digest: The SHA-256 of the components, 32 bytes.
    """

    components: tuple[Component, ...] = field(repr=False)
    digest: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(preimage(self.components)).digest())

    @property
    def hex(self) -> str:
        """The digest in hexadecimal, 64 characters."""
        return self.digest.hex()

    def __str__(self) -> str:
        return self.hex


def preimage(components: Sequence[Component]) -> bytes:
    """Return the bytes that are hashed: the version, then a line `"name"=value` per component.

    No line can be mistaken for two, since neither side can hold a line break.
    """
    ordered = sorted(components, key=lambda component: component.name)
    lines = [VERSION, *(f"{encode(c.name)}={c.value}" for c in ordered)]
    return "".join(f"{line}\n" for line in lines).encode()


def make_key(components: Mapping[str, object]) -> Key:
    """Return the key of named values, in whatever order they come.

    Args:
        components: Values that `canonical.encode` takes, by their names.

    Raises:
        InvalidArgument: There is none, a name is not text of 1 to 512 characters, or a value has no
            canonical text.
    """
    if not components:
        raise errors.InvalidArgument("a key needs at least one component")
    if len(components) > MAX_COMPONENTS:
        raise errors.InvalidArgument(
            f"a key has {len(components)} components, more than {MAX_COMPONENTS}"
        )
    for name in components:
        if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
            raise errors.InvalidArgument(
                f"the name of a component is text of 1 to {MAX_NAME} characters, not {name!r:.80}"
            )
    encoded = {name: encode(value, f"component {name!r}") for name, value in components.items()}
    return Key(tuple(Component(name, encoded[name]) for name in sorted(encoded)))


def canonical(value: object) -> bytes:
    """Return the canonical text of a value in UTF-8, however long it is.

    Raises:
        InvalidArgument: It has none; see `canonical.encode`.
    """
    return encode(value, max_characters=None).encode()


def step_components(
    step: str,
    *,
    version: str | None = None,
    code: str | None = None,
    image: str | None = None,
    command: Sequence[str] | None = None,
    parameters: Mapping[str, object] | None = None,
    environment: Mapping[str, object] | None = None,
    inputs: Mapping[str, Sequence[object]] | None = None,
    outputs: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the components of a step by their standard names; None arguments are left out.

    Args:
        step: The type of the step.
        version: Its version.
        code: The digest of its code, "sha256:…".
        image: The image that it runs in, best by digest.
        command: The command that runs in the image.
        parameters: By name; each is a component, so that a miss says which one is new.
        environment: By name, likewise.
        inputs: The identities of the artifacts of each input, in their order; see `identity_of`.
        outputs: For each output that is a file, its suffixes: what it writes may depend on them.
    """
    single = {
        "step": step,
        "version": version,
        "code": code,
        "image": image,
        "command": None if command is None else list(command),
    }
    components: dict[str, object] = {name: v for name, v in single.items() if v is not None}
    groups: dict[str, Mapping[str, object] | None]
    groups = {"parameters": parameters, "environment": environment, "inputs": inputs}
    groups["outputs"] = outputs
    for group, members in groups.items():
        components |= {f"{group}.{name}": value for name, value in (members or {}).items()}
    return components


def identity_of(
    artifact: Artifact, by: Identity | Literal["AUTO", "CONTENT", "VERSION", "ID"] = Identity.AUTO
) -> dict[str, object]:
    """Return the identity of an artifact in a key: {"content": …}, {"uri": …, …} or {"id": …}.

    Raises:
        InvalidArgument: The artifact has no identity of this kind.
    """
    by = member(Identity, by, "the identity")
    digest = digest_of(artifact)
    if by in {Identity.AUTO, Identity.CONTENT} and digest is not None:
        return {"content": str(digest)}
    version = version_of(artifact)
    is_versioned = artifact.uri is not None and version is not None
    if is_versioned and by in {Identity.AUTO, Identity.VERSION}:
        return {"uri": artifact.uri, "version": version}
    if by in {Identity.AUTO, Identity.ID} and artifact.id is not None:
        return {"id": artifact.id}
    identity_name = "digest, version or id" if by is Identity.AUTO else by.lower()
    raise errors.InvalidArgument(
        f"an input has no {identity_name} by which it could be known again"
    )
