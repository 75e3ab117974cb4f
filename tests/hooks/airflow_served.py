"""Runs DAGs in a whole Airflow: API server, DAG processor, scheduler, a process for each task.

Run by Airflow's interpreter: `airflow_served.py DAG…`; each run begins when the one before has
ended. Exits with 0 if all of them went well.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 150.0
PARTS = (
    ("api-server", "--apps", "execution"),
    ("dag-processor",),
    ("scheduler", "--skip-serve-logs"),
)


def main(dags):
    port = free_port()
    os.environ |= {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret that only this test has, and long enough",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",  # so late it may see a process end
    }
    airflow = Path(sys.executable).with_name("airflow")
    parts = [subprocess.Popen([airflow, *part]) for part in PARTS]
    try:
        return 0 if all(outcome(dag, port, parts) == "success" for dag in dags) else 1
    finally:
        for part in parts:
            part.send_signal(signal.SIGTERM)
        for part in parts:
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.wait(20)
            part.kill()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def outcome(dag, port, parts):
    """Start a run of the DAG when all is there; return the state that it ends in."""
    # after the environment is set
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType

    await_(lambda: is_listening(port), parts)
    await_(lambda: SerializedDagModel.has_dag(dag), parts)
    with create_session() as session:
        session.get(DagModel, dag).is_paused = False
    started = trigger_dag(dag_id=dag, triggered_by=DagRunTriggeredByType.CLI)

    def final_state():
        with create_session() as session:
            state = session.get(DagRun, started.id).state
        return state if state in {"success", "failed"} else None

    return await_(final_state, parts)


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def await_(condition, parts):
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and all(part.poll() is None for part in parts):
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    sys.exit("Airflow does not come to it")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
