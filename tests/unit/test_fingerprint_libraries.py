"""Fingerprints of the values of libraries, with the real libraries."""

import os
import pickle
import subprocess
import sys
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from lineage_store.errors import InvalidArgument
from lineage_store.fingerprints import fingerprint

ROOT = Path(__file__).parents[2]


class Opaque:
    pass


def all_differ(values: list[Any]) -> None:
    for one, other in combinations(values, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def stays(value: Any) -> None:
    """Check that a value is the same after a journey."""
    assert fingerprint(value) == fingerprint(pickle.loads(pickle.dumps(value)))


def frames() -> list[Any]:
    """Frames of which no two are the same."""
    pd = pytest.importorskip("pandas")
    plain = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    cases: list[Any] = [
        plain,
        plain["a"],
        plain["b"],
        plain.index,
        plain.columns,
        plain[["b", "a"]],
    ]
    cases += [plain.set_index("a"), plain.rename(columns={"a": "c"}), plain.iloc[::-1], plain[:1]]
    cases += [
        plain.astype({"a": kind}) for kind in ("int8", "Int64", "float64", "category", object)
    ]
    cases += [plain.astype({"b": kind}) for kind in ("category", object)]
    cases += [plain["a"].rename("z"), plain["a"].set_axis(["p", "q"]), plain.rename_axis("i")]
    cases += [pd.concat([plain, plain], axis=1), pd.concat({"k": plain}), pd.concat([plain, plain])]
    moments = pd.Series(pd.date_range("2026-01-01", periods=2, tz="UTC"))
    cases += [moments, moments.dt.tz_convert("Europe/Paris"), moments.dt.tz_localize(None)]
    cases += [
        moments.dt.tz_localize(None).dt.to_period("D"),
        moments.diff(),
        moments[0],
        moments[1],
    ]
    cases += [pd.Series([None, 1.0], dtype=kind) for kind in (object, "Float64", "Sparse[float]")]
    cases += [pd.Series([pd.NA, 1], dtype=object), pd.Series([float("nan"), 1], dtype=object)]
    cases += [pd.Series(pd.cut([1, 5], [0, 2, 6])), pd.Series(["ab", "c"]), pd.Series(["a", "bc"])]
    cases += [pd.Categorical(["a"]), pd.Categorical(["a"], ["a", "b"]), pd.NA, pd.NaT]
    cases += [
        pd.Categorical(["a"], ordered=True),
        pd.interval_range(0, 2),
        pd.Interval(0, 1, "left"),
    ]
    return cases


def test_frames_differ_by_types_labels_and_values() -> None:
    digests = list(map(fingerprint, frames()))
    assert digests == list(map(fingerprint, frames()))
    assert sorted(digests) == sorted(set(digests))


def test_how_a_frame_lies_in_memory_does_not_matter() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
    by_row = pd.DataFrame([[1, 4], [2, 5], [3, 6]], columns=["a", "b"])
    assert fingerprint(frame) == fingerprint(by_row) == fingerprint(by_row.copy())
    assert fingerprint(frame[1:]) == fingerprint(pd.DataFrame({"a": [2, 3], "b": [5, 6]}, [1, 2]))


def test_how_an_arrow_table_is_chunked_does_not_matter() -> None:
    arrow = pytest.importorskip("pyarrow")
    whole = arrow.table({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    halves = arrow.concat_tables([whole[:1].take([0]), whole[1:].take([0, 1])])
    assert fingerprint(whole) == fingerprint(halves)
    all_differ([whole, whole[:2], whole["a"], whole["b"], whole.select(["b", "a"])])
    all_differ([arrow.array([1, 2]), arrow.array([1, 2], "int8"), arrow.array([1, 3])])
    assert fingerprint(whole.to_batches()[0]) != fingerprint(whole)


def test_frames_differ_by_what_surrounds_the_values() -> None:
    pd = pytest.importorskip("pandas")
    plain = pd.DataFrame({"a": [1, 2]})
    named, strict = plain.copy(), plain.set_flags(allows_duplicate_labels=False)
    named.attrs["unit"] = "m"
    all_differ([plain, named, strict, plain["a"], named["a"], strict["a"]])
    days = pd.date_range("2026-01-01", periods=2)
    loose = pd.DatetimeIndex(days, freq=None)
    all_differ([days, loose, plain.set_index(days), plain.set_index(loose), days.to_series()])
    all_differ([plain.set_index(days)["a"], plain.set_index(loose)["a"]])
    all_differ([pd.offsets.Day(1), pd.offsets.Day(2), pd.offsets.Hour(1), pd.DateOffset(months=1)])
    moments = [pd.Timestamp("2026-01-05 10:00", tz=tz) for tz in ("Europe/Berlin", "+01:00", None)]
    all_differ([*moments, moments[0].to_pydatetime(), moments[2].as_unit("ns")])
    folds = [pd.Timestamp(2026, 10, 25, 2, 30, tz="Europe/Berlin", fold=fold) for fold in (0, 1)]
    all_differ(folds)
    all_differ([pd.CategoricalDtype(["a"]), pd.CategoricalDtype(["a"], ordered=True), "category"])
    for value in (named, strict, plain.set_index(days), *moments, *folds):
        stays(value)


def test_options_of_pandas_do_not_matter() -> None:
    pd = pytest.importorskip("pandas")
    digests = list(map(fingerprint, frames()))
    with pd.option_context("display.max_rows", 1, "display.precision", 1, "display.width", 10):
        assert digests == list(map(fingerprint, frames()))


def test_frames_of_a_subclass_count_with_their_attributes() -> None:
    pd = pytest.importorskip("pandas")

    class Measured(pd.DataFrame):  # type: ignore[misc, name-defined]
        _metadata = ("unit",)

    measured_frames = [Measured({"a": [1]}) for _ in range(3)]
    for frame, unit in zip(measured_frames, ("m", "m", "km"), strict=True):
        frame.unit = unit
    assert fingerprint(measured_frames[0]) == fingerprint(measured_frames[1])
    all_differ([measured_frames[0], measured_frames[2], pd.DataFrame({"a": [1]})])


def test_traces_of_how_an_arrow_table_was_made_do_not_matter() -> None:
    arrow = pytest.importorskip("pyarrow")
    compute = pytest.importorskip("pyarrow.compute")
    plain = arrow.table({"a": [1, None, 3], "b": ["x", None, "z"], "c": [True, None, False]})
    longer = arrow.table({"a": [9, 1, None, 3], "b": ["q", "x", None, "z"], "c": [0, 1, None, 0]})
    longer = longer.set_column(2, "c", longer["c"].cast("bool"))
    assert fingerprint(longer[1:]) == fingerprint(plain)
    hidden = compute.if_else(arrow.array([True, None, True]), arrow.array([1, 7, 3]), 0)
    assert fingerprint(hidden) == fingerprint(arrow.array([1, None, 3]))
    words = arrow.chunked_array(
        [arrow.array(["a"]).dictionary_encode(), arrow.array(["b", "a"]).dictionary_encode()]
    )
    whole = arrow.chunked_array([arrow.array(["a", "b", "a"]).dictionary_encode()])
    assert fingerprint(words) == fingerprint(whole)
    empty = arrow.table({"a": arrow.array([], "int64")})
    all_differ([plain["a"], plain["a"].combine_chunks(), empty, empty["a"]])
    schemas = [plain.schema, plain.schema.with_metadata({"a": "1"}), plain.schema.remove(0)]
    all_differ([*schemas, schemas[0][0], arrow.int64(), arrow.int32(), arrow.scalar(1), 1])
    stays(plain)
    stays(plain.schema)


def test_frames_of_polars() -> None:
    pl = pytest.importorskip("polars")
    plain = pl.DataFrame({"a": [1, None, 3], "b": ["x", None, "z"]})
    assert fingerprint(plain) == fingerprint(pl.concat([plain[:1], plain[1:]], rechunk=False))
    hidden = pl.DataFrame({"a": [1, 7, 3]}).select(pl.when(pl.col("a") != 7).then("a"))
    assert fingerprint(hidden) == fingerprint(plain.select("a"))
    others = [plain.rename({"a": "c"}), plain[::-1], plain[:2], plain.select("b", "a"), plain["a"]]
    others += [
        plain.cast({"a": kind}) for kind in (pl.Int8, pl.Float32, pl.String, pl.Decimal(9, 1))
    ]
    others += [plain.cast({"b": kind}) for kind in (pl.Categorical, pl.Enum(["x", "z"]), pl.Binary)]
    others += [plain.cast({"b": pl.Enum(["x", "z", "y"])}), plain.select(pl.struct("a", "b"))]
    others += [plain.select(pl.col("a").implode()), plain.with_columns(a=pl.lit(None))]
    moments = plain.select(pl.col("a").cast(pl.Datetime("us")))
    others += [moments, moments.select(pl.col("a").dt.replace_time_zone("Europe/Berlin"))]
    others += [
        moments.cast(pl.Datetime("ms")),
        pl.DataFrame(),
        plain.schema,
        pl.Int8(),
        plain.to_dicts(),
    ]
    all_differ([plain, *others])
    for value in (plain, *others):
        stays(value)
    with pytest.raises(InvalidArgument, match="LazyFrame has no fingerprint: it is a plan"):
        fingerprint([plain.lazy()])


def test_sparse_matrices() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    dense = [[0, 1], [2, 0]]
    formats = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]
    matrices = [
        getattr(sparse, f"{name}_{kind}")(dense) for name in formats for kind in ("array", "matrix")
    ]
    all_differ(
        [*matrices, sparse.csr_array([[0, 1], [3, 0]]), sparse.csr_array([[0, 1, 0], [2, 0, 0]])]
    )
    for value in matrices:
        stays(value)
        assert fingerprint(value) == fingerprint(value.copy())


def test_estimators() -> None:
    pytest.importorskip("sklearn")
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415
    from sklearn.ensemble import (  # noqa: PLC0415
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415
    from sklearn.neighbors import KNeighborsClassifier  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import (  # noqa: PLC0415
        FunctionTransformer,
        OneHotEncoder,
        StandardScaler,
    )
    from sklearn.utils import Bunch  # noqa: PLC0415

    np = pytest.importorskip("numpy")
    x = np.arange(40.0).reshape(20, 2) % 7
    y = (np.arange(20) % 3 == 0) * 1
    all_differ([Ridge(), Ridge(alpha=2), LogisticRegression(), make_pipeline(Ridge()), "Ridge()"])
    all_differ([OneHotEncoder(), OneHotEncoder(dtype=np.float32), FunctionTransformer(np.log1p)])
    all_differ([FunctionTransformer(np.log1p), FunctionTransformer(np.exp), Bunch(a=1), {"a": 1}])
    assert fingerprint(ColumnTransformer([("a", OneHotEncoder(), [0])]))
    makers = [
        lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.5)),
        lambda: RandomForestClassifier(3, random_state=0),
        lambda: GradientBoostingClassifier(n_estimators=3, random_state=0),
        lambda: KNeighborsClassifier(2, algorithm="brute"),
        lambda: HistGradientBoostingClassifier(max_iter=2, random_state=0),
    ]
    for make in makers:
        one, other = make().fit(x, y), make().fit(x, y)
        assert fingerprint(one) == fingerprint(other)
        stays(one)
        all_differ([one, make(), make().fit(x, 1 - y)])
    with pytest.raises(InvalidArgument, match="has no fingerprint"):
        fingerprint(FunctionTransformer(lambda value: value))


def test_models_of_pydantic() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        model_config = pydantic.ConfigDict(extra="allow")
        depth: int = 1
        names: tuple[str, ...] = ()
        _seen: int = pydantic.PrivateAttr(0)

        @cached_property
        def twice(self) -> int:
            return self.depth * 2

    class Other(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        depth: int = 1

    private = Model(depth=1)
    private._seen = 5
    all_differ([Model(), Model(depth=1), Model(depth=2), Model(depth=1, more=2), private, Other()])
    used = Model(depth=3, names=("a",))
    assert used.twice == 6
    assert fingerprint(used) == fingerprint(Model(depth=3, names=("a",)))
    assert fingerprint(used) == fingerprint(used.model_copy(deep=True))
    url = pydantic.TypeAdapter(pydantic.AnyUrl).validate_python
    all_differ([url("http://a"), url("http://b"), "http://a/"])


def test_secrets_count_and_are_not_shown() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Access(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        user: str
        password: pydantic.SecretStr

    accesses = [Access(user="me", password=word) for word in ("hunter2", "hunter2", "other")]
    assert fingerprint(accesses[0]) == fingerprint(accesses[1]) != fingerprint(accesses[2])
    all_differ([pydantic.SecretStr("a"), pydantic.SecretBytes(b"a"), pydantic.Secret[int](1), "a"])
    with pytest.raises(InvalidArgument) as refused:
        fingerprint([pydantic.SecretStr("hunter2"), Opaque()])
    assert "hunter2" not in str(refused.value)


def test_classes_of_attrs() -> None:
    attrs = pytest.importorskip("attrs")

    @attrs.define
    class Slotted:
        depth: int = 1

    @attrs.frozen(cache_hash=True)
    class Frozen:
        depth: int = 1

    @attrs.define(slots=False)
    class Open:
        depth: int = 1

    more = Open(1)
    more.extra = 2  # type: ignore[attr-defined]
    all_differ([Slotted(1), Slotted(2), Frozen(1), Frozen(2), Open(1), Open(2), more])
    hashed = Frozen(1)
    assert hash(hashed)
    for one, other in ((Slotted(1), Slotted()), (hashed, Frozen(1)), (Open(1), Open(depth=1))):
        assert fingerprint(one) == fingerprint(other)


def test_zones_of_libraries() -> None:
    dateutil = pytest.importorskip("dateutil.tz")
    all_differ([dateutil.gettz("Europe/Berlin"), dateutil.tzoffset("x", 3600), dateutil.tzutc()])
    with pytest.raises(InvalidArgument, match="tzlocal has no fingerprint"):
        fingerprint(dateutil.tzlocal())


def main() -> None:
    """Print the fingerprints of values of libraries, for a comparison with another process."""
    sklearn = pytest.importorskip("sklearn.linear_model")
    np = pytest.importorskip("numpy")
    values = [*frames(), sklearn.Ridge().fit(np.eye(3), [1, 2, 3]), np.random.default_rng(1)]
    print(*map(fingerprint, values), sep="\n")


def test_they_are_the_same_in_every_process(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    program = "from tests.unit.test_fingerprint_libraries import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert process.stdout == capsys.readouterr().out
