"""Options of recording and of the cache."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from lineage_store import errors
from lineage_store.cache.keys import Identity
from lineage_store.client.cache import LEASE
from lineage_store.entities.values import member

CacheMode = bool | Literal["refresh"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOptions:
    """Options of the way from runs and steps to the store.

    Attributes:
        spool: The directory of the files that keep records until the store has them; None: that
            of the environment variable LINEAGE_STORE_SPOOL, else in the cache of the user.
        spool_bytes: The maximum size of a store's spool, and again of all its journals; records
            that fit into neither wait in memory.
        buffer_records: The number of records that may wait in memory; more go to the spool, else
            to the journal. If no file takes them, the code that records waits up to flush_seconds
            for a store that is there; records that it does not take are lost, counted and logged.
        buffer_bytes: The number of bytes that these may have.
        decide_seconds: The deadline of a cache decision; after it, the decision is a miss.
        flush_seconds: The time that the end of a run, or of the process, waits until all is sent
            or in a file.
        retry_seconds: The time between two looks for a store that was away, and the time for
            which a spool that failed is left alone.
        heartbeat_seconds: The time between two records that a step still runs.
    """

    spool: Path | str | None = None
    spool_bytes: int = 1024 * 1024 * 1024
    buffer_records: int = 10_000
    buffer_bytes: int = 64 * 1024 * 1024
    decide_seconds: float = 2.0
    flush_seconds: float = 10.0
    retry_seconds: float = 1.0
    heartbeat_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """Options of a step's use of the cache.

    Attributes:
        scope: Entries of one scope are not seen in another.
        max_age: Older entries do not count; None: of any age.
        time_to_live: The time for which the entry of this step hits; None: without end.
        identity: The rule by which two inputs are the same.
        require_live: Each output must be LIVE in the store.
        verify: Outputs that are local files must be there, with unchanged content.
        wait: The time to wait for another that runs the same; None: as long as it lives.
        lease: The time without a sign of life after which another may run the same.
        names: The base name of an input file counts, beside its content.
        refresh: Do not ask: run, and publish the outcome in place of the earlier one.

    Raises:
        InvalidArgument: A field has a value of the wrong type, or a time is negative.
    """

    scope: str = ""
    max_age: timedelta | None = None
    time_to_live: timedelta | None = None
    identity: Identity = Identity.AUTO
    require_live: bool = True
    verify: bool = True
    wait: timedelta | None = None
    lease: timedelta = LEASE
    names: bool = True
    refresh: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.scope, str):
            raise errors.InvalidArgument(f"Caching.scope is text, not {self.scope!r:.80}")
        for name in ("require_live", "verify", "names", "refresh"):
            if not isinstance(getattr(self, name), bool):
                value = getattr(self, name)
                raise errors.InvalidArgument(f"Caching.{name} is True or False, not {value!r:.80}")
        for name in ("max_age", "time_to_live", "wait"):
            _check_time(name, getattr(self, name), is_optional=True)
        _check_time("lease", self.lease, is_optional=False)
        object.__setattr__(self, "identity", member(Identity, self.identity, "Caching.identity"))

    @classmethod
    def of(cls, cache: "CacheMode | Caching") -> "Caching | None":
        """Return the options that `cache=` stands for; None: do not use the cache.

        Raises:
            InvalidArgument: It is none of True, False, "refresh" and a `Caching`.
        """
        if isinstance(cache, Caching):
            return cache
        if isinstance(cache, bool):
            return cls() if cache else None
        if cache == "refresh":
            return cls(refresh=True)
        raise errors.InvalidArgument(
            f'cache is True, False, "refresh" or a Caching, not {cache!r:.80}'
        )


def _check_time(name: str, value: object, *, is_optional: bool) -> None:
    if value is None and is_optional:
        return
    if not isinstance(value, timedelta):
        raise errors.InvalidArgument(
            f"Caching.{name} is a timedelta, not {value!r:.80}; write timedelta(seconds=…)"
        )
    if value < timedelta(0):
        raise errors.InvalidArgument(f"Caching.{name} is negative: {value}")
