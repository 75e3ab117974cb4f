"""The switch of a hook; nothing of a hook reaches the tool."""

import gc
import importlib
import logging
import subprocess
import sys
from typing import Any

import pytest

from lineage_store.integrations import switch
from lineage_store.integrations.switch import Switch
from lineage_store.integrations.tools import Tool


class Events:
    """A recorder of a hook, for tests."""

    def __init__(self, tool: Tool, url: str) -> None:
        self.url = url

    def answer(self, value: int) -> str:
        return f"{value} {self.url}"

    def fail(self) -> None:
        raise RuntimeError("boom")


class Unmade:
    def __init__(self, tool: Tool, url: str) -> None:
        raise RuntimeError("not today")


@pytest.fixture(autouse=True)
def nothing_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch, "_logged_messages", set())


def make_switch(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Switch:
    """Return the switch of a tool that is installed everywhere: pytest."""
    defaults = {"name": "t", "distribution": "pytest", "at_least": (1,), "below": (99,)}
    tool = Tool(**{"events": f"{__name__}:Events", **defaults, **fields})
    monkeypatch.setitem(switch.TOOLS, "t", tool)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Events.__module__])
    return Switch("t")


def test_it_is_off_without_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = make_switch(monkeypatch)
    monkeypatch.setenv("LINEAGE_STORE_URL", " ")
    assert hook("answer", 3) is None
    assert not hook.is_on
    monkeypatch.setenv("LINEAGE_STORE_URL", "grpc://a:1")
    assert hook("answer", 3) == "3 grpc://a:1"
    assert hook.is_on


def test_what_it_raises_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hook = make_switch(monkeypatch)
    monkeypatch.setenv("LINEAGE_STORE_URL", "grpc://a:1")
    with caplog.at_level(logging.WARNING):
        assert [hook("fail"), hook("fail"), hook("unknown")] == [None, None, None]
    failed, unknown = [r.getMessage() for r in caplog.records]
    assert failed == "lineage of t is incomplete: fail: RuntimeError: boom"
    assert unknown.startswith("lineage of t is incomplete: unknown: AttributeError: ")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [({"at_least": (98,)}, "too old: the hook is made for 98"), ({"below": (2,)}, "too new")],
)
def test_another_version_is_told_once(
    bounds: dict[str, Any],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LINEAGE_STORE_URL", "grpc://a:1")
    monkeypatch.setenv("LINEAGE_STORE_MISFIT", "another tool is too old")
    hook = make_switch(monkeypatch, **bounds)
    assert [hook("answer", 1), hook("answer", 2)] == [None, None]
    [record] = caplog.records
    assert says in record.getMessage()
    caplog.clear()
    switch._logged_messages.clear()  # as in a process that the tool starts
    assert make_switch(monkeypatch, **bounds)("answer", 1) is None
    assert caplog.records == []


def test_what_cannot_be_made_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hook = make_switch(monkeypatch, events=f"{__name__}:Unmade")
    monkeypatch.setenv("LINEAGE_STORE_URL", "grpc://a:1")
    assert [hook("answer", 1), hook("answer", 2)] == [None, None]
    assert len(caplog.records) == 1


def test_what_records_is_there_before_the_first_event(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = make_switch(monkeypatch, events="colorsys:Events")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    monkeypatch.delenv("LINEAGE_STORE_URL", raising=False)
    hook.preload()
    assert "colorsys" not in sys.modules
    monkeypatch.setenv("LINEAGE_STORE_URL", "grpc://a:1")
    hook.preload()
    assert "colorsys" in sys.modules
    make_switch(monkeypatch, events="there_is_no_such_module:Events").preload()  # does not raise


def test_it_imports_nothing_while_it_is_off() -> None:
    code = (
        "import sys; from lineage_store.integrations.switch import Switch; Switch('kedro')('x');"
        "print([m for m in ('google.protobuf', 'grpc', 'sqlalchemy') if m in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert process.stdout == "[]\n"


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_rests_while_what_records_is_loaded(
    was_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = []

    def fail(_: str) -> None:
        states.append(gc.isenabled())
        raise ImportError

    monkeypatch.setattr(importlib, "import_module", fail)
    if not was_on:
        gc.disable()
    try:
        with pytest.raises(ImportError):
            switch._imported("a module")
        assert (states, gc.isenabled()) == ([False], was_on)
    finally:
        gc.enable()
