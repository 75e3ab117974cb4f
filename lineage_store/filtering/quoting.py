"""Texts that lack their quotes, and so are taken for names."""

from lineage_store.filtering.faults import Fault
from lineage_store.filtering.functions import SIGNATURES
from lineage_store.filtering.names import resolve
from lineage_store.filtering.tree import Literal, Node, Reference
from lineage_store.filtering.vocabulary import Type
from lineage_store.kinds import NodeKind


def is_named_text(kind: NodeKind, node: Node) -> bool:
    """Whether a node is a text that has a name, or is made from others.

    What is compared with it is often a text that lacks its quotes; what is compared with a text in
    quotes is rather a name that is misspelt.
    """
    if isinstance(node, Literal):
        return False
    if not isinstance(node, Reference):
        return node.name in SIGNATURES and SIGNATURES[node.name].returns is Type.STRING
    try:
        return resolve(kind, node).type is Type.STRING
    except Fault:
        return False


def with_quotes(fault: Fault, node: Node) -> Fault:
    """Return a fault of a node that stands where a text is wanted, with the advice to quote it."""
    if not fault.what.startswith("Unrecognized name: "):
        return fault
    example = f": '{'.'.join(node.parts)}'" if isinstance(node, Reference) else ""
    what = fault.what.partition("; expected one of")[0]
    return Fault(f"{what}; put text in quotes{example}", fault.at)
