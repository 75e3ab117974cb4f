"""Names, times and properties of Airflow's runs, as they are recorded."""

from datetime import datetime

from lineage_store.integrations.airflow.protocols import DagRun
from lineage_store.integrations.airflow.values import masked


def run_properties(dag_run: DagRun) -> dict[str, object]:
    """Return the properties of a run, beside its times."""
    properties = {
        "run_type": _text(dag_run.run_type),
        "logical_date": _text(dag_run.logical_date),
        "data_interval_start": _text(dag_run.data_interval_start),
        "data_interval_end": _text(dag_run.data_interval_end),
        "triggered_by": getattr(dag_run, "triggering_user_name", None),
        **{f"conf.{name}": value for name, value in masked(dag_run.conf or {}).items()},
    }
    return {name: value for name, value in properties.items() if value is not None}


def _text(value: object) -> str | None:
    return None if value is None else str(getattr(value, "value", value))


def milliseconds(at: datetime | None) -> int | None:
    """Return a time of Airflow in ms since the epoch."""
    return None if at is None else round(at.timestamp() * 1000)


def instance_name() -> str | None:
    """Return the name of this installation of Airflow, if it has one."""
    from airflow.configuration import conf  # noqa: PLC0415 - when Airflow is set up

    return conf.get("api", "instance_name", fallback="").strip() or None
