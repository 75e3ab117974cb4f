"""TFX's launcher, resolvers, cache, partial runs and garbage collection, through its own client."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mlmd_servers import EVERYWHERE, run, serving

pytestmark = pytest.mark.xdist_group("galera")
DECISIONS = {
    "run-1": ["miss"] * 5,
    "run-1 again": ["done before"] * 5,
    "run-2": ["hit"] * 5,
    "run-3": ["miss", "miss", "failed", "miss", "miss"],
    "run-4": ["hit", "miss"],  # the model that was made of the same examples is deleted
    "run-5": ["miss", "miss"],
}


def conversation(module: str, server: str, directory: Path) -> Any:
    with serving(server, directory) as address:
        args = ["--module", module, "--grpc", address]
        return json.loads(run(module, "tfx/calls.py", *args))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return conversation("ml_metadata", "real core", tmp_path_factory.mktemp("real"))


def test_the_real_store_decides_so(expected: Any) -> None:
    assert expected["decisions"] == DECISIONS
    answers = dict(expected["answers"])
    assert len(answers) == len(expected["answers"]) > 50
    assert [name for name, answer in answers.items() if not answer] == []
    assert answers["parents of a partial run"] == ["churn", "run-3"]
    assert len(answers["latest Model"]) == 2


@pytest.mark.parametrize("server", EVERYWHERE[1:])
def test_our_server_answers_the_same(server: str, expected: Any, tmp_path: Path) -> None:
    same(conversation("ml_metadata", server, tmp_path), expected)


def test_our_client_answers_the_same(expected: Any, tmp_path: Path) -> None:
    same(conversation("lineage_store.mlmd", "lineage-store", tmp_path), expected)


def same(ours: Any, real: Any) -> None:
    assert ours["decisions"] == real["decisions"]
    for (question, answer), (real_question, expected) in zip(
        ours["answers"], real["answers"], strict=True
    ):
        assert question == real_question
        assert answer == expected, question
