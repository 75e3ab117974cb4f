"""A line for each call that was answered, for those who ask for it with `--access-log`."""

import logging
import time

import grpc

logger = logging.getLogger("lineage_server.access")


def configure(*, is_on: bool) -> None:
    """Switch the access log of this process on or off."""
    logger.setLevel(logging.NOTSET if is_on else logging.WARNING)


def log_answer(method: str, context: grpc.ServicerContext, started_at: float) -> None:
    """Log that a call was answered.

    Args:
        method: Of the call.
        context: Its context.
        started_at: When it began, by `time.monotonic`.
    """
    if logger.isEnabledFor(logging.INFO):
        ms = round((time.monotonic() - started_at) * 1000, 1)
        logger.info("call answered", extra={"method": method, "peer": context.peer(), "ms": ms})
