"""The operator that skips tasks with cached outcomes, for DAGs of Airflow.

from lineage_store.integrations.airflow.operators import LineageCacheOperator

@dag(schedule=None, default_args={"trigger_rule": "none_failed"})
def shop():
    table = clean(floor=0)
    model = train(table, depth=6)
    table >> LineageCacheOperator(task_id="is_train_known") >> model
    report(model)
"""

from collections.abc import Mapping

from airflow.sdk import BaseOperator
from airflow.sdk.bases.skipmixin import SkipMixin

from lineage_store.integrations.airflow.hook import record


class LineageCacheOperator(BaseOperator, SkipMixin):
    """Skips the tasks right behind it whose outcomes the store has.

    Put it before tasks, and behind all that these get XComs from. With LINEAGE_STORE_CACHE=1 each
    of them whose code, arguments and inputs are known is skipped. It is recorded as CACHED with the
    execution that really ran, and the run gets the XComs of that one, so that later tasks go on
    with them. For this, tasks behind a skipped task need the trigger rule `none_failed`, which is
    the default of this operator.

    Without LINEAGE_STORE_CACHE, or while the store is away, it skips nothing.

    Args:
        trigger_rule: When it runs.
        **kwargs: Those of any operator.
    """

    inherits_from_skipmixin = True
    is_lineage_cache = True
    ui_color = "#dff0e6"

    def __init__(self, *, trigger_rule: str = "none_failed", **kwargs: object) -> None:
        super().__init__(trigger_rule=trigger_rule, **kwargs)

    def execute(self, context: Mapping[str, object]) -> None:
        """Skip the tasks with cached outcomes."""
        cached_tasks = record("cached_downstream", context["ti"]) or []
        names = ", ".join(cached_tasks) or "none"
        self.log.info("The store has the outcomes of these tasks: %s", names)
        tasks = self.get_direct_relatives(upstream=False)
        self.skip(context["ti"], [task for task in tasks if task.task_id in cached_tasks])
