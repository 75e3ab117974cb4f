"""Texts that lack their quotes, and so are taken for names."""

from lineage_store.filtering.errors import FilterError
from lineage_store.filtering.functions import SIGNATURES
from lineage_store.filtering.names import resolve
from lineage_store.filtering.tree import Literal, Node, Reference
from lineage_store.filtering.vocabulary import Type
from lineage_store.kinds import NodeKind


def is_named_text(kind: NodeKind, node: Node) -> bool:
    """Return whether a node is a text that has a name, or is made from others.

    The other side of a comparison with it is often a text that lacks its quotes; beside a text in
    quotes, a name is rather misspelt.
    """
    if isinstance(node, Literal):
        return False
    if not isinstance(node, Reference):
        return node.name in SIGNATURES and SIGNATURES[node.name].returns is Type.STRING
    try:
        return resolve(kind, node).type is Type.STRING
    except FilterError:
        return False


def with_quotes(error: FilterError, node: Node) -> FilterError:
    """Return an error of a node that stands where a text is wanted, with the advice to quote it."""
    if not error.message.startswith("Unrecognized name: "):
        return error
    example = f": '{'.'.join(node.parts)}'" if isinstance(node, Reference) else ""
    message = error.message.partition("; expected one of")[0]
    return FilterError(f"{message}; put text in quotes{example}", error.at)
