"""The functions of the filter language: what they take and what they return."""

from dataclasses import dataclass

from lineage_store.filtering.vocabulary import Type

_S, _I, _F, _B = Type.STRING, Type.INT64, Type.FLOAT64, Type.BOOL


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a function.

    Attributes:
        takes: The types of its arguments; FLOAT64 takes any number.
        returns: The type of its result; None: that of its first argument.
        optional: How many arguments at the end may be left out.
    """

    takes: tuple[Type, ...]
    returns: Type | None
    optional: int = 0


SIGNATURES = {
    "ABS": Signature((_F,), None),
    "CHAR_LENGTH": Signature((_S,), _I),
    "CONTAINS": Signature((_S, _S), _B),
    "ENDS_WITH": Signature((_S, _S), _B),
    "LENGTH": Signature((_S,), _I),
    "LOWER": Signature((_S,), _S),
    "LTRIM": Signature((_S, _S), _S, optional=1),
    "REPLACE": Signature((_S, _S, _S), _S),
    "ROUND": Signature((_F, _I), _F, optional=1),
    "RTRIM": Signature((_S, _S), _S, optional=1),
    "STARTS_WITH": Signature((_S, _S), _B),
    "SUBSTR": Signature((_S, _I, _I), _S, optional=1),
    "TRIM": Signature((_S, _S), _S, optional=1),
    "UPPER": Signature((_S,), _S),
}

CHOICES = {"COALESCE": (1, None), "IFNULL": (2, 2), "NULLIF": (2, 2)}
"""Functions that return one of their arguments, with the least and the largest number of them."""

CASTS = {
    Type.INT64: {_I, _F, _S, _B},
    Type.FLOAT64: {_I, _F, _S},
    Type.STRING: {_I, _F, _S, _B},
    Type.BOOL: {_I, _B},
}
"""The types that can be cast to each type."""

CAST_NAMES = {
    "INT64": _I,
    "INT32": _I,
    "UINT32": _I,
    "UINT64": _I,
    "FLOAT": _F,
    "FLOAT64": _F,
    "DOUBLE": _F,
    "STRING": _S,
    "BOOL": _B,
    "BOOLEAN": _B,
}
"""The names of types behind CAST(... AS."""

NAMES = (*SIGNATURES, *CHOICES, "TIMESTAMP")
