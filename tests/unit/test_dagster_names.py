"""The names of runs and errors of Dagster, the same in every process that reports them."""

from types import SimpleNamespace as Some
from typing import Any

import pytest

from lineage_store.integrations.dagster.errors import error_of_run, error_of_step
from lineage_store.integrations.dagster.runs import index_of, run_options
from lineage_store.integrations.dagster.values import masked_config


def run(remote: Any = None, code: Any = None) -> Any:
    return Some(
        job_name="churn",
        run_id="1",
        remote_job_origin=remote,
        job_code_origin=code,
        tags={"team": "growth", "dagster/partition": "mon", "dagster/other": "", ".dagster/x": ""},
        parent_run_id="0",
        asset_selection=None,
    )


def launched(location: str) -> Any:
    return run(remote=Some(location_name=location))


def loaded(**pointer: Any) -> Any:
    return run(code=Some(repository_origin=Some(code_pointer=Some(**pointer))))


@pytest.mark.parametrize(
    ("dagster_run", "project"),
    [
        (launched("shop.py"), "shop"),
        (launched("shop.py:defs"), "shop"),
        (launched("etl.shop"), "etl.shop"),
        (launched("grpc:localhost:4000"), "grpc:localhost:4000"),
        (launched("prod"), "prod"),
        (loaded(python_file="/srv/etl/shop.py", fn_name="defs"), "shop"),
        (loaded(module="etl.shop", fn_name="defs"), "etl.shop"),
        (loaded(reconstructor_pointer=Some(module="etl.shop")), "etl.shop"),
    ],
)
def test_code_locations(dagster_run: Any, project: str) -> None:
    options = run_options(dagster_run)
    assert (options["project"], options["pipeline"]) == (project, f"{project}.churn")
    assert options["run_id"] == f"{project}.churn@1"


def test_what_is_told_of_a_run() -> None:
    properties = {"tags.team": "growth", "partition": "mon", "reexecution_of": "0"}
    assert run_options(launched("shop.py"))["properties"] == properties


def test_the_index_of_a_mapped_step() -> None:
    state = Some(dynamic_mappings={"others": {"result": ["b", "a"]}, "own": {"result": ["a", "b"]}})
    step_inputs = [Some(dependency_keys={"own"})]
    assert index_of(Some(handle=Some(mapping_key="b"), step_inputs=step_inputs), state) == 1
    assert index_of(Some(handle=Some(mapping_key="z"), step_inputs=step_inputs), state) == 0
    assert index_of(Some(handle=Some(), step_inputs=step_inputs), state) == 0


def error(kind: str, message: str, cause: Any = None) -> Any:
    return Some(cls_name=kind, message=message, cause=cause)


def test_an_error_without_what_it_is_wrapped_in() -> None:
    own = error("ValueError", "ValueError: no luck\n")
    retry = error("RetryRequestedFromPolicy", "dagster.RetryRequestedFromPolicy", own)
    event = Some(event_type_value="STEP_UP_FOR_RETRY", step_retry_data=Some(error=retry))
    failure: Any = error_of_step(Some(), event)
    assert (failure.kind, failure.message) == ("ValueError", "no luck")


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (Some(error=None, failure_reason=Some(value="STEP_FAILURE")), "STEP_FAILURE", "it says so"),
        (Some(error=error("A", "x.A: b: c\n\nStack Trace:\n  d")), "A", "b: c"),
        (
            Some(error=error("A", "x.A"), failure_reason=Some(value="UNEXPECTED_TERMINATION")),
            "UNEXPECTED_TERMINATION",
            "it says so",
        ),
        (None, "Failure", "it says so"),
    ],
)
def test_why_a_run_failed(data: Any, kind: str, message: str) -> None:
    event = Some(
        event_type_value="PIPELINE_FAILURE", event_specific_data=data, message="it says so"
    )
    failure = error_of_run(event)
    assert failure is not None
    assert (failure.kind, failure.message) == (kind, message)


def test_names_of_environment_variables_for_their_values() -> None:
    config = {"user": "me", "token": "secret", "more": {"key": "secret", "size": 3}}
    user_config = {"token": {"env": "TOKEN"}, "more": {"key": {"env": "KEY"}}}
    assert masked_config(config, user_config) == {
        "user": "me",
        "token": {"env": "TOKEN"},
        "more": {"key": {"env": "KEY"}, "size": 3},
    }
    assert masked_config("secret", {"env": "TOKEN"}) == {"env": "TOKEN"}
