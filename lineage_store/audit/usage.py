"""The executions that used a commit, an image or a version of a library."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from lineage_store import errors
from lineage_store.audit.vocabulary import (
    COMMIT,
    IMAGE,
    libraries_of,
    library_name,
    values_of,
)
from lineage_store.entities import Execution, Node

MIN_DIGITS = 7
"""Digits of a commit, or of the digest of an image, that may stand for all of them."""

_LIBRARY = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(==(?P<version>\S+))?")
_HEXADECIMAL = re.compile(rf"(sha256:)?[0-9a-f]{{{MIN_DIGITS},}}", re.IGNORECASE)
_MAX_VALUE = 1_000

User = tuple[Execution, str, str]
"""An execution, with the property that names what it used, and its value."""


@dataclass
class Usage:
    """The users of one commit, image or library, gathered from pages of executions.

    Attributes:
        kind: "commit", "image" or "library".
        value: The one to look for, in lower case.
        users: The executions that name it.
        silent: The executions that name none of the kind.
    """

    kind: str
    value: str
    users: list[User] = field(default_factory=list)
    silent: list[Execution] = field(default_factory=list)

    @classmethod
    def of(cls, kind: str, value: str) -> Self:
        """Return the usage of a value, empty so far.

        Raises:
            InvalidArgument: The value is none of that kind.
        """
        text = value.strip()
        is_digest = _HEXADECIMAL.fullmatch(text) is not None
        valid = {
            "commit": is_digest,
            "image": bool(text) and (is_digest or not re.fullmatch(r"[0-9a-fA-F]+", text)),
            "library": _LIBRARY.fullmatch(text) is not None,
        }
        if len(text) > _MAX_VALUE or not valid[kind]:
            raise errors.InvalidArgument(
                f"value: {text[:60]!r} is no {kind}; give {MIN_DIGITS} digits of a commit or of "
                "the digest of an image at least, the name of an image, or numpy==1.26.4"
            )
        return cls(kind, text.lower())

    @property
    def runs(self) -> list[Execution]:
        """The users that are whole runs."""
        return [execution for execution, _, _ in self.users if execution.type == "PipelineRun"]

    def take(self, executions: Iterable[Execution]) -> int:
        """Look through some executions; return how many of them are users."""
        before = len(self.users)
        for execution in executions:
            facts = self.facts(execution)
            self.users += [(execution, n, t) for n, t in facts.items() if self._matches(n, t)]
            if not facts:
                self.silent.append(execution)
        return len(self.users) - before

    def facts(self, node: Node) -> dict[str, str]:
        """Return the properties of a node that name something of the kind."""
        if self.kind == "library":
            return libraries_of(node)
        names = COMMIT if self.kind == "commit" else IMAGE
        return {name: text for name, text in values_of(node).items() if name in names}

    def _matches(self, name: str, text: str) -> bool:
        if self.kind == "library":
            selection, _, version = self.value.partition("==")
            return name == library_name(selection) and version in {"", text.lower()}
        stored = text.lower()
        digest = stored.rpartition("@")[2].removeprefix("sha256:")
        is_prefix = _HEXADECIMAL.fullmatch(self.value) is not None
        selection = self.value.removeprefix("sha256:")
        return stored == self.value or (is_prefix and digest.startswith(selection))
