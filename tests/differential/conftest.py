"""The real store, started once for all tests here."""

from collections.abc import Iterator

import pytest

from tests.backends import galera, mariadb, postgresql
from tests.differential.pair import Pair
from tests.differential.peers import OurStore, RealStore
from tests.real_mlmd import python


@pytest.fixture(scope="session")
def real() -> Iterator[RealStore]:
    """ML Metadata 1.17.1."""
    store = RealStore(python())
    yield store
    store.close()


BACKENDS = {"sqlite": None, "postgresql": postgresql, "mariadb": mariadb}
SERVERS = {"postgresql": postgresql, "mariadb": mariadb, "galera": galera}


@pytest.fixture(params=BACKENDS)
def anywhere(request: pytest.FixtureRequest) -> Iterator[OurStore]:
    """The store under test, on each database."""
    store = OurStore(BACKENDS[request.param])
    yield store
    store.close()


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest) -> Iterator[OurStore]:
    """The store under test, on one of SERVERS."""
    store = OurStore(SERVERS[request.param])
    yield store
    store.close()


@pytest.fixture
def ours() -> Iterator[OurStore]:
    """The store under test, in memory."""
    store = OurStore()
    yield store
    store.close()


@pytest.fixture
def pair(real: RealStore, ours: OurStore) -> Pair:
    """Both, each holding the types of SETUP."""
    return Pair(real, ours)
