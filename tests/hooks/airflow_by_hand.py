"""Sets the state of a task as the page of Airflow does: `airflow_by_hand.py DAG TASK STATE`."""

import os
import sys


def main(dag, task, state):
    os.environ |= {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret that only this test has, and long enough",
    }
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app()) as client:
        token = client.get("/auth/token").json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        [run] = client.get(f"/api/v2/dags/{dag}/dagRuns").json()["dag_runs"]
        place = f"/api/v2/dags/{dag}/dagRuns/{run['dag_run_id']}/taskInstances/{task}"
        answer = client.patch(place, json={"new_state": state})
        answer.raise_for_status()


if __name__ == "__main__":
    main(*sys.argv[1:])
