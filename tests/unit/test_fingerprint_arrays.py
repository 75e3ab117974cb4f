"""Fingerprints of numpy's objects: arrays, data types, generators."""

import pickle
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lineage_store.errors import InvalidArgument
from lineage_store.fingerprints import fingerprint


class Opaque:
    pass


def all_differ(values: list[Any]) -> None:
    for one, other in combinations(values, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def stays(value: Any) -> None:
    """Check that a value is the same after a journey."""
    assert fingerprint(value) == fingerprint(pickle.loads(pickle.dumps(value)))


def test_arrays_differ_by_type_shape_and_order_of_bytes() -> None:
    np = pytest.importorskip("numpy")
    square = np.arange(6, dtype="<i4").reshape(2, 3)
    assert fingerprint(square) == fingerprint(+square)
    assert fingerprint(square[:, ::2]) == fingerprint(square[:, ::2].copy())
    assert fingerprint(square.T) == fingerprint(np.asfortranarray(square.T))
    assert fingerprint(square) != fingerprint(np.asfortranarray(square))
    others = [
        square.astype("<i8"),
        square.astype(">i4"),
        square.reshape(3, 2),
        square.T,
        square + 1,
    ]
    all_differ([square, *others, square.tolist(), square.tobytes()])
    all_differ([np.float64(1), np.float32(1), np.int64(1), 1.0, 1, np.array([1.0])])
    all_differ([np.array(["a", "b"]), np.array(["a", "b"], object), np.array(["ab"]), ["a", "b"]])
    all_differ(
        [
            np.zeros((0, 3)),
            np.zeros((3, 0)),
            np.array(["2026"], "M8[Y]"),
            np.array(["2026"], "M8[D]"),
        ]
    )


def test_arrays_of_several_parts() -> None:
    np = pytest.importorskip("numpy")
    padded = np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True))
    other = np.ones(2, "V16").view(padded.dtype)
    for name in ("a", "b"):
        other[name] = padded[name]
    assert fingerprint(padded) == fingerprint(other)
    all_differ([padded, padded["a"], padded["b"]])
    masked = [np.ma.array([1, hidden, 3], mask=[0, 1, 0]) for hidden in (2, 9)]
    assert fingerprint(masked[0]) == fingerprint(masked[1])
    all_differ([masked[0], np.ma.array([1, 2, 3]), np.array([1, 0, 3])])
    texts = [np.array(["a", "bc"], np.dtypes.StringDType()) for _ in range(2)]
    assert fingerprint(texts[0]) == fingerprint(texts[1])
    with pytest.raises(InvalidArgument, match="Opaque"):
        fingerprint(np.array([Opaque()], object))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_that_differ_in_more_than_elements() -> None:
    np = pytest.importorskip("numpy")
    plain = np.array([[1.0, 2.0], [3.0, 4.0]])
    all_differ([plain, np.matrix(plain), plain.T, plain.tolist()])
    masked = [np.ma.array([1, 2], mask=[0, 1], fill_value=at) for at in (0, 9)]
    all_differ([*masked, np.ma.array([1, 2], mask=[0, 1], hard_mask=True, fill_value=0)])
    structured = np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])
    all_differ([structured, structured.view(np.recarray), structured.astype("i8,f8")])
    all_differ(
        [np.dtype("i4"), np.dtype("i8"), np.dtype("i4").str, np.dtype("i4", metadata={"a": 1})]
    )
    all_differ([np.float64, np.float32, "float64", np.mean, np.median, np.log1p, np.exp])
    all_differ(
        [np.float64(1), np.array(1.0), np.longdouble(1), np.str_("a"), "a", np.bool_(1), True]
    )
    for value in (plain.T, masked[0], structured, np.matrix(plain), np.longdouble(1) / 3):
        stays(value)
    several = [np.full(3, np.longdouble(2)) for _ in range(4)]
    assert len(set(map(fingerprint, several))) == 1


def test_a_mapped_array_is_its_content(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    for name in ("one", "other"):
        np.save(tmp_path / name, np.arange(4))
    one, other = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("one", "other"))
    assert fingerprint(one) == fingerprint(other) != fingerprint(np.arange(4))


def test_subclasses_of_arrays() -> None:
    np = pytest.importorskip("numpy")

    class Units(np.ndarray):  # type: ignore[misc]
        unit: str

    arrays = [np.arange(3).view(Units) for _ in range(3)]
    for array, unit in zip(arrays, ("m", "m", "km"), strict=True):
        array.unit = unit
    assert fingerprint(arrays[0]) == fingerprint(arrays[1])
    all_differ([arrays[0], arrays[2], np.arange(3)])


def test_generators_of_numpy() -> None:
    np = pytest.importorskip("numpy")
    kinds = [np.random.default_rng, np.random.RandomState, np.random.PCG64, np.random.MT19937]
    kinds += [np.random.SeedSequence, np.random.Philox, np.random.SFC64]
    all_differ([kind(seed) for kind in kinds for seed in (1, 2)])
    for kind in kinds:
        assert fingerprint(kind(1)) == fingerprint(kind(1))
    used, spawned = np.random.default_rng(1), np.random.default_rng(1)
    used.random()
    spawned.spawn(1)
    all_differ([np.random.default_rng(1), used, spawned])
    stays(used)
    stays(np.random.RandomState(3))
