"""Time zones of pytz and dateutil: the name of the zone, and the offset if it is a fixed one."""

from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.walk import Part, Walk


def pytz_parts(pytz: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a zone of pytz: its text has the name and the offset."""
    return walk.tokens([repr(value)]) if isinstance(value, pytz.tzinfo.BaseTzInfo) else None


def dateutil_parts(dateutil: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a zone of dateutil; `tzlocal` does not tell which it is."""
    kinds = (dateutil.tz.tzutc, dateutil.tz.tzoffset, dateutil.tz.tzfile)
    return walk.tokens([repr(value)]) if isinstance(value, kinds) else None
