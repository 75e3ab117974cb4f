"""Cache keys: one text for each value, and keys that depend on nothing but the components."""

import enum
import hashlib
import math
import os
import re
import struct
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage_store import Artifact, errors
from lineage_store.cache.canonical import MAX_CHARACTERS, MAX_DEPTH, decode, encode
from lineage_store.cache.keys import (
    MAX_COMPONENTS,
    Component,
    Identity,
    identity_of,
    make_key,
    preimage,
    step_components,
)

PAGE = Path(__file__).parents[2] / "docs" / "cache-keys.md"
VECTORS = re.findall(
    r"^### (.+?)\n\n```text\n(.*?)```\n\n`([0-9a-f]{64})`$",
    PAGE.read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)

EXAMPLES = int(os.environ.get("LINEAGE_KEY_EXAMPLES", "100"))

thorough = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), texts, st.binary(max_size=20)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=20,
)
components = st.dictionaries(texts.filter(bool), values, min_size=1, max_size=8)


def marked(value: Any) -> Any:
    """Return a value that equals another's only if type and bits are equal as well."""
    if isinstance(value, dict):
        return {"dict": {key: marked(item) for key, item in value.items()}}
    if isinstance(value, list):
        return ["list", *map(marked, value)]
    if isinstance(value, float):
        return ("float", "nan" if math.isnan(value) else struct.pack(">d", value))
    return (type(value).__name__, value)


