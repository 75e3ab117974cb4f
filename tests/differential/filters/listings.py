"""Random listings that a filter may narrow down."""

import random

from google.protobuf.message import Message

from tests.differential.filters.comparing import listing_all
from tests.differential.filters.population import TYPES
from tests.differential.peers import request_of


def listing(chance: random.Random, kind: str, sizes: dict[str, int], used: set[str]) -> Message:
    """Return a request for nodes of a kind, most often for all of them."""
    choice = chance.random()
    if choice < 0.1:
        used.add("by type")
        request = request_of(f"Get{kind.capitalize()}sByType")
        request.type_name, version = chance.choice((*TYPES, ("unknown", "")))
        if version:
            request.type_version = version
        return request
    if choice < 0.2 and kind != "context":
        used.add("by context")
        request = request_of(f"Get{kind.capitalize()}sByContext")
        request.context_id = chance.randint(1, sizes["context"] + 1)
        return request
    return listing_all(kind)
