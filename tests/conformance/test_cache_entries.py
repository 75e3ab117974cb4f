"""Cache entries after their publication: invalidated, explained, listed and counted."""

import time

import pytest

from lineage_store import errors
from tests.conformance.cache_steps import (
    KEY,
    Miss,
    claim,
    key,
    lookup,
    outcome,
    record,
    record_cached,
    tied,
)


def publication(digest=KEY, **components):
    pairs = [{"name": name, "value": value} for name, value in components.items()]
    return {"digest": digest, "components": pairs}


@pytest.fixture
def chain(call):
    """d -> a -> b, and c made from an artifact of none of them; each step has a key of its name."""
    steps = {}
    for name, source in (("d", None), ("a", "d"), ("b", "a"), ("c", None)):
        inputs = [tied(steps[source].output_ids[0], "x")] if source else []
        cache = publication(key(name), step=name, code="1" if name in "da" else "2")
        steps[name] = record(call, name, inputs=inputs, cache=cache)
    return steps


def invalidated(call, transitive=False, **entries):
    """Invalidate and return the first letters of the keys that are meant."""
    names = {key(name): name for name in "abcdef"}
    request = {"entries": entries, "transitive": transitive, "by": "me", "why": "it is bad"}
    planned = call("Invalidate", **request, dry_run=True).entries
    invalidated_entries = call("Invalidate", **request).entries
    assert [entry.id for entry in planned] == [entry.id for entry in invalidated_entries]
    assert all(
        e.invalidated_by == "me" and e.invalidated_why == "it is bad" for e in invalidated_entries
    )
    return "".join(sorted(names[entry.digest] for entry in invalidated_entries))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"digests": [key("a"), key("x")]}, "a"),
        ({"digests": [key("a")], "scope": "other"}, ""),
        ({"scope": ""}, "abcd"),
        ({"execution_ids": [2, 4]}, "ac"),
        ({"artifact_ids": [1]}, "d"),
        ({"entry_ids": [3]}, "b"),
        ({"entry_ids": [2, 3], "digests": [key("b"), key("c")]}, "b"),
        ({"component": {"name": "code", "value": "1"}}, "ad"),
        ({"component": {"name": "code", "value": "1"}, "execution_ids": [2, 3]}, "a"),
        ({"component": {"name": "code", "value": "3"}}, ""),
        ({"published_before_milliseconds": 2**50}, "abcd"),
        ({"published_before_milliseconds": 5}, ""),
    ],
)
def test_entries_are_chosen_by_all_that_is_given(call, chain, entries, expected):
    assert invalidated(call, **entries) == expected
    for name in "abcd":
        reason = "INVALIDATED" if name in expected else "hit"
        assert outcome(call, key(name)) == reason
    assert invalidated(call, **entries) == ""


def test_entries_are_chosen_by_context(call, chain):
    cache = publication(key("e"))
    context = {"type": "run", "name": "r"}
    [context_id] = record(call, "e", contexts=[context], cache=cache).context_ids
    assert invalidated(call, context_ids=[context_id]) == "e"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ({"digests": [key("d")]}, "abd"),
        ({"digests": [key("a")]}, "ab"),
        ({"digests": [key("b")]}, "b"),
        ({"artifact_ids": [1]}, "abd"),
        ({"execution_ids": [1]}, "abd"),
        ({"component": {"name": "code", "value": "2"}}, "bc"),
    ],
)
def test_what_was_made_from_it_goes_too(call, chain, entries, expected):
    assert invalidated(call, transitive=True, **entries) == expected


def test_what_was_invalidated_before_still_leads_on(call, chain):
    assert invalidated(call, digests=[key("d")]) == "d"
    assert invalidated(call, transitive=True, digests=[key("d")]) == "ab"


def test_an_artifact_that_no_step_made_leads_to_those_that_read_it(call):
    [data] = call.put("artifact", {"type_id": call.type()})
    record(call, inputs=[tied(data, "x")], cache=publication(key("a")))
    assert invalidated(call, artifact_ids=[data]) == ""
    assert invalidated(call, transitive=True, artifact_ids=[data]) == "a"


def test_cached_copies_go_too(call, chain):
    entry_id = chain["d"].entry_id
    copy = record_cached(call, "copy", entry_id, cache=publication(key("e"))).recorded
    record(
        call,
        "of the copy",
        inputs=[tied(copy.output_ids[0], "x")],
        cache=publication(key("f")),
    )
    assert invalidated(call, transitive=True, digests=[key("d")]) == "abdef"


def test_a_copy_leads_back_to_what_shares_its_outputs(call, chain):
    record_cached(call, "copy", chain["d"].entry_id, cache=publication(key("e")))
    assert invalidated(call, transitive=True, digests=[key("e")]) == "abde"


def test_copies_of_a_step_without_outputs_go_too(call):
    source = record(call, outputs=[], cache=publication(key("a")))
    record_cached(call, "copy", source.entry_id, cache=publication(key("b")))
    assert invalidated(call, transitive=True, digests=[key("a")]) == "ab"


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ({}, "entries must select the entries to invalidate"),
        ({"digests": [b"x"]}, r"entries.digests\[0\]"),
        ({"component": {"value": "x"}}, "entries.component.name"),
        ({"published_before_milliseconds": -1}, "entries.published_before_milliseconds"),
    ],
)
def test_selections_that_are_not_valid(call, entries, text):
    record(call)
    with call.refused(errors.InvalidArgument, text):
        call("Invalidate", entries=entries)


