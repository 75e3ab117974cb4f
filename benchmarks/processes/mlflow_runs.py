"""Records runs with 16 parameters, in MLflow's SQL store or in ours, and takes the time.

    python mlflow_runs.py (mlflow | mlflow-one-by-one | ours) FILE

Runs on the interpreter that has the store. Each line of standard input, COUNT, is answered with a
JSON object: the seconds it took, and what the last run looks like when it is read back. Both stores
are called in process, on an SQLite file. A run is begun, gets its parameters and tags, and is
finished, each acknowledged before the next; MLflow can also log its parameters one by one.
"""

import json
import sys
import time

PARAMETERS = {f"parameter-{number}": f"value-{number}" for number in range(16)}
TAGS = {f"tag-{number}": f"text-{number}" for number in range(5)}


class Mlflow:
    """MLflow's store, called as its server calls it."""

    def __init__(self, file, *, one_by_one):
        from mlflow.entities import Param, RunStatus, RunTag
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        self._store = SqlAlchemyStore(f"sqlite:///{file}", f"{file}-artifacts")
        self._experiment = self._store.create_experiment("bench")
        self._param, self._tag, self._finished = Param, RunTag, RunStatus.FINISHED
        self._one_by_one = one_by_one

    def record(self, number):
        tags = [self._tag(*pair) for pair in TAGS.items()]
        run = self._store.create_run(self._experiment, "user", 1, tags, f"run-{number}")
        params = [self._param(*pair) for pair in PARAMETERS.items()]
        if self._one_by_one:
            for param in params:
                self._store.log_param(run.info.run_id, param)
        else:
            self._store.log_batch(run.info.run_id, [], params, [])
        self._store.update_run_info(run.info.run_id, self._finished, 2, None)
        return run.info.run_id

    def read(self, run_id):
        run = self._store.get_run(run_id)
        return {
            "parameters": dict(run.data.params),
            "tags": {key: value for key, value in run.data.tags.items() if key in TAGS},
            "finished": run.info.status == "FINISHED",
        }


class Ours:
    """Our store, called as our recorder calls it."""

    def __init__(self, file):
        import lineage_store
        from lineage_store.client.records import StepRecord
        from lineage_store.entities import Context, Execution, ExecutionState

        self._store = lineage_store.connect(f"sqlite:///{file}")
        self._record, self._execution, self._state = StepRecord, Execution, ExecutionState
        self._experiment = Context(type="experiment", name="bench")

    def record(self, number):
        values = PARAMETERS | TAGS
        [begun] = self._put(number, self._state.RUNNING, {})
        self._put(number, self._state.RUNNING, values)
        self._put(number, self._state.COMPLETE, {})
        return begun.execution_id

    def _put(self, number, state, values):
        execution = self._execution(
            type="run", name=f"run-{number}", state=state, custom_properties=values
        )
        step = self._record(key=f"run-{number}", execution=execution, contexts=[self._experiment])
        return self._store.record_steps([step])

    def read(self, execution_id):
        execution = self._store.get_execution(execution_id)
        kept = execution.custom_properties
        return {
            "parameters": {key: kept[key] for key in PARAMETERS},
            "tags": {key: kept[key] for key in TAGS},
            "finished": execution.state == self._state.COMPLETE,
        }


def main():
    which, file = sys.argv[1:]
    store = Ours(file) if which == "ours" else Mlflow(file, one_by_one=which != "mlflow")
    answers, sys.stdout = sys.stdout, sys.stderr
    number = 0
    for line in sys.stdin:
        begun = time.perf_counter()
        for _ in range(int(line)):
            number += 1
            last = store.record(number)
        seconds = time.perf_counter() - begun
        print(json.dumps({"seconds": seconds, "run": store.read(last)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
