"""A real MariaDB Galera cluster for the tests: three nodes on loopback, one cluster a worker."""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.backends import mariadb
from tests.backends.places import new_home
from tests.backends.reuse import StorePool

NODES = 3
START_SECONDS = 90
PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")

_numbers = count(1)


def skip_or_fail(reason: str) -> None:
    """Skip, or fail where the tests are told to demand Galera."""
    if "galera" in os.environ.get("LINEAGE_REQUIRE", "").split(","):
        pytest.fail(f"Galera is required: {reason}")
    pytest.skip(f"no Galera: {reason}")


def provider() -> str:
    """Return the path of the replication library."""
    path = next((path for path in PROVIDERS if Path(path).exists()), None)
    if path is None:
        skip_or_fail("galera-4 is not installed")
    if shutil.which("rsync") is None:
        skip_or_fail("rsync is not installed")
    return str(path)


class Node:
    """One server of a cluster.

    Attributes:
        port: Where it takes clients.
    """

    def __init__(self, home: Path, number: int, group_ports: Sequence[int]) -> None:
        self.port = mariadb.free_port()
        self._home = home / f"node{number}"
        self._group_port = group_ports[number]
        self._peers = ",".join(f"127.0.0.1:{port}" for port in group_ports)
        self._process: subprocess.Popen[bytes] | None = None
        self._common = ["--no-defaults", f"--datadir={self._home}/data", *mariadb.user()]
        shutil.copytree(home / "template", self._home)
        mariadb.give_to_server(self._home)

    def start(self, *, first: bool = False) -> None:
        """Start the server; the first of a cluster founds it, the others join."""
        options = [*self._common, *self._options(), *(["--wsrep-new-cluster"] if first else [])]
        with (self._home / "log").open("a") as log:
            self._process = subprocess.Popen(
                [mariadb.program("mariadbd"), *options], stdout=subprocess.DEVNULL, stderr=log
            )

    def _options(self) -> list[str]:
        group = self._group_port
        provider_options = (
            f"base_host=127.0.0.1;base_port={group};gmcast.listen_addr=tcp://127.0.0.1:{group};"
            f"ist.recv_addr=127.0.0.1:{group + 1};gcache.size=16M;"
            "evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S"
        )
        return [
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self._home}/socket",
            f"--pid-file={self._home}/pid",
            "--skip-name-resolve",
            "--max-allowed-packet=256M",
            "--innodb-flush-log-at-trx-commit=0",  # the cluster holds what a node forgets
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M",
            "--innodb-autoinc-lock-mode=2",
            "--binlog-format=ROW",
            "--default-storage-engine=InnoDB",
            "--wsrep-on=ON",
            f"--wsrep-provider={provider()}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-cluster-address=gcomm://{self._peers}",
            "--wsrep-node-address=127.0.0.1",
            f"--wsrep-sst-receive-address=127.0.0.1:{group + 2}",
            f"--wsrep-provider-options={provider_options}",
        ]

    def wait(self) -> None:
        """Wait until the node takes queries."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            log = (self._home / "log").read_text()[-2000:]
            assert self._process is not None
            assert self._process.poll() is None, f"a node of Galera ended: {log}"
            assert time.monotonic() < deadline, f"a node of Galera does not answer: {log}"
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return True if the node takes queries now."""
        return self.status("wsrep_ready") == "ON"

    def status(self, name: str) -> str | None:
        """Return a status variable of the node, or None if it does not answer."""
        try:
            with closing(mariadb.connect(self.port)) as connection:
                cursor = connection.cursor()
                cursor.execute(f"SHOW STATUS LIKE '{name}'")
                row = cursor.fetchone()
                return str(row[1]) if row else None
        except pymysql.MySQLError:
            return None

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the server; SIGKILL also waits for its end."""
        assert self._process is not None
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait(10)


class Cluster:
    """Three nodes.

    Attributes:
        nodes: The nodes.
    """

    def __init__(self, home: Path) -> None:
        mariadb.install(home / "template")
        group_ports = [_three_free_ports() for _ in range(NODES)]
        self.nodes = [Node(home, number, group_ports) for number in range(NODES)]

    def start(self) -> None:
        """Found the cluster and let all nodes join; one after the other, for each gives state."""
        for number, node in enumerate(self.nodes):
            node.start(first=number == 0)
            node.wait()

    def url(self, database: str, first: int = 0) -> str:
        """Return the URL of a database that names all nodes, beginning with one of them."""
        ports = [node.port for node in (*self.nodes[first:], *self.nodes[:first])]
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        return f"mysql://root@{hosts}/{database}"

    def stop(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            if node._process is not None:
                node.kill()


def _three_free_ports() -> int:
    """Return the first of three free ports in a row, out of the way of outgoing connections."""
    while True:
        first = random.randrange(20_000, 30_000)
        with ExitStack() as stack:
            try:
                for port in range(first, first + 3):
                    listener = stack.enter_context(closing(socket.socket()))
                    listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first


@contextmanager
def new_cluster() -> Iterator[Cluster]:
    """Give a cluster of its own, for a test that kills nodes."""
    provider()
    home = new_home("galera")
    cluster = Cluster(home)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(home, ignore_errors=True)


@lru_cache(maxsize=1)
def shared() -> Cluster:
    """Return a running cluster, which ends with the process; its nodes are not to be killed."""
    opened = new_cluster()
    cluster = opened.__enter__()
    atexit.register(opened.__exit__, None, None, None)
    return cluster


@contextmanager
def new_store(first: int = 0) -> Iterator[str]:
    """Give the URL of an empty store of its own, on the shared cluster."""
    cluster, name = shared(), f"store_{next(_numbers)}"
    with closing(mariadb.connect(cluster.nodes[0].port)) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield cluster.url(name, first)
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def _create() -> str:
    cluster, name = shared(), f"store_{next(_numbers)}"
    with closing(mariadb.connect(cluster.nodes[0].port)) as connection:
        connection.cursor().execute(f"CREATE DATABASE {name}")
    return cluster.url(name)


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a store."""
    return mariadb.rows_at(shared().nodes[0].port, url.rpartition("/")[2])


pool = StorePool(_create, lambda url: mariadb.connect_to_store(shared().nodes[0].port, url), rows)
