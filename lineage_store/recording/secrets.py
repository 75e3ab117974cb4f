"""Secrets, which neither the record of a step nor its key may show.

In a record a secret is `***`. In a key, whose components anybody can read who reads the store, it
counts as its scrypt digest: a guess costs 20 ms and not a nanosecond.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lineage_store.masking import MASK, masked_text

_SALT = b"lineage-store secret 1"


def masked(value: Any) -> Any:  # noqa: ANN401 - of any type, which stays
    """Return a value with the credentials of all URLs in it masked; if there are none, itself."""
    if type(value) is str:
        return masked_text(value)
    if type(value) in {list, tuple}:
        items = type(value)(map(masked, value))
        return items if items != value else value
    if type(value) is dict:
        pairs = {masked(key): masked(item) for key, item in value.items()}
        return pairs if pairs != value else value
    return value


def is_secret_type(value: object) -> bool:
    """Return whether the type of a value says that it is a secret, as `SecretStr` does."""
    name = type(value).__module__.partition(".")[0]
    return name == "pydantic" and type(value).__name__.startswith("Secret")


def hide(parameters: Mapping[str, object], secret: frozenset[str]) -> dict[str, object]:
    """Return parameters as they are recorded."""
    return {
        name: MASK if name in secret or is_secret_type(value) else masked(value)
        for name, value in parameters.items()
    }


@lru_cache(maxsize=1024)
def secret_digest(fingerprint: str) -> str:
    """Return "scrypt:…" over the fingerprint of a secret."""
    digest = hashlib.scrypt(fingerprint.encode(), salt=_SALT, n=2**13, r=8, p=1, dklen=32)
    return f"scrypt:{digest.hex()}"
