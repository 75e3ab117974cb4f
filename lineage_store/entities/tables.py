"""Things of a store as tables: for a terminal, a notebook and pandas."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import PurePath
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from lineage_store import errors
from lineage_store.entities.plain import plain, printable

if TYPE_CHECKING:
    from pandas import DataFrame

TIMES = frozenset(
    {
        "create_time",
        "update_time",
        "time",
        "published_at",
        "oldest",
        "started_at",
        "heard_of_at",
        "expires_at",
        "last_hit_at",
        "invalidated_at",
    }
)
"""The names of fields that hold a time, in ms since the epoch."""

_MAX_CELL = 120
_MAX_COLUMNS = 14

_SHORT = Repr()
_SHORT.maxdict = _SHORT.maxlist = 3
_SHORT.maxstring = _SHORT.maxother = 100


def cell(name: str, value: object) -> str:
    """Return the value of a field as one line of text."""
    if value is None:
        return "-"
    if name in TIMES and isinstance(value, int):
        return _time_text(value)
    if name == "duration_ms" and isinstance(value, int):
        return duration_text(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str | PurePath):
        return printable(str(value))
    return printable(json.dumps(plain(value), ensure_ascii=False))


def _time_text(milliseconds: int) -> str:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def record(item: object) -> dict[str, object]:
    """Return the fields of a dataclass as one level of names; maps become `field.key`.

    >>> record(Artifact(id=7, type="Model", properties={"depth": 6}))["properties.depth"]
    6
    """
    columns: dict[str, object] = {}
    for name, value in _values_of(item):
        if isinstance(value, Mapping):
            columns.update((f"{name}.{key}", inner) for key, inner in value.items())
        else:
            columns[name] = value
    return columns


def html_table(items: Iterable[object], note: str = "") -> str:
    """Return things of one class as an HTML table, without the columns that none of them sets.

    Args:
        items: Instances of one dataclass.
        note: A line below the table.
    """
    records = [record(item) for item in items]
    columns = list(dict.fromkeys(name for row in records for name in row))
    columns = [name for name in columns if any(row.get(name) is not None for row in records)]
    columns.sort(key=lambda name: name if "." in name else "")  # values of maps come last
    shown, hidden = columns[:_MAX_COLUMNS], columns[_MAX_COLUMNS:]
    notes = [note] if note else []
    if hidden:
        notes.append(f"{len(hidden)} more columns: {_shortened(', '.join(hidden))}")
    rows = [[cell(name, row.get(name)) for name in shown] for row in records]
    return _table(shown, rows) + "".join(f"<p>{escape(text)}</p>" for text in notes)


def html_item(item: object) -> str:
    """Return the fields of one thing that are set as an HTML table of two columns."""
    return html_fields(record(item))


def html_fields(values: Mapping[str, object]) -> str:
    """Return named values as an HTML table of two columns, without those that are not set."""
    items = values.items()
    return _table([], [[name, cell(name, value)] for name, value in items if value is not None])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_shortened(text))}</td>' for text in row)}</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_CELL else f"{text[: _MAX_CELL - 1]}…"


def data_frame(items: Iterable[object]) -> "DataFrame":
    """Return things of one class as a pandas.DataFrame: a row each, a column a field.

    Times are in UTC, and the values of maps have columns such as "properties.depth".

    Raises:
        FailedPrecondition: pandas is not installed.
    """
    frame = rows_frame([record(item) for item in items])
    for name in TIMES.intersection(frame.columns):
        frame[name] = _pandas().to_datetime(frame[name], unit="ms", utc=True)
    return frame


def rows_frame(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str] | None = None
) -> "DataFrame":
    """Return rows as a pandas.DataFrame, with these columns or with all that they have.

    Raises:
        FailedPrecondition: pandas is not installed.
    """
    return _pandas().DataFrame(rows, columns=columns)


def _pandas() -> Any:  # noqa: ANN401 - a module
    try:
        import pandas as pd  # noqa: PLC0415 - heavy, and needed here alone
    except ImportError:
        raise errors.FailedPrecondition(
            "to_pandas needs pandas, which is not installed: pip install pandas"
        ) from None
    return pd


def short_repr(item: object) -> str:
    """Return a repr that leaves out the fields that are not set.

    >>> Artifact(id=7, type="Model")
    Artifact(id=7, type='Model')
    """
    values = {name: value for name, value in _values_of(item) if value is not None and value != {}}
    arguments = (f"{name}={_literal(value)}" for name, value in values.items())
    return f"{type(item).__name__}({', '.join(arguments)})"


def _literal(value: object) -> str:
    return _SHORT.repr(str(value) if isinstance(value, str) else value)


def _values_of(item: object) -> list[tuple[str, object]]:
    if not is_dataclass(item) or isinstance(item, type):
        return [("value", item)]
    return [(field.name, getattr(item, field.name)) for field in fields(item)]


def duration_text(milliseconds: int) -> str:
    """Return a duration as people say it.

    >>> duration_text(1_530), duration_text(192_000)
    ('1.5 s', '3 min 12 s')
    """
    if milliseconds < 1000:  # noqa: PLR2004 - ms in a second
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 60:  # noqa: PLR2004 - s in a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
