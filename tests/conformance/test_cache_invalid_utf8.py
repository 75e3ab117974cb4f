"""Strings that are not UTF-8 in requests to the cache: refused by name, with nothing written."""

from typing import Any

import pytest

from lineage_store import errors
from tests.conformance.cache_steps import KEY, artifact, outcome, output, record, step
from tests.conformance.conftest import request_of

BROKEN = b"\xff\xfe\xff\xfe"


def with_cache(**fields: Any) -> dict[str, Any]:
    return step(cache={"digest": KEY, **fields})


STEPS = {
    "key": step("mark"),
    "type": step(execution={"type": "mark"}),
    "name": step(outputs=[output("mark")]),
    "input name": step(inputs=[output("mark")]),
    "artifact type": step(outputs=[{"artifact": {"type": "mark"}}]),
    "uri": step(outputs=[output(artifact=artifact("mark"))]),
    "external id": step(outputs=[output(artifact=artifact(external_id="mark"))]),
    "property": step(outputs=[output(artifact=artifact(properties={"mark": 1}))]),
    "property value": step(outputs=[output(artifact=artifact(properties={"p": "mark"}))]),
    "custom property": step(execution={"type": "T", "custom_properties": {"p": "mark"}}),
    "context type": step(contexts=[{"type": "mark", "name": "c"}]),
    "context name": step(contexts=[{"type": "T", "name": "mark"}]),
    "scope": with_cache(scope="mark"),
    "holder": with_cache(holder="mark", token=1),
    "component name": with_cache(components=[{"name": "mark"}]),
    "component value": with_cache(components=[{"name": "c", "value": "mark"}]),
    "parameter name": with_cache(output_parameters={"mark": 1}),
    "parameter value": with_cache(output_parameters={"p": "mark"}),
}
REQUESTS = {
    "Lookup scope": ("Lookup", {"scope": "mark"}),
    "Lookup fingerprint": ("Lookup", {"keys": [{"fingerprint": "mark"}]}),
    "Lookup holder": ("Lookup", {"claim": {"holder": "mark"}}),
    "Claim scope": ("Claim", {"digest": KEY, "holder": "a", "scope": "mark"}),
    "Claim holder": ("Claim", {"digest": KEY, "holder": "mark"}),
    "Release": ("Release", {"claims": [{"digest": KEY, "holder": "mark", "token": 1}]}),
    "Heartbeat": ("Heartbeat", {"claims": [{"digest": KEY, "holder": "mark", "token": 1}]}),
    "Invalidate by": ("Invalidate", {"entries": {"digests": [KEY]}, "by": "mark"}),
    "Invalidate why": ("Invalidate", {"entries": {"digests": [KEY]}, "why": "mark"}),
    "Invalidate scope": ("Invalidate", {"entries": {"scope": "mark"}}),
    "Invalidate component": ("Invalidate", {"entries": {"component": {"name": "mark"}}}),
    "ReportArtifacts": (
        "ReportArtifacts",
        {"reports": [{"artifact_id": 1, "status": 1, "digest": "mark"}]},
    ),
    "Explain": ("Explain", {"components": [{"name": "n", "value": "mark"}]}),
    "CacheStats": ("CacheStats", {"scope": "mark"}),
    "ListEntries token": ("ListEntries", {"page_token": "mark"}),
}


def broken(method: str, fields: dict[str, Any]) -> Any:
    """Return a request in which "mark" is not UTF-8."""
    request = request_of(method, fields)
    encoded = request.SerializeToString()
    assert b"mark" in encoded
    return type(request).FromString(encoded.replace(b"mark", BROKEN))


@pytest.mark.parametrize("name", STEPS)
def test_a_step(call, name):
    with call.refused(errors.InvalidArgument, "UTF-8"):
        call.transport.call("RecordStep", broken("RecordStep", {"step": STEPS[name]}))


@pytest.mark.parametrize("name", STEPS)
def test_a_step_among_others(call, name):
    steps = [step("good"), STEPS[name]]
    answer = call.transport.call("RecordSteps", broken("RecordSteps", {"steps": steps}))
    good, bad = answer.results
    assert good.recorded.execution_id
    assert (bad.error_reason, bad.HasField("recorded")) == ("INVALID_ARGUMENT", False)
    assert "UTF-8" in bad.error_message
    assert outcome(call) == "hit"


@pytest.mark.parametrize("name", REQUESTS)
def test_other_requests(call, name):
    record(call)
    with call.refused(errors.InvalidArgument):
        call.transport.call(REQUESTS[name][0], broken(*REQUESTS[name]))
