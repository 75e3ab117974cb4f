"""Whom a hit is taken from: who may write to the store runs no code of his."""

import hashlib
import logging
import os
import pickle
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store import Artifact, ArtifactState, Execution, ExecutionState, LineageStore
from lineage_store.cache.keys import Key
from lineage_store.client.records import Publication, StepRecord
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.recording import Caching, diagnostics, step
from lineage_store.recording.naming import CACHE_DECISION
from tests.conformance.step_stores import WAYS, Count, opened


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    diagnostics.reset()


def entry_key(store: LineageStore) -> Key:
    """Return the key of the only entry."""
    store.flush_recording()
    [entry] = store.cache.list().items
    return Key(entry.components)


def forge(store: LineageStore, artifact: Artifact, name: str = "return", **results: Any) -> None:
    """Publish an outcome under the key of the only entry, as anyone can who may write there."""
    record = StepRecord(
        key=f"attack/{secrets.token_hex(4)}",
        execution=Execution(type="count", state=ExecutionState.COMPLETE),
        outputs=[StepArtifact(artifact=artifact, name=name)],
        publication=Publication(key=entry_key(store), output_parameters=results),
    )
    store.record_step(record)


def artifact_of(path: Path, algorithm: str = "sha256") -> Artifact:
    digest = hashlib.new(algorithm, path.read_bytes()).hexdigest()
    return Artifact(
        type="Artifact",
        uri=str(path),
        state=ArtifactState.LIVE,
        custom_properties={"digest": f"{algorithm}:{digest}"},
    )


