"""Digests of values, files and code: equal things have equal digests, in any process.

This package knows no store. `fingerprint` returns the digest of a value; `register` adds a type.
"""

from lineage_store.fingerprints.values import fingerprint, register

__all__ = ["fingerprint", "register"]
