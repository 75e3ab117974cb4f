"""Loads the hooks of tools that look for none, right after a program has imported the tool.

The wheel puts `lineage_store_hooks.pth` beside the package, a line that Python runs when it starts:
while LINEAGE_STORE_URL is set, it imports this module. A program that never imports such a tool is
left as it is, and waits for nothing but this: so it imports little.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from lineage_store.integrations.tools import TOOLS


class HookFinder:
    """Finds modules as the other finders do, and imports a hook after one of them.

    Args:
        hooks: The module of the hook, by the module that it comes after.
    """

    def __init__(self, hooks: dict[str, str]) -> None:
        self._hooks = hooks

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that a hook comes after; None: it is another."""
        del path, target
        hook = self._hooks.pop(fullname, None)
        if hook is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is not None:
            _load_after(spec, hook)
        return spec


def _load_after(spec: ModuleSpec, hook: str) -> None:
    """Make the loader of a module import a hook once it has executed the module."""
    loader = spec.loader
    if loader is None:
        return
    execute = loader.exec_module

    def execute_and_load(module: ModuleType) -> None:
        execute(module)
        try:
            importlib.import_module(hook)
        except Exception as error:
            import logging  # noqa: PLC0415 - only when it is needed

            logging.getLogger(__name__).warning("%s can't be loaded: %r", hook, error)

    loader.exec_module = execute_and_load  # type: ignore[method-assign]


_prefix = __name__.rpartition(".")[0]
sys.meta_path.insert(
    0, HookFinder({t.after: f"{_prefix}.{t.name}.hook" for t in TOOLS.values() if t.after})
)
