"""The table of all commands. It imports nothing, so that reading it costs nothing."""

SUMMARY = "Record, read and serve the lineage of machine-learning pipelines."

COMMANDS: dict[str, tuple[str, str, str]] = {
    "artifacts": ("nodes", "artifacts", "List artifacts, or show one."),
    "audit": ("audit", "audit", "Answer the questions of an audit on a model."),
    "cache": ("cache", "cache", "List, explain and invalidate cache entries."),
    "changes": ("history", "changes", "List commits in their order, or follow them."),
    "compare": ("lineage", "compare", "Say why two artifacts differ."),
    "completion": ("completion", "completion", "Install shell completion, or print its script."),
    "contexts": ("nodes", "contexts", "List contexts, or show one."),
    "copy": ("transfer", "copy", "Copy a store into an empty database."),
    "db": ("db", "db", "Check, back up and upgrade the database of a store."),
    "dump": ("transfer", "dump", "Write a store into an archive."),
    "events": ("nodes", "events", "List events between artifacts and executions."),
    "executions": ("nodes", "executions", "List executions, or show one."),
    "export": ("transfer_mlmd", "export_group", "Write a store into a new MLMD database."),
    "hooks": ("hooks", "hooks", "Show and diagnose the hooks of orchestrators."),
    "impact": ("lineage", "impact", "List everything made from a node, models first."),
    "import": ("transfer_mlmd", "import_group", "Fill an empty store from an MLMD database."),
    "lineage": ("lineage", "lineage", "Show the inputs or the outputs of a node, hop by hop."),
    "load": ("transfer", "load", "Read an archive into an empty database."),
    "paths": ("lineage", "paths", "Show the paths from one node to another."),
    "revision": ("history", "revision", "Show the last revision, or that of a time."),
    "runs": ("runs", "runs", "List runs of pipelines, or draw the steps of one."),
    "spool": ("spool", "spool", "Show and replay records that wait for their store."),
    "types": ("nodes", "types", "List types of nodes, or show one."),
}
"""For each command its module in this package, its name there, and its short help."""

EXTENSION_GROUP = "lineage_store.commands"
"""The entry points by which an installed package offers commands of its own."""

EXTENSION_HELP = {"serve": "Serve a store over gRPC."}
"""The short help of the commands that come with this distribution, by name."""
