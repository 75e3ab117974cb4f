"""The deliberate differences from ML Metadata in filters."""

import re

from tests.differential.comparison import Exchange
from tests.differential.difference import Difference
from tests.differential.filters.lexing import Lexed, lex
from tests.differential.filters.names import ENUMS, NEW_NAMES
from tests.differential.identities import messages_in
from tests.differential.peers import NAMES, Answer

_CODES = {name: code for code, name in NAMES.items()}
_INVALID_ARGUMENT, _INTERNAL = _CODES["INVALID_ARGUMENT"], _CODES["INTERNAL"]
_NOT_FOUND = _CODES["NOT_FOUND"]
_ENUM_NAMES = "|".join({name for names in (*ENUMS.values(), *NEW_NAMES.values()) for name in names})
_ENUM_REWRITING = re.compile(
    r"Unsupported enum value specified in the query"
    r"|Query cannot be rewritten successfully for matched enum predicate"
    rf"|Unrecognized name: '?({_ENUM_NAMES})\b"
)
_ENUM_PREDICATE = re.compile(r"(state|type)\s*(=|!=|IN\b|NOT IN\b)", re.IGNORECASE)
_STATES = re.compile(r"\b(artifacts|executions)_\w+\.\w*state\s*(!=|NOT\s+IN)", re.IGNORECASE)
_DUPLICATE = re.compile("Duplicate expression column name")
_UNRECOGNIZED = re.compile(r"Unrecognized name: (custom_)?properties\b")
_PROPERTY = re.compile(r"\b((?:custom_)?properties)\.(?:`([^`]*)`|(\w+))\.(\w+|`)")
_LENIENT = re.compile(
    r"Missing whitespace between literal and alias|Field name \w+ does not exist"
    r"|Could not cast literal|matched_property: |Unrecognized name: type_version\b"
)
_CAST = re.compile(
    r"\bcast\s*\(([^()]|\([^()]*\))* as (string|bool)"  # printed, or reduced to TRUE and FALSE
    r'|\bcast\s*\(\s*([-+.\de]+|"")\s+as ',  # worked out by ZetaSQL itself
    re.IGNORECASE,
)
_EXTREME = re.compile(r"\d{10,}|\de[+-]?\d{3}", re.IGNORECASE)
_QUOTED_NAME = re.compile(r"`\w+`\s*\(|\bas\s+`", re.IGNORECASE)
_HIDDEN = re.compile(r"[\\\x00-\x1f\x7f]")
_REFUSED = re.compile(
    r"\bselect\b|\bunknown\b|[&|~^]|<<|>>|\b(sign|format|[lr]trim|safe_cast)\s*\(", re.IGNORECASE
)
# The columns of all tables that MLMD joins, which a literal may be taken for.
_COLUMNS = {
    *("id", "type_id", "uri", "state", "name", "external_id", "type", "last_known_state"),
    *("create_time_since_epoch", "last_update_time_since_epoch", "version", "type_kind"),
    *("description", "input_type", "output_type", "artifact_id", "execution_id", "context_id"),
    *("milliseconds_since_epoch", "int_value", "double_value", "string_value", "bool_value"),
    *("parent_context_id", "is_custom_property", "proto_value", "event_id", "rowid", "oid"),
}


def _filter(exchange: Exchange) -> str:
    """Return the filter of a request, or all four of a lineage query behind each other."""
    parts = messages_in(exchange.request)
    return "\n".join(part.filter_query for part in parts if hasattr(part, "filter_query"))


def _lexed(exchange: Exchange) -> Lexed:
    return lex(_filter(exchange))


def _only_ours_answers(exchange: Exchange) -> bool:
    # A lineage query that starts from nothing is NOT_FOUND.
    return exchange.real.code == _INVALID_ARGUMENT and exchange.ours.code in (0, _NOT_FOUND)


def _both_answer(exchange: Exchange) -> bool:
    answers = (exchange.real, exchange.ours)
    return all(answer.code in (0, _NOT_FOUND) for answer in answers)


def _only_real_answers(exchange: Exchange) -> bool:
    return exchange.real.code in (0, _NOT_FOUND) and exchange.ours.code == _INVALID_ARGUMENT


def _fails_inside(exchange: Exchange) -> bool:
    """Return True if the real store made SQL of a filter that its database can't run."""
    return (
        _filter(exchange).strip() != ""
        and exchange.real.code == _INTERNAL
        and "Error when executing query: " in exchange.real.message
        and exchange.ours.code in (0, _NOT_FOUND, _INVALID_ARGUMENT)
    )


def _enum_rewriting(exchange: Exchange) -> bool:
    """Return True if the real store stumbles over the names of an enumeration that we know."""
    if _only_real_answers(exchange):  # "-state = LIVE", rewritten to "-state = 2"
        return _has_message(exchange.ours, _ENUM_REWRITING)
    if not _only_ours_answers(exchange):
        return False
    if _has_message(exchange.real, _ENUM_REWRITING):
        return True
    broken = _STATES.search(_lexed(exchange).code)
    return broken is not None and 'Unexpected "("' in exchange.real.message


