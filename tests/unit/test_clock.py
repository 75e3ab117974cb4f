"""The time of a store goes forward whatever happens to the clock of the machine."""

import pytest

from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database import clock
from lineage_store.database.clock import FURTHEST_AHEAD_S, Clock
from tests.conformance.conftest import Call

SECOND = 10**9
HOUR = 3600 * SECOND
NOW = 1_796_000_000 * SECOND


class Machine:
    """The clocks of a machine, to be set by hand, in ns."""

    def __init__(self) -> None:
        self.wall = NOW
        self.monotonic = 5 * SECOND

    def pass_by(self, ns: int) -> None:
        self.wall += ns
        self.monotonic += ns

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.monotonic)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_clock_that_is_set_back_goes_on(machine: Machine) -> None:
    clock = machine.clock()
    machine.pass_by(SECOND)
    assert clock.now_ns() == NOW + SECOND
    machine.wall -= HOUR
    machine.pass_by(SECOND)
    assert clock.now_ns() == NOW + 2 * SECOND
    machine.pass_by(HOUR)
    assert clock.now_ns() == NOW + 2 * SECOND + HOUR


def test_a_clock_that_is_set_forward_is_followed(machine: Machine) -> None:
    clock = machine.clock()
    machine.wall += HOUR
    assert clock.now_ns() == NOW + HOUR
    machine.wall -= HOUR
    assert clock.now_ns() == NOW + HOUR


def test_it_goes_on_from_the_last_stamp_of_a_store(machine: Machine) -> None:
    clock = machine.clock()
    last = (NOW + HOUR) // 1000
    clock.not_before(last)
    assert clock.now_ns() // 1000 == last + 1
    machine.pass_by(SECOND)
    assert clock.now_ns() // 1000 == last + 1 + SECOND // 1000
    clock.not_before(last)
    assert clock.now_ns() // 1000 == last + 1 + SECOND // 1000


def test_a_stamp_far_ahead_is_not_followed(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    clock = machine.clock()
    clock.not_before((NOW + (FURTHEST_AHEAD_S + 1) * SECOND) // 1000)
    assert clock.now_ns() == NOW
    assert "7201 s ahead of the clock" in caplog.text


def test_no_version_is_older_than_the_one_before(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    """An update, and a process that begins, on a machine whose clock was set back by an hour."""
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setattr(clock, "CLOCK", machine.clock())
    transport = EmbeddedTransport(url)
    call = Call(transport, dict)
    [artifact] = call.put("artifact", {"type_id": call.type()})
    machine.wall -= HOUR
    machine.pass_by(SECOND)
    call.put("artifact", {"id": artifact, "type_id": 10, "uri": "second"})
    transport.close()
    monkeypatch.setattr("lineage_store.database.database.CLOCK", restarted := machine.clock())
    monkeypatch.setattr(clock, "CLOCK", restarted)
    transport = EmbeddedTransport(url)
    call = Call(transport, dict)
    call.put("artifact", {"id": artifact, "type_id": 10, "uri": "third"})
    rows = transport._engine._database._writer._raw.execute(
        "SELECT revision, recorded_at, replaced_at FROM node_versions ORDER BY revision"
    ).fetchall()
    [(now,)] = transport._engine._database._writer._raw.execute("SELECT recorded_at FROM artifacts")
    transport.close()
    moments = [moment for _, *pair in rows for moment in pair] + [now]
    assert moments == sorted(moments)
    assert [start < end for _, start, end in rows] == [True, True]
    assert moments[0] >= NOW // 1000