def shuffled(value: Any) -> Any:
    """Return a value with its mappings in the opposite order."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@thorough
@given(values)
def test_what_is_encoded_decodes_back(value):
    assert marked(decode(encode(value))) == marked(value)


@thorough
@given(values, values)
def test_two_values_have_one_text_only_if_they_are_the_same(left, right):
    assert (encode(left) == encode(right)) == (marked(left) == marked(right))


@thorough
@given(values)
def test_a_text_is_one_line_of_valid_unicode(value):
    text = encode(value)
    assert "\n" not in text
    assert text.encode().decode() == text


@thorough
@given(components)
def test_order_never_matters(given_):
    assert make_key(shuffled(given_)) == make_key(given_)
    assert make_key(given_).digest == make_key(dict(sorted(given_.items()))).digest


@thorough
@given(components, components)
def test_two_sets_of_components_have_one_key_only_if_they_are_the_same(left, right):
    same = marked(left) == marked(right)
    assert (make_key(left).digest == make_key(right).digest) == same


@thorough
@given(components, texts.filter(bool), values)
def test_each_component_counts(given_, name, value):
    changed = {**given_, name: value}
    if marked(changed) != marked(given_):
        assert make_key(changed).digest != make_key(given_).digest


@thorough
@given(components)
def test_the_components_of_a_key_can_be_read(given_):
    key = make_key(given_)
    assert {c.name: marked(decode(c.value)) for c in key.components} == {
        name: marked(value) for name, value in given_.items()
    }
    assert [c.name for c in key.components] == sorted(given_)


@thorough
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_read_back_exactly_and_are_never_integers(value):
    text = encode(value)
    assert struct.pack(">d", float(text)) == struct.pack(">d", value)
    assert not re.fullmatch(r"-?[0-9]+", text)


@thorough
@given(texts)
def test_unicode_is_not_normalised(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        other = unicodedata.normalize(form, text)
        assert (encode(other) == encode(text)) == (other == text)


@thorough
@given(st.text(max_size=30))
def test_no_text_does_anything_but_decode_or_fail(text):
    try:
        value = decode(text)
    except errors.InvalidArgument:
        return
    assert encode(value) == text


def test_types_are_told_apart():
    alike = [
        1,
        1.0,
        True,
        "1",
        b"1",
        [1],
        {"1": 1},
        None,
        "null",
        0,
        0.0,
        -0.0,
        False,
        "",
        b"",
        [],
        {},
    ]
    assert len({encode(value) for value in alike}) == len(alike)


def test_what_a_subclass_extends_counts():
    class Color(enum.IntEnum):
        RED = 1

    class Mode(enum.StrEnum):
        FAST = "fast"

    assert encode(Color.RED) == "1"
    assert encode(Mode.FAST) == '"fast"'
    assert encode((1, 2)) == encode([1, 2])
    assert encode(bytearray(b"x")) == encode(b"x")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({1, 2}, "holds a set"),
        (object(), "holds a object"),
        (1j, "holds a complex"),
        (Path("x"), "holds a PosixPath"),
        ({1: 2}, "the keys of a mapping must be text"),
        ({"a": {None: 2}}, "the keys of a mapping must be text"),
        ("\ud800", "not valid Unicode"),
        ({"\udfff": 1}, "not valid Unicode"),
        ("x" * (MAX_CHARACTERS + 1), "more than 1048576"),
    ],
)
def test_what_has_no_text_is_refused(value, why):
    with pytest.raises(errors.InvalidArgument, match=why):
        encode(value)
    with pytest.raises(errors.InvalidArgument, match="component 'x'"):
        make_key({"x": value})


def test_an_integer_that_python_does_not_write_is_refused():
    with pytest.raises(errors.InvalidArgument, match="too long"):
        encode(10**5000)


def test_depth_is_bounded():
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value]
    assert decode(encode(value)) == value
    with pytest.raises(errors.InvalidArgument, match="nested"):
        encode([value])
    with pytest.raises(errors.InvalidArgument, match="nested"):
        decode("[" * 100_000)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(errors.InvalidArgument, match="nested"):
        encode(endless)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "01", "-0", "+1", "1.", ".5", "1.50", "1e5", "1E+16", "nan", '"\\u0041"',
     '"\\/"', 'b"AB"', 'b"a"', "[1,]", "[,1]", '{"b":1,"a":2}', '{"a":1,"a":1}', "{1:2}", "[1",
     '{"a"}', '"', "tru", "1,2", '{"a":1,}'],
)  # fmt: skip
def test_what_is_not_canonical_is_refused(text):
    with pytest.raises(errors.InvalidArgument):
        decode(text)


def test_names_are_bounded():
    for name in ("", "x" * 513, 1):
        with pytest.raises(errors.InvalidArgument, match="the name of a component"):
            make_key({name: 1})
    with pytest.raises(errors.InvalidArgument, match="at least one"):
        make_key({})
    with pytest.raises(errors.InvalidArgument, match="more than"):
        make_key({str(number): 1 for number in range(MAX_COMPONENTS + 1)})


def test_the_standard_components():
    components = step_components(
        "train",
        version="1",
        code="sha256:aa",
        image="i@sha256:bb",
        command=("python", "train.py"),
        parameters={"depth": 6},
        environment={"python": "3.11"},
        inputs={"data": [{"id": 1}]},
    )
    assert components == {
        "step": "train",
        "version": "1",
        "code": "sha256:aa",
        "image": "i@sha256:bb",
        "command": ["python", "train.py"],
        "parameters.depth": 6,
        "environment.python": "3.11",
        "inputs.data": [{"id": 1}],
    }
    assert step_components("train") == {"step": "train"}


def test_the_identity_of_an_input():
    whole = Artifact(id=7, uri="s3://b", custom_properties={"digest": "sha256:AA", "version": "3"})
    content, version = {"content": "sha256:aa"}, {"uri": "s3://b", "version": "3"}
    assert identity_of(whole) == content == identity_of(whole, Identity.CONTENT)
    assert identity_of(whole, "VERSION") == version
    assert identity_of(whole, Identity.ID) == {"id": 7}
    versioned = Artifact(uri="s3://b", properties={"version": "3"})
    assert identity_of(versioned) == version
    assert identity_of(Artifact(id=7, uri="s3://b")) == {"id": 7}
    for artifact, by in ((Artifact(uri="s3://b"), "AUTO"), (versioned, "ID"), (whole, "NOPE")):
        with pytest.raises(errors.InvalidArgument):
            identity_of(artifact, by)


def test_the_page_has_vectors():
    assert len(VECTORS) == PAGE.read_text(encoding="utf-8").count("\n### ") == 20


@pytest.mark.parametrize(("name", "text", "key"), VECTORS, ids=[name for name, _, _ in VECTORS])
def test_the_published_vectors(name, text, key):
    assert hashlib.sha256(text.encode()).hexdigest() == key
    first, *lines = text.removesuffix("\n").split("\n")
    assert first == "lineage-store cache key 1"
    parts = [_split(line) for line in lines]
    cache_key = make_key({decode(name): decode(value) for name, value in parts})
    assert cache_key.hex == key
    assert preimage(cache_key.components) == text.encode()
    assert all(isinstance(component, Component) for component in cache_key.components)


def _split(line: str) -> tuple[str, str]:
    """Return name and value of a line; a name may hold the sign between them."""
    for at in (sign.start() for sign in re.finditer("=", line)):
        try:
            decode(line[:at])
        except errors.InvalidArgument:
            continue
        return line[:at], line[at + 1 :]
    raise AssertionError(line)
