"""Gaps in the record of a step or a run, noted so that nobody takes it for complete."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token

from lineage_store.entities import Execution
from lineage_store.entities.values import PropertyValue
from lineage_store.lineage.verdict import counted
from lineage_store.recording.naming import INCOMPLETE
from lineage_store.recording.values import clean

MAX_NAMES = 10
"""Gaps of one noun that are named; the rest is a number."""

MAX_WHY = 200
"""Characters of a reason."""

MAX_TEXT = 4_000
"""Characters of the whole text."""

FAILURE = ""
"""The noun of a failed call of recording."""

SOURCE = "source"
"""The noun of the execution that a step was served from, if something of that is missing."""

Warn = Callable[..., None]
"""Logs a warning, once for each kind: kind, message and its arguments."""

_current_gaps: ContextVar["Gaps | None"] = ContextVar("lineage_store_gaps", default=None)
"""The gaps of the step that this code runs in."""


class Gaps:
    """The gaps in the record of a step or a run; safe for many threads.

    Args:
        owner: The step or run, for people: "step train of run nightly".
        warn: Logs a warning for each gap.
    """

    def __init__(self, owner: str, warn: Warn) -> None:
        self.owner = clean(owner)
        self._warn = warn
        self._failures = 0
        self._reasons: dict[tuple[str, str], str] = {}
        self._token: Token[Gaps | None] | None = None

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def add(self, noun: str, name: str, why: object) -> None:
        """Note that something is not recorded, and log it.

        Args:
            noun: Its kind: "input", "output", "metric".
            name: Its name.
            why: The reason; an error as it is.
        """
        name, reason = clean(name), _reason(why)
        if self._note(noun, name, reason):
            kind = f"gap {self.owner.partition(' of run ')[0]} {noun} {name}"
            self._warn(kind, "%s: the %s %s is not recorded: %s", self.owner, noun, name, reason)

    def fail(self, call_name: str, error: Exception) -> None:
        """Note that a call of recording failed, and log it."""
        self._failures += 1
        reason = f"{type(error).__name__}: {_reason(error)}"
        if self._note(FAILURE, call_name, reason):
            kind = f"{call_name} {type(error).__name__}"
            self._warn(
                kind, "the lineage of %s is incomplete: %s: %s", self.owner, call_name, reason
            )

    def inherit(self, source: Execution) -> None:
        """Note the gaps of the execution that the outcome is taken from, if they differ."""
        text = source.custom_properties.get(INCOMPLETE)
        if isinstance(text, str) and text != str(self):
            self._note(SOURCE, f"execution {source.id}", text)

    def _note(self, noun: str, name: str, reason: str) -> bool:
        """Note something; return whether it is new. The first reason stays."""
        return self._reasons.setdefault((noun, name), reason) is reason

    def properties(self) -> dict[str, PropertyValue]:
        """Return the property that records the gaps, if there are any."""
        return {INCOMPLETE: str(self)} if self._reasons else {}

    def __str__(self) -> str:
        """Return for example "1 output not recorded: fig (a DataFrame is no output)"."""
        groups: dict[str, list[str]] = {}
        for (noun, name), reason in list(self._reasons.items()):
            groups.setdefault(noun, []).append(f"{name} ({_brief(reason)})")
        text = "; ".join(_group(noun, several) for noun, several in groups.items())
        return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"

    def watch(self, call: Callable[[], object]) -> bool:
        """Make a call of recording; return whether it succeeded, and note a failure here."""
        before, token = self._failures, _current_gaps.set(self)
        try:
            call()
        finally:
            _current_gaps.reset(token)
        return self._failures == before

    def enter(self) -> None:
        """Note failures in code that knows of no step, too, until the same code calls `leave`."""
        self._token = _current_gaps.set(self)

    def leave(self) -> None:
        """Stop noting failures in code that knows of no step."""
        if self._token is not None:
            with suppress(ValueError):  # a generator that is closed in another context
                _current_gaps.reset(self._token)
            self._token = None


def _group(noun: str, several: Sequence[str]) -> str:
    names = ", ".join(several[:MAX_NAMES])
    more = f" and {len(several) - MAX_NAMES:,} more" if len(several) > MAX_NAMES else ""
    if noun == FAILURE:
        return f"failed: {names}{more}"
    if noun == SOURCE:
        return f"served from {names}"
    return f"{counted(len(several), noun)} not recorded: {names}{more}"


def _reason(why: object) -> str:
    try:
        return clean(why)
    except Exception:
        return type(why).__name__


def _brief(reason: str) -> str:
    """Return a reason without the remedy, which the log has."""
    text = " ".join(reason.partition(": give ")[0].split())
    return text if len(text) <= MAX_WHY else f"{text[: MAX_WHY - 1]}…"


def gaps_among(arguments: Sequence[object]) -> Gaps | None:
    """Return the gaps of the step or run that is among some arguments, or that code runs in."""
    for argument in arguments:
        try:
            gaps = getattr(argument, "gaps", None)
        except Exception:  # noqa: S112 - whatever user code does when it is asked
            continue
        if isinstance(gaps, Gaps):
            return gaps
    return _current_gaps.get()
