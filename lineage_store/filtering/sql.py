"""Names for the types of SQL expressions.

The checker has seen that the types of a filter fit, so the compiler does not say them again.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

Sql = ColumnElement[Any]
"""An expression of any type."""

Element = FunctionElement[Any]
"""An expression that is compiled for each database."""

SqlType = TypeEngine[Any]
"""A type of SQL."""
