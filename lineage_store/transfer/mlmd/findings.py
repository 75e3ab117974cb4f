"""Findings of an import or export: values that could not be moved as they were."""

from collections.abc import Callable
from dataclasses import dataclass

SHOWN = 1_000
"""Findings that are kept and told one by one; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that did not fit.

    Attributes:
        where: Its place, such as "artifact 12, custom property 'x'".
        message: The reason why it does not fit.
        action: The way in which it was changed or left out.
    """

    where: str
    message: str
    action: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}; {self.action}"


class Findings:
    """The findings of one import or export, each handed to `tell` at once.

    Attributes:
        count: The number of findings.
        shown: The first of them.
    """

    def __init__(self, tell: Callable[[Finding], None] = lambda _: None) -> None:
        self.count = 0
        self.shown: list[Finding] = []
        self._tell = tell

    def add(self, where: str, message: str, action: str) -> None:
        """Remember a finding."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(Finding(where, message, action))
            self._tell(self.shown[-1])
