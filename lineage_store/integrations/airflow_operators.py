"""Old name of `lineage_store.integrations.airflow.operators`, for one release."""

import warnings

from lineage_store.integrations.airflow.operators import LineageCacheOperator

__all__ = ["LineageCacheOperator"]

warnings.warn(
    "import LineageCacheOperator from lineage_store.integrations.airflow.operators",
    DeprecationWarning,
    stacklevel=2,
)
