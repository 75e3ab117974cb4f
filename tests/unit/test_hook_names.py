"""Old names that hook authors may still use: they work, and warn."""

import importlib
import sys

import pytest

from lineage_store.integrations.hook import Hook


class Events(Hook):
    """Events of no tool: nothing is opened for them."""

    wants_cache = False

    def __init__(self) -> None:
        """Skip the recorder of a real hook."""


def test_an_old_name_of_a_method_calls_the_new_one_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="Hook.not_skipped is called Hook.note_not_skipped"):
        assert Events().not_skipped("train", "it has no key") == {}


@pytest.mark.parametrize("name", ["asking", "not_skipped", "leave_sending"])
def test_every_old_name_is_there(name: str) -> None:
    assert callable(getattr(Hook, name))


def test_the_old_module_of_artifacts_warns() -> None:
    sys.modules.pop("lineage_store.integrations.data", None)
    with pytest.warns(DeprecationWarning, match="lineage_store.integrations.artifacts"):
        data = importlib.import_module("lineage_store.integrations.data")
    artifacts = importlib.import_module("lineage_store.integrations.artifacts")
    assert data.file_artifact is artifacts.file_artifact