def _folded_names(exchange: Exchange) -> bool:
    """Return True if a filter names a property in capitals."""
    return _both_answer(exchange) and any(
        name != name.lower() for name in _lexed(exchange).properties
    )


def _two_namings(exchange: Exchange) -> bool:
    if not _only_ours_answers(exchange):
        return False
    if _has_message(exchange.real, _DUPLICATE):
        return True
    properties = _PROPERTY.findall(_lexed(exchange).code)
    quoted = {(prefix, name) for prefix, name, _, _ in properties if name}
    bare = {(prefix, name) for prefix, _, name, _ in properties if name}
    twice = quoted & bare or any(value == "`" for *_, value in properties)
    return _has_message(exchange.real, _UNRECOGNIZED) and bool(twice)


def _has_message(answer: Answer, pattern: re.Pattern[str]) -> bool:
    return pattern.search(answer.message) is not None


def _altered_literals(exchange: Exchange) -> bool:
    """Return True if a literal does not come through the two printings of the real store."""
    if exchange.ours.code not in (0, _NOT_FOUND):
        return False
    lexed = _lexed(exchange)
    return any(
        _HIDDEN.search(value) or value.lower() in _COLUMNS or _ENUM_PREDICATE.search(value)
        for value in (*lexed.strings, *lexed.properties)
    )


def _more_of_sql(exchange: Exchange) -> bool:
    code = _lexed(exchange).code
    refused = _REFUSED.search(code) or _QUOTED_NAME.search(code)
    return _only_real_answers(exchange) and refused is not None


def _more_names(exchange: Exchange) -> bool:
    return _only_ours_answers(exchange) and _has_message(exchange.real, _LENIENT)


def _casts(exchange: Exchange) -> bool:
    answered = _both_answer(exchange) or _only_ours_answers(exchange)
    return (answered or _only_real_answers(exchange)) and bool(_CAST.search(_lexed(exchange).code))


def _extreme_numbers(exchange: Exchange) -> bool:
    """Return True if a filter holds a number that the real store rounds or writes differently."""
    return _both_answer(exchange) and bool(_EXTREME.search(_lexed(exchange).code))


FILTER_DIFFERENCES = (
    Difference(
        "filters that fail inside",
        "What ZetaSQL accepts and the database can't run is INTERNAL in MLMD, with the SQL text. "
        "Here it is answered, or INVALID_ARGUMENT.",
        explains=_fails_inside,
    ),
    Difference(
        "names of states and event types",
        "MLMD rewrites them by regular expression before it parses: it does not know the newer "
        "ones, nor numbers after =, nor a predicate that stands twice, nor != on the state of a "
        "neighbour. Here all are accepted.",
        explains=_enum_rewriting,
    ),
    Difference(
        "capitals in names of properties",
        "MLMD looks for the name in lower case. Here a name is what it is.",
        explains=_folded_names,
    ),
    Difference(
        "one neighbour written in two ways",
        "Aliases and properties that differ in letter case or backquotes alone are "
        "INVALID_ARGUMENT in one filter of MLMD, and so is a backquoted `int_value`. Here they are "
        "names like any other.",
        explains=_two_namings,
    ),
    Difference(
        "literals that MLMD alters",
        "A string literal, or name of a property, that equals the name of a column is that column "
        "in MLMD, one with a backslash or a control character never matches, and what looks like "
        "a predicate on a state is rewritten within it. Here a literal is what it says.",
        explains=_altered_literals,
    ),
    Difference(
        "more of SQL than a filter needs",
        "Subqueries, operators on bits, IS UNKNOWN, some functions and backquoted names of "
        "functions come through MLMD to the database. Here they are INVALID_ARGUMENT.",
        explains=_more_of_sql,
    ),
    Difference(
        "more than MLMD can name",
        "Here a filter may also speak of the paths of events, the versions of types and all "
        "attributes of neighbours, mix large integers with others, and leave out the blank "
        "behind a number.",
        explains=_more_names,
    ),
    Difference(
        "numbers of many digits",
        "MLMD writes numbers with 15 digits, and the infinite and smallest ones as 0; compares "
        "INT64 with FLOAT64 as FLOAT64, where whole numbers above 2^53 are rounded; and looks at "
        "32 bits of a place in SUBSTR. Here a number is what it says, and compared as it is.",
        explains=_extreme_numbers,
    ),
    Difference(
        "casts",
        "MLMD has three: ZetaSQL rounds and prints the literals, SQLite cuts off fractions, and "
        "takes every text for a number and STRING for a kind of number. Here it is one: INT64 "
        "cuts off, BOOL is TRUE or FALSE, STRING is a text, and no text is cast to BOOL.",
        explains=_casts,
    ),
)
