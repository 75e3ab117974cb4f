"""The real store, started once for all tests here."""

from collections.abc import Iterator

import pytest

from tests.differential.pair import Pair
from tests.differential.peers import OurStore, RealStore
from tests.real_mlmd import python


@pytest.fixture(scope="session")
def real() -> Iterator[RealStore]:
    """ML Metadata 1.17.1."""
    store = RealStore(python())
    yield store
    store.close()


@pytest.fixture
def ours() -> Iterator[OurStore]:
    """The store under test."""
    store = OurStore()
    yield store
    store.close()


@pytest.fixture
def pair(real: RealStore, ours: OurStore) -> Pair:
    """Both, each holding the types of SETUP."""
    return Pair(real, ours)
