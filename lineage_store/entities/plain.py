"""Values in terms of JSON, and texts that a terminal shows as they are."""

import base64
import math
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage


def plain(value: object) -> Any:  # noqa: ANN401 - its shape is that of the value
    """Return a value in terms of JSON; NaN, infinities and times are text, bytes are base64."""
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, AnyMessage):
        return {"type_url": value.type_url, "value": base64.b64encode(value.value).decode()}
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def printable(text: str) -> str:
    """Return a text without line breaks and other characters that would upset a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
