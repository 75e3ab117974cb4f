"""The operator that skips what is known, for DAGs of Airflow.

from lineage_store.integrations.airflow.operators import LineageCacheOperator

@dag(schedule=None, default_args={"trigger_rule": "none_failed"})
def shop():
    table = clean(floor=0)
    model = train(table, depth=6)
    table >> LineageCacheOperator(task_id="is_train_known") >> model
    report(model)
"""

from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.bases.skipmixin import SkipMixin

from lineage_store.integrations.airflow.hook import record


class LineageCacheOperator(BaseOperator, SkipMixin):
    """Skips the tasks right behind it that would put out what the store knows.

    Put it before tasks, and behind all that these get XComs from. With LINEAGE_STORE_CACHE=1 each
    of them whose code, arguments and inputs are known is skipped. It is recorded as CACHED with the
    execution that really ran, and the run gets the XComs of that one, so that what comes after goes
    on with them. For this, what is behind a skipped task needs the trigger rule `none_failed`,
    which this operator has unless it is given another.

    Without LINEAGE_STORE_CACHE, or while the store is away, it skips nothing.

    Args:
        trigger_rule: When it runs.
        **kwargs: Those of any operator.
    """

    inherits_from_skipmixin = True
    is_lineage_cache = True
    ui_color = "#dff0e6"

    def __init__(self, *, trigger_rule: str = "none_failed", **kwargs: Any) -> None:
        super().__init__(trigger_rule=trigger_rule, **kwargs)

    def execute(self, context: Any) -> None:
        """Skip what is known."""
        known = record("known_behind", context["ti"]) or []
        self.log.info("The store knows what these would put out: %s", ", ".join(known) or "none")
        tasks = self.get_direct_relatives(upstream=False)
        self.skip(context["ti"], [task for task in tasks if task.task_id in known])
