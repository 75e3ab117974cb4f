"""pydantic 2: models by fields, extra and private values, and which fields were set; secrets.

A model tells a field that was set to its default from one that was not: `exclude_unset` sees it.
The fingerprint of a secret is made of its value, which is written nowhere.
"""

from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.instances import state
from lineage_store.fingerprints.walk import Part, Walk


def parts(pydantic: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of pydantic; None: its type is unknown."""
    if isinstance(value, pydantic.BaseModel):
        return iter([state(value, walk)])
    if isinstance(value, pydantic.Secret | pydantic.SecretStr | pydantic.SecretBytes):
        return walk.tokens([value.get_secret_value()])
    if isinstance(value, pydantic.AnyUrl):
        return walk.tokens([str(value)])
    return None


def core_parts(pydantic_core: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of pydantic_core; None: its type is unknown."""
    kinds = (pydantic_core.Url, pydantic_core.MultiHostUrl)
    return walk.tokens([str(value)]) if isinstance(value, kinds) else None
