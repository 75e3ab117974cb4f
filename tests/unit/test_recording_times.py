"""The times at which recorded runs and steps began and ended."""

import pytest

from lineage_store.recording.outcomes import end_properties, now_ms, start_time


def test_a_beginning_that_is_told_later_counts_from_when_it_was() -> None:
    started = now_ms() - 60_000
    properties = end_properties(*start_time(started), None)
    assert properties["ended_at"] == started + properties["duration_ms"]
    assert now_ms() - 20_000 <= properties["ended_at"] <= now_ms() + 1


def test_a_beginning_that_another_clock_puts_into_the_future_has_no_duration() -> None:
    started = now_ms() + 60_000
    assert end_properties(*start_time(started), None) == {"ended_at": started, "duration_ms": 0}


@pytest.mark.parametrize(("ended_at", "duration"), [(1_500, 500), (900, 0)])
def test_an_end_that_is_told_is_kept(ended_at: int, duration: int) -> None:
    assert end_properties(*start_time(1_000), ended_at) == {
        "ended_at": ended_at,
        "duration_ms": duration,
    }


def test_what_did_not_begin_in_this_process_has_no_duration() -> None:
    assert end_properties(0, 0.0, 7) == {"ended_at": 7}
