"""Control over caching, recording and messages, embedded and over a real server."""

import concurrent.futures
import contextvars
import logging
import multiprocessing
import pickle
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineage_store import LineageStore
from lineage_store.entities import ExecutionState
from lineage_store.errors import InvalidArgument
from lineage_store.recording import Caching, diagnostics, step
from lineage_store.recording.input_watch import InputWatch
from tests.conformance.step_stores import WAYS, Count, opened, steps_of


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture(autouse=True)
def warnings_of(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="lineage_store.recording")
    diagnostics.reset()


def decisions(store: LineageStore) -> list[str]:
    return [str(e.custom_properties.get("log.cache_decision", "")) for e in steps_of(store)]


def test_refresh_runs_anyway_and_publishes_anew(store: LineageStore) -> None:
    calls = Count()

    def make(cache: Any = True) -> int:
        @step(cache=cache, name="make")
        def make_it() -> int:
            return calls()

        with store.run("nightly"):
            return make_it()

    assert [make(), make(), make("refresh"), make()] == [1, 1, 2, 2]
    step_decisions = decisions(store)
    assert step_decisions[2] == "REFRESH: it was asked to run anew"
    assert step_decisions[3].startswith("HIT: ")


def test_ignored_parameters_are_recorded_and_no_part_of_the_key(store: LineageStore) -> None:
    @step(cache=True, ignore=["threads"])
    def make(x: int, threads: int) -> int:
        return x + threads

    with store.run("nightly"):
        assert [make(1, 2), make(1, 3), make(2, 3)] == [3, 3, 5]
    recorded = [e.custom_properties["parameters.threads"] for e in steps_of(store)]
    assert recorded == [2, 3, 3]


SECRET = "correct-horse-battery"


def test_secrets_are_nowhere_and_still_count(store: LineageStore, tmp_path: Path) -> None:
    @step(cache=True, secret=["password"])
    def make(url: str, password: str, more: list[str]) -> int:
        return len(password)

    url = f"postgresql://me:{SECRET}@host/db?sslmode=require"
    with store.run("nightly") as run:
        assert make(url, SECRET, [url]) == len(SECRET)
        assert make(url, SECRET, [url]) == len(SECRET)
        assert make(url, SECRET + "!", [url]) == len(SECRET) + 1
        with run.step("more", params={"url": url}) as more:
            more.output("table", uri=f"https://{SECRET}@host/table", version="1")
            more.result("told", f"http://host/x?token={SECRET}&a=1")
    assert [e.state for e in steps_of(store)] == ["COMPLETE", "CACHED", "COMPLETE", "COMPLETE"]
    shown = steps_of(store)[0].custom_properties
    assert shown["parameters.password"] == "***"
    assert shown["parameters.url"] == "postgresql://me:***@host/db?sslmode=require"
    store.close()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    with sqlite3.connect(tmp_path / "lineage.db") as database:
        assert database.execute("SELECT count(*) FROM executions").fetchone()[0] > 0


@pytest.mark.parametrize(
    "fields",
    [
        {"max_age": 0},
        {"time_to_live": 5.0},
        {"wait": "1"},
        {"lease": None},
        {"lease": timedelta(seconds=-1)},
        {"scope": None},
        {"verify": 1},
        {"names": "no"},
        {"refresh": "yes"},
        {"identity": "SIZE"},
    ],
)
def test_wrong_types_are_refused_when_caching_is_made(fields: dict[str, Any]) -> None:
    [name] = fields
    with pytest.raises(InvalidArgument, match=f"Caching.{name}"):
        Caching(**fields)


def test_what_cache_can_be() -> None:
    with pytest.raises(InvalidArgument, match='cache is True, False, "refresh" or a Caching'):
        step(cache="yes")(len)  # type: ignore[call-overload]
    for names in ("ignore", "secret", "outputs"):
        with pytest.raises(InvalidArgument, match="has no parameter nothing"):
            step(**{names: ["nothing"]})(decisions)
        with pytest.raises(InvalidArgument, match="give a list of names"):
            step(**{names: "store"})(decisions)


def test_outputs_have_types_and_numbers_are_results(store: LineageStore, tmp_path: Path) -> None:
    @step(outputs={"model": "Model", "report": "Report", "nothing": "Nothing"})
    def train(model: Path) -> dict[str, Path]:
        model.write_text("m")
        (tmp_path / "r").write_text("r")
        return {"report": tmp_path / "r"}

    @step(cache=True, outputs={"return": "Table"})
    def table() -> Path:
        (tmp_path / "t").write_text("t")
        return tmp_path / "t"

    @step(cache=True)
    def score() -> dict[str, float]:
        return {"accuracy": 0.89, "f1": 0.79}

    with store.run("nightly"):
        train(tmp_path / "m")
        assert table() == tmp_path / "t"
        assert score() == score() == {"accuracy": 0.89, "f1": 0.79}
    store.flush_recording()
    assert sorted(str(a.type) for a in store.iter_artifacts()) == ["Model", "Report", "Table"]
    scored = store.list_executions(
        type="score", where="custom_properties.`outputs.return.f1`.double_value > 0.7"
    )
    assert len(scored.items) == 2


def test_text_that_names_a_file_is_told_once(
    store: LineageStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @step(cache=True)
    def read(path: str) -> str:
        return Path(path).read_text()

    (tmp_path / "in.txt").write_text("x")
    with store.run("nightly"):
        read(str(tmp_path / "in.txt"))
        read(str(tmp_path / "in.txt"))
    assert caplog.text.count("path of the step read is text that names a file") == 1


def test_a_step_in_a_thread_without_the_context_is_told_once(
    store: LineageStore, caplog: pytest.LogCaptureFixture
) -> None:
    @step
    def double(x: int) -> int:
        return 2 * x

    with store.run("nightly"):
        for _ in range(2):
            thread = threading.Thread(target=double, args=(1,))
            thread.start()
            thread.join()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            carried = pool.submit(contextvars.copy_context().run, double, 4)
            assert carried.result() == 8
    assert caplog.text.count("the step double is not recorded") == 1
    assert "contextvars.copy_context().run(double, …)" in caplog.text
    assert [e.type for e in steps_of(store)] == ["double"]


@step(cache=True)
def tripled(x: int) -> int:
    return 3 * x


class Scaled:
    """An object whose method is a step."""

    @step
    def by(self, x: int) -> int:
        return 5 * x


def test_step_functions_are_pickled_by_name() -> None:
    assert pickle.loads(pickle.dumps(tripled)) is tripled
    assert pickle.loads(pickle.dumps(Scaled.by)) is Scaled.by
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert list(pool.map(tripled, [1, 2])) == [3, 6]


def test_a_step_is_recorded_though_its_key_cannot_be_made_again(
    store: LineageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.write_text("data")

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("a defect of our own")

    monkeypatch.setattr(InputWatch, "changed", fail)
    with store.run("nightly") as run, run.step("train", inputs={"data": data}, cache=True) as step:
        step.output("model", data)
        step.metric("accuracy", 0.9)
    [recorded] = steps_of(store)
    assert recorded.state == ExecutionState.COMPLETE
    assert recorded.custom_properties["outputs.accuracy"] == 0.9
    assert "a defect of our own" in str(recorded.custom_properties["log.cache_decision"])
    assert list(store.cache.list().items) == []
