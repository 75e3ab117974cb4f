"""Listings: pages, orders and tokens."""

import base64
import time

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

Field = pb.ListOperationOptions.OrderByField
ORDERS = [Field.ID, Field.CREATE_TIME, Field.LAST_UPDATE_TIME]


def fill(call, kind, count, name="T"):
    t = call.type(kind, name)
    return call.put(kind, *({"type_id": t, "name": f"n{i}"} for i in range(count)))


def page(call, kind, token="", size=None, by=None, ascending=True, method=None, **scope):
    options = {"order_by_field": {"is_asc": ascending, **({} if by is None else {"field": by})}}
    if size is not None:
        options["max_result_size"] = size
    if token:
        options["next_page_token"] = token
    answer = call(method or f"Get{kind.title()}s", options=options, **scope)
    return [node.id for node in getattr(answer, f"{kind}s")], answer.next_page_token


def pages(call, kind, **options):
    """Return the ids on each page; more pages than nodes means that it never ends."""
    all_pages, token = [], ""
    while len(all_pages) < 500:
        ids, token = page(call, kind, token, **options)
        all_pages.append(ids)
        if not token:
            return all_pages
    raise AssertionError("the listing does not end")


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("by", ORDERS)
def test_nodes_of_one_millisecond_are_each_visited_once(call, by, ascending):
    ids = fill(call, "artifact", 250)
    all_pages = pages(call, "artifact", by=by, ascending=ascending, size=7)
    assert [i for ids in all_pages for i in ids] == (ids if ascending else ids[::-1])
    assert {len(ids) for ids in all_pages[:-1]} == {7}


def test_without_options_everything_comes_at_once(call, kind):
    ids = fill(call, kind, 150)
    answer = call(f"Get{kind.title()}s")
    assert [node.id for node in getattr(answer, f"{kind}s")] == ids
    assert not answer.HasField("next_page_token")


def test_a_page_has_twenty_nodes_unless_told(call, kind):
    ids = fill(call, kind, 50)
    assert pages(call, kind) == [ids[:20], ids[20:40], ids[40:]]


def test_empty_options_are_options(call, kind):
    fill(call, kind, 25)
    answer = call(f"Get{kind.title()}s", options={})
    assert len(getattr(answer, f"{kind}s")) == 20
    assert answer.next_page_token


def test_a_full_last_page_leads_nowhere(call, kind):
    ids = fill(call, kind, 40)
    assert pages(call, kind) == [ids[:20], ids[20:]]


@pytest.mark.parametrize("size", [101, 1000, 2**31 - 1])
def test_more_than_a_hundred_are_a_hundred_and_a_token(call, size):
    ids = fill(call, "artifact", 130)
    assert pages(call, "artifact", size=size) == [ids[:100], ids[100:]]


@pytest.mark.parametrize("size", [0, -1, -(2**31)])
def test_a_page_has_at_least_one_node(call, kind, size):
    with call.refused(errors.InvalidArgument):
        page(call, kind, size=size)


def test_an_order_must_be_specified(call, kind):
    with call.refused(errors.InvalidArgument):
        page(call, kind, by=Field.FIELD_UNSPECIFIED)


def test_update_time_orders_by_the_last_update(call, kind):
    a, b, c = fill(call, kind, 3)
    time.sleep(0.005)  # into another millisecond
    call.put(kind, {"id": a, "name": "n0", "custom_properties": {"k": 1}})
    assert page(call, kind, by=Field.LAST_UPDATE_TIME)[0] == [b, c, a]
    assert page(call, kind, by=Field.LAST_UPDATE_TIME, ascending=False)[0] == [a, c, b]
    assert page(call, kind, by=Field.CREATE_TIME)[0] == [a, b, c]


def test_pages_of_a_type(call, kind):
    fill(call, kind, 3, "Other")
    ids = fill(call, kind, 30)
    options = {"method": f"Get{kind.title()}sByType", "type_name": "T"}
    assert pages(call, kind, **options) == [ids[:20], ids[20:]]


