"""Tables of nodes: for a notebook, for pandas, and their short reprs."""

import sys

import pandas as pd
import pytest

from lineage_store import errors
from lineage_store.client.calls import Page
from lineage_store.entities import Artifact, Execution, ExecutionState
from lineage_store.entities.tables import cell, duration_text, html_item, html_table, record


def models(count: int) -> list[Artifact]:
    return [
        Artifact(
            id=number,
            type="Model",
            name=f"m{number}",
            update_time=1_700_000_000_000,
            properties={"accuracy": 0.5 + number / 100},
        )
        for number in range(1, count + 1)
    ]


def test_a_repr_shows_the_fields_that_are_set():
    assert repr(Artifact(id=7, type="Model")) == "Artifact(id=7, type='Model')"
    step = Execution(id=1, state=ExecutionState.COMPLETE)
    assert repr(step) == "Execution(id=1, state='COMPLETE')"
    assert repr(Artifact(id=0, name="")) == "Artifact(id=0, name='')"


def test_a_repr_stays_short():
    values = {f"p{number:04}": "x" * 1_000 for number in range(1_000)}
    assert len(repr(Artifact(id=1, uri="u" * 10_000, custom_properties=values))) < 1_000


def test_the_repr_of_a_page_shows_its_first_items():
    page = Page(models(5), "token")
    assert repr(page).startswith("Page([Artifact(id=1, ")
    assert repr(page).endswith("… 2 more], next_page_token='token')")
    assert repr(Page([])) == "Page([], next_page_token=None)"


def test_a_data_frame_has_a_row_for_each_node_and_a_column_for_each_property():
    frame = Page(models(3)).to_pandas()
    assert list(frame["name"]) == ["m1", "m2", "m3"]
    assert frame["properties.accuracy"].max() == pytest.approx(0.53)
    assert frame["update_time"][0] == pd.Timestamp("2023-11-14T22:13:20Z")
    assert Page([]).to_pandas().empty


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(errors.FailedPrecondition, match="pip install pandas"):
        Page(models(1)).to_pandas()


def test_a_map_becomes_columns():
    artifact = Artifact(id=7, properties={"depth": 6}, custom_properties={"depth": "six"})
    row = record(artifact)
    assert row["properties.depth"] == 6
    assert row["custom_properties.depth"] == "six"


def test_a_table_has_no_column_that_nothing_sets():
    html = html_table(models(2))
    assert "<th>properties.accuracy</th>" in html
    assert "<th>uri</th>" not in html
    assert "2023-11-14T22:13:20.000Z" in html


def test_a_table_of_many_columns_names_the_rest():
    wide = Artifact(id=1, custom_properties={f"p{number:02}": 1 for number in range(30)})
    html = html_table([wide])
    assert html.count("<th>") == 14
    assert "17 more columns: custom_properties.p13" in html


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"><img src=x>'])
def test_texts_of_the_store_are_escaped(text):
    artifact = Artifact(id=1, name=text, custom_properties={text: text})
    for html in (html_table([artifact]), html_item(artifact), artifact._repr_html_()):
        assert text not in html
    assert text not in html_table([artifact], note=text)


def test_an_empty_table_is_still_a_table():
    assert html_table([]).startswith("<table>")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_530, "1.5 s"),
        (192_000, "3 min 12 s"),
        (3_600_000, "1 h 0 min"),
    ],
)
def test_durations_are_readable(milliseconds, text):
    assert duration_text(milliseconds) == text
    assert cell("duration_ms", milliseconds) == text
