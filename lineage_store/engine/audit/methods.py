"""The RPCs of AuditService."""

from lineage_store.engine.audit import lineages, records, stores
from lineage_store.engine.method import Method, Mode, methods

METHODS: dict[str, Method] = methods(
    Mode.AUDIT,
    {
        "Origins": lineages.origins,
        "Independence": lineages.independence,
        "Recall": lineages.recall,
        "Paths": lineages.paths,
        "Differences": lineages.differences,
        "RerunPlan": lineages.rerun_plan,
        "ThirdParty": lineages.third_party,
        "Labels": lineages.labels,
        "Monitoring": lineages.monitoring,
        "ExecutedOrCached": records.executed_or_cached,
        "Between": records.between,
        "LateRecords": records.late_records,
        "LearnedLater": records.learned_later,
        "UsedBy": stores.used_by,
        "Gaps": stores.gaps,
        "Inventory": stores.inventory,
        "Counts": stores.counts,
    },
)