class Payload:
    """A pickle of it makes a file when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return Path.touch, (self.marker,)


class Victim:
    """A step whose return value is pickled, and has been once.

    Attributes:
        saved: Where it keeps its values.
        calls: How often it ran.
        marker: The file that code of an attacker would make.
    """

    def __init__(self, store: LineageStore, directory: Path, *, save: bool = True) -> None:
        self.store = store
        self.saved = directory / "saved"
        self.marker = directory / "marker"
        self.calls = calls = Count()

        @step(cache=True, save=self.saved if save else None)
        def count(floor: int) -> Any:
            calls()
            return {floor, 2} if save else floor

        self._count = count
        self.run()

    def run(self) -> Any:
        with self.store.run("nightly"):
            return self._count(1)

    def payload(self, path: Path) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(Payload(self.marker)))
        return path

    def value(self) -> Path:
        """Return the file with its own value."""
        [path] = self.saved.glob("*.pickle")
        return path

    def is_not_deceived(self) -> None:
        """Check that the hit is rejected: the step runs itself, and nothing else does."""
        before = self.calls.calls
        self.run()
        assert self.calls.calls == before + 1
        assert not self.marker.exists()
        self.store.flush_recording()
        *_, last = self.store.iter_executions(where="type = 'count'")
        decision = str(last.custom_properties[CACHE_DECISION])
        assert decision.startswith(("REJECTED: its return value", "OUTPUT_MISSING: the cached"))


def test_a_pickle_of_its_own_is_taken_over(store: LineageStore, tmp_path: Path) -> None:
    victim = Victim(store, tmp_path)
    assert victim.run() == {1, 2}
    assert victim.calls.calls == 1
    key = tmp_path / "config" / "lineage-store" / "seal.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32


def test_the_word_of_the_store_is_taken_for_data(store: LineageStore, tmp_path: Path) -> None:
    victim = Victim(store, tmp_path)
    upload = victim.payload(tmp_path / "upload")
    forge(store, artifact_of(upload), return_form="value", **{"return": "99"})
    assert victim.run() == 99
    assert not victim.marker.exists()


def test_without_save_nothing_is_unpickled(store: LineageStore, tmp_path: Path) -> None:
    victim = Victim(store, tmp_path, save=False)
    payload = victim.payload(tmp_path / "upload")
    forge(store, artifact_of(payload), return_form="pickle")
    victim.is_not_deceived()


def elsewhere(victim: Victim, directory: Path) -> Artifact:
    return artifact_of(victim.payload(directory / "upload" / victim.value().name))


def above(victim: Victim, directory: Path) -> Artifact:
    path = victim.payload(directory / "upload")
    artifact = artifact_of(path)
    return Artifact(**(vars_of(artifact) | {"uri": f"{victim.saved}/../upload"}))


def vars_of(artifact: Artifact) -> dict[str, Any]:
    names = ("type", "uri", "state", "custom_properties")
    return {name: getattr(artifact, name) for name in names}


def linked(victim: Victim, directory: Path) -> Artifact:
    link = victim.saved / "linked.pickle"
    link.symlink_to(victim.payload(directory / "upload"))
    return artifact_of(link)


def linked_directory(victim: Victim, directory: Path) -> Artifact:
    victim.payload(directory / "elsewhere" / "upload.pickle")
    (victim.saved / "in").symlink_to(directory / "elsewhere")
    return artifact_of(victim.saved / "in" / "upload.pickle")


def without_seal(victim: Victim, directory: Path) -> Artifact:
    return artifact_of(victim.payload(victim.saved / "forged.pickle"))


def with_another_seal(victim: Victim, directory: Path) -> Artifact:
    own = victim.value()
    path = victim.payload(victim.saved / "forged.pickle")
    seal = own.with_name(f"{own.name}.seal").read_bytes()
    path.with_name(f"{path.name}.seal").write_bytes(seal)
    return artifact_of(path)


def with_a_guess(victim: Victim, directory: Path) -> Artifact:
    path = victim.payload(victim.saved / "forged.pickle")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name(f"{path.name}.seal").write_text(digest)
    return artifact_of(path)


def replaced(victim: Victim, directory: Path) -> Artifact:
    return artifact_of(victim.payload(victim.value()))


def with_another_digest(victim: Victim, directory: Path) -> Artifact:
    return artifact_of(victim.payload(victim.saved / "forged.pickle"), "md5")


def own_value_with_md5(victim: Victim, directory: Path) -> Artifact:
    return artifact_of(victim.value(), "md5")


def a_pipe(victim: Victim, directory: Path) -> Artifact:
    path = victim.payload(directory / "upload")
    artifact = artifact_of(path)
    os.mkfifo(victim.saved / "pipe")
    return Artifact(**(vars_of(artifact) | {"uri": str(victim.saved / "pipe")}))


ATTACKS: list[Callable[[Victim, Path], Artifact]] = [
    elsewhere,
    above,
    linked,
    linked_directory,
    without_seal,
    with_another_seal,
    with_a_guess,
    replaced,
    with_another_digest,
    own_value_with_md5,
    a_pipe,
]


@pytest.mark.parametrize("verify", [True, False], ids=["verified", "unverified"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_who_writes_to_the_store_runs_nothing(
    store: LineageStore,
    tmp_path: Path,
    attack: Callable[[Victim, Path], Artifact],
    verify: bool,
) -> None:
    victim = Victim(store, tmp_path)
    victim._count._cache = Caching(verify=verify)
    forge(store, attack(victim, tmp_path), return_form="pickle")
    victim.is_not_deceived()


@pytest.mark.parametrize("form", ["npy", "json", "pandas", "polars", "arrow", "text", "bytes"])
def test_no_other_form_runs_what_it_reads(store: LineageStore, tmp_path: Path, form: str) -> None:
    victim = Victim(store, tmp_path)
    payload = victim.payload(victim.saved / "forged")
    forge(store, artifact_of(payload), return_form=form)
    victim.run()
    assert not victim.marker.exists()


def test_an_array_with_objects_is_not_unpickled(store: LineageStore, tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    victim = Victim(store, tmp_path)
    path = victim.saved / "forged.npy"
    np.save(path, np.array([Payload(victim.marker)], object), allow_pickle=True)
    forge(store, artifact_of(path), return_form="npy")
    victim.is_not_deceived()


def test_a_file_that_is_replaced_after_it_was_published(
    store: LineageStore, tmp_path: Path
) -> None:
    victim = Victim(store, tmp_path)
    store.flush_recording()
    victim.payload(victim.value())
    victim.is_not_deceived()


def test_a_seal_is_for_one_function_and_one_key(store: LineageStore, tmp_path: Path) -> None:
    calls = Count()

    @step(cache=True, save=tmp_path / "saved")
    def maker(kind: int) -> Any:
        calls()
        return {kind}

    with store.run("nightly"):
        maker(1)
        maker(2)
    store.flush_recording()
    entries = store.cache.list().items
    one, other = (next(e for e in entries if _kind(e) == kind) for kind in ("1", "2"))
    artifacts = store.get_artifacts([_output_of(store, each.execution_id) for each in (one, other)])
    record = StepRecord(
        key="attack/swap",
        execution=Execution(type="made", state=ExecutionState.COMPLETE),
        outputs=[StepArtifact(artifact=Artifact(**vars_of(artifacts[1])), name="return")],
        publication=Publication(
            key=Key(one.components), output_parameters={"return_form": "pickle"}
        ),
    )
    store.record_step(record)
    with store.run("nightly"):
        assert maker(1) == {1}
    assert calls.calls == 3


def _kind(entry: Any) -> str:
    return next(c.value for c in entry.components if c.name == "parameters.kind")


def _output_of(store: LineageStore, execution_id: int) -> int:
    [event] = [e for e in store.list_events(execution=execution_id) if e.type.is_output]
    return event.artifact_id


def test_who_has_another_key_takes_over_no_pickles(
    store: LineageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "shared.key"
    key.write_bytes(secrets.token_bytes(32))
    monkeypatch.setenv("LINEAGE_STORE_SEAL_KEY", str(key))
    victim = Victim(store, tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "colleague"))
    assert victim.run() == {1, 2}
    assert victim.calls.calls == 1
    monkeypatch.delenv("LINEAGE_STORE_SEAL_KEY")
    victim.is_not_deceived()


@pytest.mark.parametrize("damage", ["short", "readable", "directory"])
def test_a_key_that_is_no_secret_seals_nothing(
    store: LineageStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    caplog.set_level(logging.WARNING, logger="lineage_store.recording")
    victim = Victim(store, tmp_path)
    key = tmp_path / "config" / "lineage-store" / "seal.key"
    if damage == "short":
        key.write_bytes(b"x")
    elif damage == "readable":
        key.chmod(0o644)
    else:
        key.unlink()
        key.mkdir()
    for _ in range(2):
        victim.run()
    assert victim.calls.calls == 3
    assert "nothing is pickled, nor read from a pickle" in caplog.text


@pytest.mark.parametrize("algorithm", ["sha256", "md5", "none", "wrong"])
def test_a_file_is_copied_only_by_who_knows_its_content(
    store: LineageStore, tmp_path: Path, algorithm: str
) -> None:
    calls = Count()
    secret = tmp_path / "secret"
    secret.write_text("a secret")

    @step(cache=Caching(verify=False), outputs=["target"])
    def count(target: Path) -> None:
        calls()
        target.write_text("mine")

    with store.run("nightly"):
        count(tmp_path / "one")
    forgery = artifact_of(secret, algorithm if algorithm in {"sha256", "md5"} else "sha256")
    if algorithm == "none":
        forgery = Artifact(**(vars_of(forgery) | {"custom_properties": {}}))
    if algorithm == "wrong":
        digest = f"sha256:{hashlib.sha256(b'guess').hexdigest()}"
        forgery = Artifact(**(vars_of(forgery) | {"custom_properties": {"digest": digest}}))
    forge(store, forgery, "target", return_form="value", **{"return": "null"})
    with store.run("nightly"):
        count(tmp_path / "other")
    is_known = algorithm == "sha256"
    assert calls.calls == (1 if is_known else 2)
    assert (tmp_path / "other").read_text() == ("a secret" if is_known else "mine")