def test_an_invalidated_key_can_be_published_again(call):
    recorded = record(call)
    call("Invalidate", entries={"digests": [KEY]}, by="me", why="w")
    assert record(call).entry_id == recorded.entry_id  # the same step: it stays invalidated
    [result] = lookup(call, KEY)
    assert result.miss.reason == Miss.INVALIDATED
    assert "me" in result.miss.detail
    assert "w" in result.miss.detail
    record(call, "again")
    assert outcome(call) == "hit"


def explain(call, *, execution_id=None, scope=None, **components):
    pairs = [{"name": name, "value": value} for name, value in components.items()]
    options = {} if execution_id is None else {"execution_id": execution_id}
    options |= {} if scope is None else {"scope": scope}
    return call("Explain", components=pairs, **options)


def differences(answer):
    return [
        (d.name, *(getattr(d, side) if d.HasField(side) else None for side in ("stored", "given")))
        for d in answer.differences
    ]


def test_a_miss_is_explained_by_the_nearest_entry(call):
    record(call, "1", cache=publication(key("1"), step="train", code="1", rate="1", old="x"))
    near = record(call, "2", cache=publication(key("2"), step="train", code="2", rate="1", old="x"))
    record(call, "3", cache=publication(key("3"), step="clean", code="2", rate="2", new="y"))
    answer = explain(call, step="train", code="2", rate="2", new="y")
    assert answer.nearest.id == near.entry_id
    assert answer.equal_components == 2
    assert differences(answer) == [("new", None, "y"), ("old", "x", None), ("rate", "1", "2")]
    [same] = [explain(call, step="clean", code="2", rate="2", new="y")]
    assert (differences(same), same.equal_components) == ([], 4)


def test_there_may_be_nothing_to_compare_with(call):
    record(call, cache=publication(step="train"))
    assert not explain(call, step="other").HasField("nearest")
    assert not explain(call, step="train", scope="other").HasField("nearest")
    assert explain(call, code="1").HasField("nearest")  # no kind of step: any


def test_a_miss_is_explained_by_a_named_execution(call, chain):
    answer = explain(call, execution_id=chain["c"].execution_id, step="d", code="1")
    assert answer.nearest.id == chain["c"].entry_id
    assert differences(answer) == [("code", "2", "1"), ("step", "c", "d")]
    for options in ({"execution_id": 99}, {"execution_id": 1, "scope": "other"}):
        with call.refused(errors.NotFound, "has published no entry"):
            explain(call, **options)
    with call.refused(errors.InvalidArgument, r"components\[1\].name: 'x' is there twice"):
        call("Explain", components=[{"name": "x"}] * 2)


def ids(answer):
    return [entry.id for entry in answer.entries]


def test_entries_are_listed_newest_first_page_by_page(call):
    entry_ids = [record(call, str(n), key(str(n))).entry_id for n in range(5)]
    first = call("ListEntries", max_result_size=2)
    second = call("ListEntries", max_result_size=2, page_token=first.next_page_token)
    record(call, "new", key("new"))  # does not push what comes on the next page
    third = call("ListEntries", max_result_size=2, page_token=second.next_page_token)
    assert ids(first) + ids(second) + ids(third) == entry_ids[::-1]
    assert not third.next_page_token


def test_a_listing_leaves_out_what_was_invalidated(call, chain):
    call("Invalidate", entries={"digests": [key("a")]}, by="me", why="w")
    assert len(ids(call("ListEntries"))) == 3
    every = call("ListEntries", include_invalidated=True).entries
    assert len(every) == 4
    [invalid] = [entry for entry in every if entry.HasField("invalidated_at_milliseconds")]
    assert (invalid.digest, invalid.invalidated_by, invalid.invalidated_why) == (
        key("a"),
        "me",
        "w",
    )


def test_a_listing_is_narrowed(call, chain):
    component = {"name": "code", "value": "2"}
    assert ids(call("ListEntries", entries={"component": component})) == [4, 3]
    listed = {"entries": {"execution_ids": [1, 2, 3]}, "max_result_size": 2}
    first = call("ListEntries", **listed)
    second = call("ListEntries", **listed, page_token=first.next_page_token)
    assert ids(first) + ids(second) == [3, 2, 1]
    assert ids(call("ListEntries", entries={"scope": "other"})) == []
    [entry] = call("ListEntries", entries={"digests": [key("b")], "scope": ""}).entries
    assert {c.name: c.value for c in entry.components} == {"step": "b", "code": "2"}
    assert entry.execution_id == entry.original_execution_id == 3


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"max_result_size": 0}, "max_result_size"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": "9" * 30}, "page_token"),
        ({"entries": {"digests": [b""]}}, "digests"),
    ],
)
def test_listings_that_are_not_valid(call, fields, text):
    with call.refused(errors.InvalidArgument, text):
        call("ListEntries", **fields)


def test_counts(call, chain):
    record(call, "e", cache={"digest": key("e"), "time_to_live_milliseconds": 0, "scope": "s"})
    record_cached(call, "copy", chain["b"].entry_id)
    record_cached(call, "copy 2", chain["b"].entry_id)
    claim(call, digest=key("x"))
    claim(call, digest=key("y"), lease_milliseconds=1)
    call("Invalidate", entries={"digests": [key("a")]})
    time.sleep(0.01)
    stats = call("CacheStats")
    counts = (stats.entries, stats.invalidated, stats.expired, stats.hits, stats.claims_held)
    assert counts == (5, 1, 1, 2, 1)
    narrow = call("CacheStats", scope="s")
    assert (narrow.entries, narrow.expired, narrow.claims_held) == (1, 1, 0)
    assert not call("CacheStats", scope="none").entries
    [used] = call("ListEntries", entries={"digests": [key("b")]}).entries
    assert used.hit_count == 2
    assert used.last_hit_at_milliseconds >= used.published_at_milliseconds
