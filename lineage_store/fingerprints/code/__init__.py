"""One digest for the code of a function and everything that code reaches.

The digest covers the function's instructions and constants; its defaults, annotations and closure;
each layer that decorates it; and, for every name that it mentions, the function, class, module or
value behind the name, and everything that it reaches in turn, across all modules of the project.
Code that is installed counts by name and version, and Python by its version.

Whatever has no fingerprint is an error that names it: a digest never leaves anything out.
"""

from lineage_store.fingerprints.code.classes import count_settings
from lineage_store.fingerprints.code.digests import Code, code_digest, code_of, value_digest
from lineage_store.fingerprints.code.encoding import see_through
from lineage_store.fingerprints.code.graph import NoFingerprint

__all__ = [
    "Code",
    "NoFingerprint",
    "code_digest",
    "code_of",
    "count_settings",
    "see_through",
    "value_digest",
]
