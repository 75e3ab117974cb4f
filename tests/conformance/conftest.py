"""One suite over every way to reach a store: embedded on a file and in memory, and over gRPC."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from lineage_server.app import Server
from lineage_server.settings import Settings

from lineage_store.client.channel import GrpcTransport
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.client.transport import Transport
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.wire import METHODS
from tests.backends import galera, mariadb, postgresql
from tests.backends.places import new_home
from tests.conformance.diamond_walks import put_diamond

Rows = dict[str, list[tuple]]


class Call:
    """Calls RPCs with plain dicts, lists and values: `call("PutArtifacts", artifacts=[{...}])`.

    Attributes:
        contents: Returns every row of every table.
    """

    def __init__(self, transport: Transport, contents: Callable[[], Rows]) -> None:
        self.transport = transport
        self.contents = contents

    def __call__(self, method: str, **fields: Any) -> Any:
        return self.transport.call(method, request_of(method, fields))

    def stream(self, method: str, **fields: Any) -> list[Any]:
        """Return the messages of a stream."""
        return list(self.transport.stream(method, request_of(method, fields)))

    @contextmanager
    def refused(self, error: type[Exception], match: str | None = None) -> Iterator[Any]:
        """Expect an error, and that it leaves nothing behind."""
        before = self.facts()
        with pytest.raises(error, match=match) as caught:
            yield caught
        assert type(caught.value) is error
        assert self.facts() == before

    def facts(self) -> Rows:
        """Return every row but those of the index over properties, and of who wrote it behind."""
        derived = {f"{kind}_properties" for kind in ("artifact", "execution", "context")}
        return {
            name: rows
            for name, rows in self.contents().items()
            if name not in derived | {"index_queue", "writers"}
        }

    def type(self, kind: str = "artifact", name: str = "T", **fields: Any) -> int:
        """Put a type, with `properties` as a map of name to PropertyType; return its id."""
        message = {f"{kind}_type": {"name": name, **fields}}
        flags = {"can_add_fields": True, "can_omit_fields": True}
        return self(f"Put{kind.title()}Type", **message, **flags).type_id

    def put(self, kind: str, *nodes: dict[str, Any], **request: Any) -> list[int]:
        """Put nodes; return their ids."""
        answer = self(f"Put{kind.title()}s", **{f"{kind}s": nodes}, **request)
        return list(getattr(answer, f"{kind}_ids"))

    def get(self, kind: str, *ids: int) -> list[Any]:
        """Return nodes by id."""
        answer = self(f"Get{kind.title()}sByID", **{f"{kind}_ids": ids})
        return list(getattr(answer, f"{kind}s"))

    def pair(self) -> tuple[int, int]:
        """Put one artifact and one execution; return their ids."""
        [artifact] = self.put("artifact", {"type_id": self.type()})
        [execution] = self.put("execution", {"type_id": self.type("execution")})
        return artifact, execution

    def contexts(self, *names: str) -> list[int]:
        """Put contexts with these names; return their ids."""
        type_id = self.type("context")
        return self.put("context", *({"type_id": type_id, "name": name} for name in names))


def request_of(method: str, fields: dict[str, Any]) -> Message:
    """Return the request of an RPC with fields set from plain values."""
    return filled(GetMessageClass(METHODS[method].input_type)(), fields)


def filled(message: Message, fields: dict[str, Any]) -> Message:
    """Return `message` with fields set from plain values."""
    for name, value in fields.items():
        target = getattr(message, name)
        if isinstance(value, Message):
            target.CopyFrom(value)
        elif isinstance(value, dict) and isinstance(target, Message):
            target.SetInParent()
            filled(target, value)
        elif isinstance(value, dict):
            _fill_map(target, value)
        elif isinstance(value, (list, tuple, range)):
            _fill_list(target, value)
        else:
            setattr(message, name, value)
    return message


def _fill_list(target: Any, items: Any) -> None:
    for item in items:
        if isinstance(item, dict):
            filled(target.add(), item)
        else:
            target.append(item)


def _fill_map(target: Any, items: dict[str, Any]) -> None:
    for key, item in items.items():
        if isinstance(item, int) and not hasattr(target, "get_or_create"):
            target[key] = item
        else:
            target[key].CopyFrom(as_value(item))


def as_value(item: Any) -> pb.Value:
    """Return a property value; None: one without any."""
    if isinstance(item, pb.Value):
        return item
    value = pb.Value()
    fields = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    if item is not None:
        setattr(value, fields[type(item)], item)
    return value


def _rows(connection: sqlite3.Connection) -> Rows:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    names = [name for (name,) in connection.execute(query)]
    return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def _rows_of_file(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        return _rows(connection)


@lru_cache(maxsize=1)
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "store.db")
        EmbeddedTransport(f"sqlite:///{path}").close()
        return path.read_bytes()


def new_file(directory: Path) -> Path:
    """Return the file of a new store: a copy, which takes a tenth of the time to make one."""
    path = directory / "store.db"
    path.write_bytes(_empty_store())
    return path


@contextmanager
def embedded(directory: Path) -> Iterator[Call]:
    path = new_file(directory)
    with closing(EmbeddedTransport(f"sqlite:///{path}")) as transport:
        yield Call(transport, lambda: _rows_of_file(path))


@contextmanager
def memory(directory: Path) -> Iterator[Call]:
    with closing(EmbeddedTransport("sqlite://")) as transport:
        yield Call(transport, lambda: _rows(transport._engine._database._writer._raw))


@contextmanager
def grpc(directory: Path) -> Iterator[Call]:
    path = new_file(directory)
    server = Server(Settings(database=f"sqlite:///{path}", grpc="127.0.0.1:0", drain_seconds=0))
    server.start()
    try:
        with closing(GrpcTransport(server.address, timeout=30, retry=False)) as transport:
            yield Call(transport, lambda: _rows_of_file(path))
    finally:
        server.stop()


@contextmanager
def on_postgresql(directory: Path) -> Iterator[Call]:
    with (
        postgresql.pool.store() as url,
        closing(EmbeddedTransport(url)) as transport,
    ):
        yield Call(transport, lambda: postgresql.rows(url))


@contextmanager
def on_mariadb(directory: Path) -> Iterator[Call]:
    with (
        mariadb.pool.store() as url,
        closing(EmbeddedTransport(url)) as transport,
    ):
        yield Call(transport, lambda: mariadb.rows(url))


@contextmanager
def on_galera(directory: Path) -> Iterator[Call]:
    with (
        galera.pool.store() as url,
        closing(EmbeddedTransport(url)) as transport,
    ):
        yield Call(transport, lambda: galera.rows(url))


WAYS = [embedded, memory, grpc, on_postgresql, on_mariadb, on_galera]


@pytest.fixture(params=WAYS, ids=lambda open_store: open_store.__name__)
def call(request) -> Iterator[Call]:
    """A new store, reached in one of the ways; its file is in memory, where no write waits."""
    directory = new_home("conformance")
    try:
        with request.param(directory) as store:
            yield store
    finally:
        shutil.rmtree(directory)


@pytest.fixture(params=["artifact", "execution", "context"])
def kind(request) -> str:
    """Each kind of node."""
    return request.param


@pytest.fixture
def diamond(call: Call) -> Call:
    """A store with the lineage of `diamond_walks.py`."""
    put_diamond(call)
    return call
