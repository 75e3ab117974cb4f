"""Claims of cache keys in the database.

The row of a key stays when its claim ends, so that the token of the next claim is greater.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import bindparam, select

from lineage_store.database import tables
from lineage_store.database.clock import now_us
from lineage_store.database.connection import Connection
from lineage_store.database.facts import FactKey
from lineage_store.database.staging.journal import Journal, Staged
from lineage_store.database.statements import ListStatement, slots

CacheKey = tuple[str, bytes]
"""Scope and digest."""

_c = tables.cache_claims.c
_CLAIMS = ListStatement(
    lambda n: select(_c.scope, _c.digest, _c.holder, _c.token, _c.expires_at, _c.ended).where(
        _c.scope == bindparam("in_scope"), _c.digest.in_(slots(n))
    )
)


class Ended(IntEnum):
    """The way in which a claim ended."""

    NOT_YET = 0
    """It has not ended, unless its time is over."""
    PUBLISHED = 1
    RELEASED = 2


@dataclass(frozen=True, slots=True)
class StoredClaim:
    """The newest claim of a key.

    Attributes:
        scope: The scope of the key.
        digest: The key.
        holder: The holder.
        token: Greater than those of all holders before.
        expires_at: When its time is over, in ms.
        ended: The way in which it ended before that.
    """

    scope: str
    digest: bytes
    holder: str
    token: int
    expires_at: int
    ended: Ended = Ended.NOT_YET

    @property
    def key(self) -> CacheKey:
        """Scope and digest."""
        return self.scope, self.digest


class Claims:
    """Claims within a transaction, staged changes included."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        self._connection = connection
        self._stored: dict[CacheKey, StoredClaim | None] = {}
        self._changed: Staged[CacheKey, StoredClaim] = Staged(journal)

    def load(self, scope: str, digests: Iterable[bytes]) -> None:
        """Read the claims of some keys with one statement, so that `find` needs none."""
        missing_digests = [d for d in dict.fromkeys(digests) if (scope, d) not in self._stored]
        self._stored.update(dict.fromkeys((scope, digest) for digest in missing_digests))
        for claim in self._read(scope, missing_digests):
            self._stored[claim.key] = claim

    def _read(self, scope: str, digests: Sequence[bytes]) -> list[StoredClaim]:
        rows = self._connection.rows_of(_CLAIMS, digests, in_scope=scope)
        return [
            StoredClaim(row_scope, bytes(digest), holder, token, expires_at, Ended(ended))
            for row_scope, digest, holder, token, expires_at, ended in rows
        ]

    def find(self, scope: str, digest: bytes) -> StoredClaim | None:
        """Return the newest claim of a key, or None if it was never claimed."""
        key = (scope, digest)
        if key in self._changed.items:
            return self._changed.items[key]
        if key not in self._stored:
            self.load(scope, [digest])
        return self._stored[key]

    def put(self, claim: StoredClaim) -> None:
        """Stage a claim."""
        self._changed.put(claim.key, claim)

    def flush(self) -> None:
        """Write all staged claims."""
        moment = now_us()
        rows = [
            (c.scope, c.digest, c.holder, c.token, c.expires_at, int(c.ended), moment)
            for c in self._changed.items.values()
        ]
        self._connection.insert(tables.cache_claims, rows, on_conflict="update")

    @staticmethod
    def facts() -> dict[int, Sequence[FactKey]]:
        """Return nothing: who runs a step at the moment is no fact."""
        return {}
