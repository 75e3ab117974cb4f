"""Connection errors of gRPC, in words that tell what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """A reason why a server can't be reached.

    Attributes:
        text: The reason, and what to do.
        is_final: Waiting does not help: the server is there, and the two do not fit.
    """

    text: str
    is_final: bool = False


_MISFITS = {
    "CERTIFICATE_VERIFY_FAILED": (
        "its certificate has expired, or no authority known here signed it; name the authority "
        "with --ca or LINEAGE_STORE_CA (in Python: connect(ca=...))"
    ),
    "Hostname Verification Check failed": (
        "its certificate is for another host name; use the name in it"
    ),
    "WRONG_VERSION_NUMBER": "it does not speak TLS; use grpc:// instead of grpcs://",
}
_ABSENCES = {
    "Expected SETTINGS frame": "no gRPC server listens there; is it the right port?",
    "Connection refused": "nothing listens there (connection refused)",
    "Domain name not found": "its host name is unknown",
    "errors resolving": "its host name can't be resolved",
    "DNS resolution failed": "its host name can't be resolved",
    "Socket closed": (
        "it closed the connection; it may be restarting, or want TLS (grpcs://), or a client "
        "certificate (--cert and --key, LINEAGE_STORE_CERT and LINEAGE_STORE_KEY)"
    ),
    "Connection reset": "it closed the connection; it may be restarting, or want TLS (grpcs://)",
    "No route to host": "there is no route to its host",
    "Network is unreachable": "its network can't be reached",
    "imeout occurred": "it does not answer (timed out)",
}
_FAULTS = {
    **{sign: ConnectionFault(text, is_final=True) for sign, text in _MISFITS.items()},
    **{sign: ConnectionFault(text) for sign, text in _ABSENCES.items()},
}


def connection_fault(details: str) -> ConnectionFault | None:
    """Return why there is no connection, from the details of an UNAVAILABLE call.

    None: the details say nothing about a connection.
    """
    return next((fault for sign, fault in _FAULTS.items() if sign in details), None)
