"""Times in answers, as texts of ISO 8601 in UTC."""

from lineage_store.entities.tables import cell


def time_text(milliseconds: int | None) -> str | None:
    """Return a time in ms since the epoch as a text; None if there is none."""
    return None if milliseconds is None else cell("time", milliseconds)


def stamp_text(microseconds: int) -> str:
    """Return a time in µs since the epoch as a text, to the millisecond."""
    return cell("time", microseconds // 1000)
