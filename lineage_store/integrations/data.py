"""Old name of `lineage_store.integrations.artifacts`, for one release."""

import warnings

from lineage_store.integrations.artifacts import file_artifact, uri_artifact, value_artifact

__all__ = ["file_artifact", "uri_artifact", "value_artifact"]

warnings.warn(
    "import artifacts from lineage_store.integrations.artifacts",
    DeprecationWarning,
    stacklevel=2,
)
