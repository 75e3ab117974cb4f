"""Nodes by the names that people use, and artifacts by the content of files, in both ways."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store import (
    Artifact,
    ArtifactType,
    Execution,
    ExecutionType,
    LineageStore,
    connect,
    errors,
)
from lineage_store.fingerprints import fingerprint


@pytest.fixture(params=["embedded", "grpc"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LineageStore]:
    """A store, and in the current directory the files "one" and "other"."""
    monkeypatch.chdir(tmp_path)
    Path("one").write_text("1")
    Path("other").write_text("2")
    database = f"sqlite:///{tmp_path / 'lineage.db'}"
    if request.param == "embedded":
        with connect(database) as opened:
            yield filled(opened)
        return
    server = Server(Settings(database=database, grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with connect(f"grpc://{server.address}") as opened:
            yield filled(opened)
    finally:
        server.stop()


def filled(store: LineageStore) -> LineageStore:
    """Fill a store: artifact 1 is "one", read by an execution that wrote artifact 2."""
    store.put_artifact_type(ArtifactType(name="Data"))
    store.put_execution_type(ExecutionType(name="Train"))
    one = file(Path("one"), name="one")
    model = Artifact(type="Data", name="model", uri="s3://model")
    store.record_execution(Execution(type="Train", name="t"), inputs=[one], outputs=[model])
    return store


def file(path: Path, content: Path | None = None, **fields: str) -> Artifact:
    digest = fingerprint(content or path)
    uri = str(path.absolute())
    return Artifact(type="Data", uri=uri, custom_properties={"digest": digest}, **fields)


def keys(store: LineageStore, name: str | Path) -> list[str]:
    return store.find_nodes(name).keys


def test_names(store: LineageStore) -> None:
    digest = fingerprint(Path("one"))
    for name in ("1", "artifact:1", "Data/one", "artifact:Data/one", "one", "./one", "uri:one"):
        assert keys(store, name) == ["artifact:1"], name
    for name in (
        f"digest:{digest}",
        digest,
        digest[:20],
        f"digest:{digest[7:]}",
        f"uri:{Path.cwd()}/one",
    ):
        assert keys(store, name) == ["artifact:1"], name
    for path in (Path("one"), Path("one").absolute(), Path("../") / Path.cwd().name / "one"):
        assert keys(store, path) == ["artifact:1"], path
    assert keys(store, "execution:Train/t") == keys(store, "execution:1") == ["execution:1"]
    assert keys(store, "uri:s3://model") == ["artifact:2"]


def test_a_directory_has_a_content(store: LineageStore) -> None:
    Path("data").mkdir()
    Path("data/x").write_text("x")
    artifact_id = store.put_artifact(file(Path("data")))
    assert keys(store, "data") == keys(store, "./data/") == [f"artifact:{artifact_id}"]


def test_a_file_that_was_moved_or_is_gone(store: LineageStore) -> None:
    Path("one").rename("moved")
    assert keys(store, "moved") == keys(store, "one") == keys(store, "./one") == ["artifact:1"]
    with pytest.raises(errors.NotFound, match=r"there is no file \./nope, and no artifact was"):
        store.find_nodes("./nope")


def test_of_several_the_one_at_this_path_else_the_newest(store: LineageStore) -> None:
    Path("copy").write_text("1")
    newest = store.put_artifact(file(Path("elsewhere"), Path("one")))
    selection = store.find_nodes("one")
    assert selection.keys == ["artifact:1"]
    elsewhere = Path("elsewhere").absolute()
    assert selection.remark == (
        "one is artifact:1, recorded at this path; 1 other artifact has this content: "
        f"artifact:{newest} ({elsewhere})"
    )
    selection = store.find_nodes(Path("copy"))
    assert selection.keys == [f"artifact:{newest}"]
    assert f"copy is artifact:{newest}, the newest; 1 other" in (selection.remark or "")
    for _ in range(7):
        store.put_artifact(file(Path("elsewhere"), Path("one")))
    assert (store.find_nodes("one").remark or "").endswith(", and 3 more")
    assert len(keys(store, fingerprint(Path("one")))) == 9


def test_a_content_that_is_not_known_names_the_nearest(store: LineageStore) -> None:
    Path("one").write_text("changed")
    short = fingerprint(Path("one"))[: len("sha256:") + 12]
    with pytest.raises(errors.NotFound) as caught:
        store.find_nodes("one")
    assert str(caught.value).startswith(
        f"one was recorded once, never with this content ({short}); the last is artifact:1, with "
    )
    plain = store.put_artifact(Artifact(type="Data", uri=str(Path("one").absolute())))
    with pytest.raises(errors.NotFound, match="2 times") as caught:
        store.find_nodes(Path("one"))
    assert f"artifact:{plain}, of which no digest is known" in str(caught.value)
    with pytest.raises(errors.NotFound, match="no artifact has the content of other") as caught:
        store.find_nodes("other")
    assert str(caught.value).endswith(f"and none was recorded at {Path('other').absolute()}")


def test_a_name_is_sooner_a_name_than_a_file(store: LineageStore) -> None:
    Path("Data").mkdir()
    Path("Data/one").write_text("another content")
    assert keys(store, "Data/one") == ["artifact:1"]
    Path("Data/copy").write_text("1")
    assert keys(store, "Data/copy") == ["artifact:1"]


def test_what_names_nothing(store: LineageStore) -> None:
    for name in ("", "nope", "execution:x", "artifact:"):
        with pytest.raises(errors.InvalidArgument, match="names no node: give 12, artifact:12"):
            store.find_nodes(name)
    for name in ("Data/nope", "Nope/x", "uri:nope", "digest:sha256:" + "0" * 64):
        with pytest.raises(errors.NotFound):
            store.find_nodes(name)
    with pytest.raises(errors.InvalidArgument, match="too short"):
        store.find_nodes("digest:sha256:012")


def test_walks_take_names_and_files(store: LineageStore) -> None:
    digest = fingerprint(Path("one"))
    ways = (Path("one"), f"digest:{digest}", "./one", "Data/one", [Path("one")], ["artifact:1"])
    for start in ways:
        lineage = store.lineage(start).downstream()
        assert lineage.start == ("artifact:1",)
        assert lineage.verdict.complete
        assert [node.name for node in store.impact(start).artifacts] == ["model"]
    assert len(store.lineage(digest=digest).downstream()) == 3
    [path] = store.find_paths(Path("one"), "uri:s3://model")
    assert len(path) == 2
    same = store.compare(Path("one"), f"digest:{digest}")
    assert (same.left, same.right) == ("artifact:1", "artifact:1")


def test_where_one_is_wanted_several_are_refused(store: LineageStore) -> None:
    store.put_artifact(file(Path("elsewhere"), Path("one")))
    digest = fingerprint(Path("one"))
    with pytest.raises(errors.InvalidArgument, match="is the digest of 2 artifacts: artifact:1"):
        store.compare(f"digest:{digest}", 2)
    assert len(store.lineage(f"digest:{digest}").downstream().start) == 2
    with pytest.raises(errors.InvalidArgument, match="only artifacts can be compared"):
        store.compare("execution:1", 2)


def test_artifacts_by_digest(store: LineageStore) -> None:
    [one] = store.find_artifacts_by_digest(fingerprint(Path("one")))
    assert (one.id, one.name) == (1, "one")
    assert store.find_artifacts_by_digest("f" * 64) == []
    with pytest.raises(errors.InvalidArgument):
        store.find_artifacts_by_digest("model")
