"""The RPCs that record steps."""

from lineage_store.engine.method import Method, Mode, methods
from lineage_store.engine.steps import put_execution, recording

METHODS: dict[str, Method] = methods(
    Mode.WRITE,
    {
        "PutExecution": put_execution.put_execution,
        "PutLineageSubgraph": put_execution.put_lineage_subgraph,
        "RecordStep": recording.record_step,
        "RecordSteps": recording.record_steps,
    },
)
