"""The sources of the answers to the questions of an audit, beside the snapshot."""

from dataclasses import dataclass

from lineage_store.engine.history.revisions import Tokens
from lineage_store.engine.lineage.sources import GraphSources


@dataclass(frozen=True, slots=True)
class AuditSources:
    """The graphs and the tokens of a store.

    Attributes:
        graphs: The graphs that walks read, and their limits.
        tokens: The tokens of revisions.
    """

    graphs: GraphSources
    tokens: Tokens
