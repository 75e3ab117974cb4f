"""Old name of `lineage_store.fingerprints`."""

import warnings

from lineage_store.fingerprints import fingerprint, register

__all__ = ["fingerprint", "register"]

warnings.warn(
    "lineage_store.recording.fingerprints is now lineage_store.fingerprints",
    DeprecationWarning,
    stacklevel=2,
)