@pytest.mark.parametrize(
    ("options", "is_set"),
    [
        ({"type_name": "T", "options": {}}, True),
        ({"type_name": "T"}, False),
        ({"type_name": "nope", "options": {}}, False),
    ],
)
def test_the_token_behind_the_last_page_of_a_type_is_set_but_empty(call, kind, options, is_set):
    fill(call, kind, 3)
    answer = call(f"Get{kind.title()}sByType", **options)
    assert answer.HasField("next_page_token") is is_set
    assert answer.next_page_token == ""


@pytest.mark.parametrize("by", ORDERS)
@pytest.mark.parametrize("kind", ["artifact", "execution"])
def test_pages_of_a_context(call, kind, by):
    fill(call, kind, 3, "Other")
    ids = fill(call, kind, 30)
    [context, empty] = call.contexts("c", "empty")
    field = "attributions" if kind == "artifact" else "associations"
    edges = [{"context_id": context, f"{kind}_id": i} for i in ids]
    call("PutAttributionsAndAssociations", **{field: edges})
    options = {"method": f"Get{kind.title()}sByContext", "by": by}
    assert pages(call, kind, **options, context_id=context) == [ids[:20], ids[20:]]
    # Without members the options are not looked at, as in ML Metadata.
    assert page(call, kind, **options, context_id=empty, size=0) == ([], "")
    with call.refused(errors.InvalidArgument):
        page(call, kind, **options, context_id=context, size=0)


def test_a_page_size_may_change_between_pages(call, kind):
    ids = fill(call, kind, 10)
    first, token = page(call, kind, size=3)
    second, _ = page(call, kind, token, size=5)
    assert first + second == ids[:8]


def test_a_token_fits_one_order(call, kind):
    fill(call, kind, 5)
    _, token = page(call, kind, size=2)
    for wrong in ({"by": Field.CREATE_TIME}, {"ascending": False}):
        with call.refused(errors.InvalidArgument):
            page(call, kind, token, size=2, **wrong)


@pytest.mark.parametrize("token", ["!", "AAA", "~~~~", "CAIQAhoCCA", "é"])
def test_what_is_no_token_is_refused(call, kind, token):
    fill(call, kind, 5)
    with call.refused(errors.InvalidArgument):
        page(call, kind, token)


def test_a_token_of_ml_metadata_by_id(call, kind):
    ids = fill(call, kind, 5)
    options = {"max_result_size": 2, "next_page_token": "CAIQAhoCCAI"}
    answer = call(f"Get{kind.title()}s", options=options)
    assert [node.id for node in getattr(answer, f"{kind}s")] == ids[2:4]


@pytest.mark.parametrize("ascending", [True, False])
def test_a_token_of_ml_metadata_by_update_time(call, kind, ascending):
    ids = fill(call, kind, 6)
    ids = ids if ascending else ids[::-1]
    nodes = {node.id: node.last_update_time_since_epoch for node in call.get(kind, *ids)}
    shared = [i for i in ids[:2] if nodes[i] == nodes[ids[1]]]
    token = pb.ListOperationNextPageToken(field_offset=nodes[ids[1]], listed_ids=shared)
    order = token.set_options.order_by_field
    order.field, order.is_asc = Field.LAST_UPDATE_TIME, ascending
    text = base64.urlsafe_b64encode(token.SerializeToString()).rstrip(b"=").decode()
    first_page, _ = page(call, kind, text, by=Field.LAST_UPDATE_TIME, ascending=ascending)
    assert first_page == ids[2:]


def test_our_first_token_is_that_of_ml_metadata(call, kind):
    fill(call, kind, 3)
    answer = call(f"Get{kind.title()}s", options={"max_result_size": 2})
    assert answer.next_page_token == "CAIQAhoCCAI"
