"""Tests of `scripts/language.py` on small samples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import language


def code_tallies(text: str) -> language.Tallies:
    return language.measure_code(iter([("sample.py", text)]))


def cases(text: str, measure: str) -> list[str]:
    return [case.text for case in code_tallies(text)[measure].cases]


def test_functions_count_from_def_to_their_last_line() -> None:
    text = "@decorator\ndef short():\n" + "    pass\n" * 39
    text += "class A:\n    async def long(self):\n" + "        pass\n" * 40
    tally = code_tallies(text)["long_functions"]
    assert [case.text for case in tally.cases] == ["long: 41 lines"]
    assert tally.total == 2


def test_files_count_by_their_lines() -> None:
    assert cases("pass\n" * 400, "long_files") == []
    assert cases("pass\n" * 401, "long_files") == ["401 lines"]


@pytest.mark.parametrize(
    "text",
    [
        "found = 1",
        "found: int = 1",
        "a, (found, b) = f()",
        "for found in f(): pass",
        "[a for found in f()]",
        "with f() as found: pass",
        "(found := 1)",
        "def found(): pass",
        "def f(found): pass",
        "def f(*, _found=1): pass",
        "lambda found: 1",
        "self.found = 1",
        "self._found: int = 1",
        "try: pass\nexcept E as found: pass",
        "match a:\n    case [found]: pass",
        "match a:\n    case {'a': 1, **found}: pass",
        "class A:\n    found: int",
    ],
)
def test_a_bare_participle_counts_wherever_it_is_bound(text: str) -> None:
    assert [name.lstrip("_") for name in cases(text, "participles")] == ["found"]


@pytest.mark.parametrize(
    "text", ["found_rows = 1", "f(found)", "print(a.found)", "f(found=1)", "def read(): pass"]
)
def test_qualified_names_and_uses_of_a_name_do_not_count(text: str) -> None:
    assert cases(text, "participles") == []


def test_participles_are_a_share_of_all_bound_names() -> None:
    tally = code_tallies("def f(known, a):\n    b = known\n    a.c = b\n")["participles"]
    assert tally.total == 5
    assert tally.value(100) == 20


def test_any_counts_in_parameters_and_results_but_not_in_kwargs() -> None:
    text = "def f(a: Any, b: int, c, *d: int, e: dict[str, Any], **f: Any) -> typing.Any: pass"
    tally = code_tallies(text + "\ndef g() -> Anyone: pass")["any"]
    assert [case.text for case in tally.cases] == ["f: Any", "f: dict[str, Any]", "f: typing.Any"]
    assert tally.total == 6


def test_docstrings_count_by_their_first_word() -> None:
    text = '"""What a module has."""\n\ndef f():\n    """Return what it has."""\n'
    tally = code_tallies(text)["openings"]
    assert [case.text for case in tally.cases] == ["What a module has."]
    assert tally.total == 2


def test_words_of_docstrings_count_without_their_code() -> None:
    text = '"""What it is: `what`.\n\n>>> what()\n\nIts name.\n"""\n'
    tallies = code_tallies(text)
    assert tallies["what"].total == 5
    assert [case.line for case in tallies["it"].cases] == [1, 5]
    assert len(tallies["what"].cases) == 1


def test_pages_count_without_their_code_blocks() -> None:
    page = "You see what\n\n````md\n```\nwhat\n```\n````\n\nFor example, `what` you're at\n"
    tallies = language.measure_docs(iter([("page.md", page)]))
    assert {name: len(tally.cases) for name, tally in tallies.items()} == {
        "what": 1,
        "it": 0,
        "you": 2,
        "example": 1,
    }
    assert tallies["you"].total == 7
    assert [case.line for case in tallies["you"].cases] == [1, 9]


def test_generated_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("written.py", "x_pb2.py", "x_pb2_grpc.py"):
        (tmp_path / "a" / name).write_text("")
    assert [path for path, _ in language.python_sources(tmp_path, ["a"])] == ["a/written.py"]


def test_a_value_beyond_its_bound_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = {
        ("library", "participles"): language.Bound(50, goal=1),
        ("library", "long_files"): language.Bound(0),
        ("docs", "you"): language.Bound(200, at_least=True),
    }
    monkeypatch.setattr(language, "BOUNDS", bounds)
    docs = language.measure_docs(iter([("page.md", "you a b c d e")]))
    scopes = {"library": code_tallies("found = 1\nmade = 1\na = 1"), "docs": docs}
    assert language.broken_bounds(scopes) == [
        "library, names that are bare participles, %: 66.67 is above 50",
        "docs, “you”, “your” per 1,000 words: 166.67 is below 200",
    ]
    assert "66.67       2        3      50      1" in language.table(scopes)


def test_every_bound_is_on_a_measure_of_the_project() -> None:
    command = [sys.executable, "scripts/language.py", "--json"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    printed = json.loads(answer.stdout)
    assert {(scope, name) for scope in printed for name in printed[scope]} == set(language.BOUNDS)
