"""Every RPC by its name, from the rooms that answer them."""

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.engine.audit.methods import METHODS as AUDIT
from lineage_store.engine.cache.methods import METHODS as CACHE
from lineage_store.engine.history.methods import METHODS as HISTORY
from lineage_store.engine.lineage.methods import METHODS as LINEAGE
from lineage_store.engine.metadata.methods import METHODS as METADATA
from lineage_store.engine.method import Method
from lineage_store.engine.steps.methods import METHODS as STEPS

METHODS: dict[str, Method] = {**METADATA, **STEPS, **CACHE, **LINEAGE, **HISTORY, **AUDIT}


def method_of(name: str, request: Message, *, streams: bool = False) -> Method:
    """Return the method that answers a request.

    Args:
        name: The name of the RPC.
        request: Its request message.
        streams: Whether the caller takes a stream of messages.

    Raises:
        Unimplemented: No RPC of that kind has this name.
    """
    method = METHODS.get(name)
    if method is None or method.streams is not streams:
        raise errors.Unimplemented(f"{name} is not served")
    return method if method.claiming is None else method.of(request)
