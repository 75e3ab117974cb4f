"""Whether a hook records, decided at each event, and that no event ever hurts the tool."""

import gc
import importlib
import logging
import os
from typing import Any

from lineage_store.integrations.tools import TOOLS, Tool

URL = "LINEAGE_STORE_URL"
"""The environment variable that names the store; while it is not set, all hooks are off."""

_MISFIT = "LINEAGE_STORE_MISFIT"
"""The environment variable that keeps the processes that this one starts from telling it again."""

logger = logging.getLogger("lineage_store.integrations")

_told: set[str] = set()


def tell_once(message: str) -> None:
    """Log a warning that was not logged before; the same again as debugging."""
    logger.log(logging.DEBUG if message in _told else logging.WARNING, "%s", message)
    _told.add(message)


class Switch:
    """Hands the events of a tool to what records them, while there is a store to record to.

    It imports nothing but this module and `tools` until the first event, or `preload`, with
    LINEAGE_STORE_URL set.

    Args:
        name: Of the tool.
    """

    def __init__(self, name: str) -> None:
        self.tool: Tool = TOOLS[name]
        self._events: dict[str, Any] = {}

    def __call__(self, event: str, /, *args: Any, **kwargs: Any) -> Any:
        """Return what the method `event` of the tool's events returns; None: off, or it failed."""
        url = os.environ.get(URL, "").strip()
        if not url:
            return None
        try:
            events = self._of(url)
            return None if events is None else getattr(events, event)(*args, **kwargs)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
            tell_once(f"lineage of {self.tool.name} is incomplete: {event}: {found}")
            logger.debug("the traceback of it", exc_info=True)
            return None

    @property
    def is_on(self) -> bool:
        """Whether LINEAGE_STORE_URL is set, and the version of the tool is one that is known."""
        return bool(os.environ.get(URL, "").strip()) and self.fits()

    def fits(self) -> bool:
        """Return whether the tool has a version that the hook is made for; say so if it has not."""
        version = self.tool.installed()
        misfit = None if version is None else self.tool.misfit(version)
        if misfit is not None and os.environ.get(URL) and os.environ.get(_MISFIT) != misfit:
            tell_once(f"{misfit}; nothing is recorded")
            os.environ[_MISFIT] = misfit
        return misfit is None

    def preload(self) -> None:
        """Import what records, if there is a store: what this process forks need not then."""
        try:
            if self.is_on:
                _imported(self.tool.events.partition(":")[0])
        except Exception as error:  # the first event tells what it means
            logger.debug("nothing is preloaded: %s", error)

    def _of(self, url: str) -> Any:
        """Return what records the events to the store at a URL, made at the first of them."""
        if url not in self._events:
            self._events[url] = None  # if it can't be made, it is not tried again
            self._events[url] = self._made(url) if self.fits() else None
        return self._events[url]

    def _made(self, url: str) -> Any:
        module, _, name = self.tool.events.partition(":")
        return getattr(_imported(module), name)(self.tool, url)


def _imported(module: str) -> Any:
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
