"""The switch of a hook: on or off at each event, so that no event ever hurts the tool."""

import gc
import importlib
import logging
import os
from types import ModuleType
from typing import Any

from lineage_store.integrations.tools import TOOLS, Tool

URL = "LINEAGE_STORE_URL"
"""The environment variable that names the store; while it is not set, all hooks are off."""

_UNSUPPORTED = "LINEAGE_STORE_MISFIT"
"""The environment variable that keeps child processes from logging the same warning again."""

logger = logging.getLogger("lineage_store.integrations")

_logged_messages: set[str] = set()


def log_once(message: str) -> None:
    """Log a warning that was not logged before; the same again as debugging."""
    logger.log(logging.DEBUG if message in _logged_messages else logging.WARNING, "%s", message)
    _logged_messages.add(message)


class Switch:
    """Hands the events of a tool to its recorder, while there is a store to record to.

    It imports nothing but this module and `tools` until the first event, or `preload`, with
    LINEAGE_STORE_URL set.

    Args:
        name: Of the tool.
    """

    def __init__(self, name: str) -> None:
        self.tool: Tool = TOOLS[name]
        self._events: dict[str, object] = {}

    def __call__(self, event: str, /, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - each event has its own
        """Return the result of an event, of the type that it has; None: off, or it failed."""
        url = os.environ.get(URL, "").strip()
        if not url:
            return None
        try:
            events = self._events_for(url)
            return None if events is None else getattr(events, event)(*args, **kwargs)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            log_once(f"lineage of {self.tool.name} is incomplete: {event}: {failure}")
            logger.debug("the traceback of it", exc_info=True)
            return None

    @property
    def is_on(self) -> bool:
        """True if LINEAGE_STORE_URL is set, and the version of the tool is supported."""
        return bool(os.environ.get(URL, "").strip()) and self.fits()

    def fits(self) -> bool:
        """Return whether the hook supports the version of the tool; log it if it does not."""
        version = self.tool.installed()
        unsupported = None if version is None else self.tool.unsupported_version(version)
        if (
            unsupported is not None
            and os.environ.get(URL)
            and os.environ.get(_UNSUPPORTED) != unsupported
        ):
            log_once(f"{unsupported}; nothing is recorded")
            os.environ[_UNSUPPORTED] = unsupported
        return unsupported is None

    def preload(self) -> None:
        """Import the recorder, if there is a store, so that forked processes need not."""
        try:
            if self.is_on:
                _imported(self.tool.events.partition(":")[0])
        except Exception as error:  # the first event logs the consequence
            logger.debug("nothing is preloaded: %s", error)

    def _events_for(self, url: str) -> object:
        """Return the recorder of events to the store at a URL, made at the first event."""
        if url not in self._events:
            self._events[url] = None  # if it can't be made, it is not tried again
            self._events[url] = self._make_events(url) if self.fits() else None
        return self._events[url]

    def _make_events(self, url: str) -> object:
        module, _, name = self.tool.events.partition(":")
        events: object = getattr(_imported(module), name)(self.tool, url)
        return events


def _imported(module: str) -> ModuleType:
    """Import a module while the collector of garbage rests.

    A module is no garbage, but each that is imported brings nearer the time at which the collector
    walks over all that the tool has loaded: this takes as long as all our imports.
    """
    if not gc.isenabled():
        return importlib.import_module(module)
    gc.disable()
    try:
        return importlib.import_module(module)
    finally:
        gc.enable()
