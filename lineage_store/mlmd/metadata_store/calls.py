"""One call of the store, repeated when it was aborted, and listings made of several."""

import random
import time
from typing import Any, TypeVar

from google.protobuf.message import Message

from lineage_store.client.transport import Transport
from lineage_store.errors import LineageError
from lineage_store.mlmd import errors
from lineage_store.mlmd.metadata_store.listing import (
    MAX_NUM_RESULT,
    ListOptions,
    request_options,
)

R = TypeVar("R", bound=Message)

MEAN_PAUSE = 2.0
"""Seconds between two attempts of an aborted call, on average; exponentially distributed."""


class ExtraOptions:
    """Accepted by every method, and without effect."""

    def __init__(self, euc: object = None) -> None:
        del euc


class Calls:
    """The base of the methods of a store.

    Args:
        transport: Carries the requests.
        attempts: How often an aborted call is made, in all.
    """

    def __init__(self, transport: Transport, attempts: int) -> None:
        self._transport = transport
        self._attempts = attempts

    def _call(self, request: Message, response_class: type[R]) -> R:
        """Return the response of the RPC that `request` belongs to."""
        method = request.DESCRIPTOR.name.removesuffix("Request")
        for _ in range(self._attempts - 1):
            try:
                return self._attempt(method, request, response_class)
            except errors.AbortedError:
                time.sleep(random.expovariate(1 / MEAN_PAUSE))
        return self._attempt(method, request, response_class)

    def _attempt(self, method: str, request: Message, response_class: type[R]) -> R:
        try:
            response = self._transport.call(method, request)
        except LineageError as error:
            raise errors.make_exception(error.message, error.code) from error
        if not isinstance(response, response_class):
            raise TypeError(f"{method} answered a {type(response).__name__}")
        return response

    def _list(
        self,
        request: Any,  # noqa: ANN401 - of several methods
        response_class: type[Message],
        field: str,
        options: ListOptions | None,
    ) -> list[Any]:
        """Return the nodes in `field` of as many pages as `options` ask for."""
        limit = options.limit if options else None
        if options is not None:
            request.options.CopyFrom(request_options(options))
        messages: list[Any] = []
        while True:
            if limit:
                request.options.max_result_size = min(MAX_NUM_RESULT, limit - len(messages))
            page: Any = self._call(request, response_class)
            messages += getattr(page, field)
            if not page.next_page_token or (limit and len(messages) >= limit):
                return messages
            request.options.next_page_token = page.next_page_token
