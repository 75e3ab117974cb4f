"""The RPCs about the past of a store."""

from lineage_store.engine.history import changes, revisions, versions
from lineage_store.engine.method import Method, Mode, methods

METHODS: dict[str, Method] = {
    **methods(
        Mode.HISTORY,
        {
            "GetRevision": revisions.get_revision,
            "GetHistory": versions.get_history,
            "GetChanges": changes.get_changes,
        },
    ),
    "Watch": Method(changes.watch, Mode.WATCH),
}
