"""The names that a filter of ML Metadata may use, and their types."""

INT, DOUBLE, STRING, BOOL = "INT64", "FLOAT64", "STRING", "BOOL"
TIMES = ("create_time_since_epoch", "last_update_time_since_epoch")
_SHARED = {"id": INT, "type_id": INT, "type": STRING, "name": STRING, "external_id": STRING}
ATTRIBUTES = {
    "artifact": _SHARED | {"uri": STRING, "state": INT},
    "execution": _SHARED | {"last_known_state": INT},
    "context": _SHARED,
}
_MEMBER = {"id": INT, "name": STRING, "type": STRING}
NEIGHBOURS = {
    "artifact": {
        "contexts": _MEMBER,
        "events": {"type": INT, "milliseconds_since_epoch": INT, "execution_id": INT},
    },
    "execution": {
        "contexts": _MEMBER,
        "events": {"type": INT, "milliseconds_since_epoch": INT, "artifact_id": INT},
    },
    "context": {
        "parent_contexts": _MEMBER,
        "child_contexts": _MEMBER,
        "artifacts": _MEMBER | {"uri": STRING, "state": INT},
        "executions": _MEMBER | {"last_known_state": INT},
    },
}
VALUES = {"int_value": INT, "double_value": DOUBLE, "string_value": STRING, "bool_value": BOOL}
STATES = ("UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED")
ENUMS = {
    "state": STATES,
    "last_known_state": ("UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"),
    "type": (
        *("DECLARED_OUTPUT", "DECLARED_INPUT", "INPUT", "OUTPUT"),
        *("INTERNAL_INPUT", "INTERNAL_OUTPUT"),
    ),
}
NEW_NAMES = {
    "state": ("ABANDONED", "REFERENCE"),
    "last_known_state": (),
    "type": ("PENDING_OUTPUT", "UNKNOWN"),
}
"""Names that ML Metadata does not know in a filter, although it stores such values."""
