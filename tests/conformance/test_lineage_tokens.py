"""LineageService: the tokens that resume a trace."""

import hashlib
import zlib

from lineage_store import errors
from lineage_store.lineage import resumption
from tests.conformance.diamond_walks import BOTH, DOWNSTREAM, INPUT, UPSTREAM, edges, event, trace


def token_of(call, **options):
    return trace(call, 4, budget={"max_nodes": 3}, **options)[-1].verdict.resume_token


def refuses(call, token, match, **options):
    with call.refused(errors.InvalidArgument, match):
        trace(call, 4, token=token, **options)


def test_tokens_of_other_walks(diamond):
    token = token_of(diamond, direction=UPSTREAM)
    for options in (
        {"direction": DOWNSTREAM},
        {"direction": UPSTREAM, "event_types": [INPUT]},
        {"direction": UPSTREAM, "ids_only": True},
        {"direction": UPSTREAM, "as_of": {"happened_by_milliseconds": 9}},
    ):
        refuses(diamond, token, "made for another walk", **options)


def test_damaged_tokens(diamond):
    token = token_of(diamond)
    for damaged in (b"", b"\x01", b"garbage" * 10, token[:-1], token + b"x", b"\x02" + token[1:]):
        refuses(diamond, damaged, "resume_token")
    for at in range(len(token)):
        refuses(diamond, token[:at] + bytes([token[at] ^ 0x41]) + token[at + 1 :], "resume_token")


def forged(token, raw):
    """Return a token for the same walk that holds something else, with a checksum that is right."""
    packed = zlib.compress(raw)
    made_for = token[1:17]
    return token[:17] + hashlib.sha256(made_for + packed).digest()[:8] + packed


def test_forged_tokens(diamond):
    token = token_of(diamond)
    raw = zlib.decompress(token[25:])
    head = resumption._INNER.size
    for content in (
        b"",
        raw[:-1],
        raw + b"\0",
        b"\x07" + raw[1:],  # no such kind
        b"\x02" + raw[1:],  # contexts take no part in events
        raw[:1] + b"\xff" * 24 + raw[25:],  # counts beyond all bounds
        raw[:head] + b"\xff" * (len(raw) - head),  # ids beyond all bounds
        raw[:head] + b"\x00" * (len(raw) - head),  # an id twice
        bytes(200_000_000),  # small when compressed
    ):
        refuses(diamond, forged(token, content), "resume_token does not hold")


def test_tokens_of_other_stores(diamond):
    token = token_of(diamond)
    state = resumption.read_token(token, token[1:17])
    state.reached.add(77)
    refuses(diamond, resumption.write_token(state, token[1:17]), "another store")


def test_what_was_committed_during_a_walk_does_no_harm(diamond):
    """A walk that is resumed meets each node of its beginning, once."""
    first = trace(diamond, 4, direction=BOTH, budget={"max_nodes": 3})
    [new] = diamond.put("execution", {"type_id": diamond.type("execution", "Step")})
    diamond("PutEvents", events=[event(i, new, INPUT) for i in (1, 4)])
    token = first[-1].verdict.resume_token
    second = trace(diamond, 4, direction=BOTH, token=token)
    walked = edges([*first, *second])
    assert len(walked) == len(set(walked))
    assert len([edge for edge in walked if edge[1] != new]) == 7
