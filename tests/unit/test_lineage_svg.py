"""Pictures of lineages: well-formed, bounded, and safe whatever the names."""

from html import unescape
from xml.etree import ElementTree as ET

import pytest

from lineage_store import errors
from lineage_store.lineage import svg
from lineage_store.lineage.result import Lineage
from lineage_store.lineage.verdict import Limit, Verdict
from tests.unit.lineages import data, lineage, reads, step, writes

NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def drawing(graph: Lineage) -> ET.Element:
    return ET.fromstring(graph.to_svg())


def titles(picture: ET.Element) -> list[str | None]:
    return [title.text for title in picture.iterfind(".//svg:title", NAMESPACE)]


def chain() -> Lineage:
    """raw -> clean -> table -> train -> model, and raw -> train as well."""
    raw, table, model = data(1, "raw"), data(3, "table"), data(5, "model")
    clean, train = step(2, "clean"), step(4, "train", depth=6)
    edges = [
        reads(clean, raw),
        writes(clean, table),
        reads(train, table),
        reads(train, raw, "raw"),
        writes(train, model),
    ]
    return lineage([[model], [train], [table], [clean], [raw]], edges)


def columns(picture: ET.Element) -> dict[str | None, float]:
    boxes = picture.iterfind(".//svg:g", NAMESPACE)
    return {
        group.findtext("svg:title", "", NAMESPACE): float(
            group.find("svg:rect", NAMESPACE).attrib["x"]  # type: ignore[union-attr]
        )
        for group in boxes
    }


def test_data_flows_from_left_to_right() -> None:
    places = columns(drawing(chain()))
    names = ["artifact:1", "execution:2", "artifact:3", "execution:4", "artifact:5"]
    assert sorted(places, key=places.__getitem__) == names


def test_an_edge_that_skips_columns_runs_through_lanes() -> None:
    picture = drawing(chain())
    arrows = [p for p in picture.iterfind(".//svg:path", NAMESPACE) if "marker-end" in p.attrib]
    assert len(arrows) == len(chain().inner_edges)
    lanes = [p for p in picture.iterfind(".//svg:path", NAMESPACE) if "h" in p.attrib["d"]]
    assert len(lanes) == 2


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><b onload="x">', "]]>", "a\x00b\x1b[31m", "&lt;"]
)
def test_a_name_is_never_markup(name: str) -> None:
    graph = lineage([[data(1, name, state=None)]], [])
    picture = drawing(graph)
    assert titles(picture) == ["artifact:1"]
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} == {
        *("svg", "defs", "marker", "path", "rect", "g", "title", "text")
    }
    assert "<script" not in graph._repr_html_()


def test_a_cycle_is_drawn_all_the_same() -> None:
    table, train = data(1, "table"), step(2, "train")
    graph = lineage([[table], [train]], [reads(train, table), writes(train, table)])
    assert sorted(map(str, titles(drawing(graph)))) == ["artifact:1", "execution:2"]


def test_an_empty_lineage_is_a_picture() -> None:
    assert titles(drawing(Lineage())) == []


def test_long_names_are_shortened() -> None:
    picture = drawing(lineage([[data(1, "n" * 500)]], []))
    widest = max(len(text.text or "") for text in picture.iterfind(".//svg:text", NAMESPACE))
    assert widest == 28


def test_a_large_lineage_is_a_tree_in_a_notebook() -> None:
    graph = lineage([[data(i) for i in range(1, svg.MAX_NODES + 2)]], [])
    with pytest.raises(errors.InvalidArgument, match="201 nodes; a picture has at most 200"):
        graph.to_svg()
    assert graph._repr_html_().startswith("<pre>")


def test_a_notebook_shows_the_verdict() -> None:
    verdict = Verdict(complete=False, reason=Limit.MAX_NODES)
    page = lineage([[data(1)]], [], verdict=verdict)._repr_html_()
    assert str(verdict) in unescape(page)
