"""The last lines of a run: how many tests each database passed, and which were missing."""

from collections import Counter

BACKENDS = ("sqlite", "postgresql", "mariadb", "galera", "grpc")
# How the tests of the conformance suite name a way that does not name its database.
WAYS = {"embedded": "sqlite", "memory": "sqlite"}


def backends_of(nodeid: str) -> set[str]:
    """Return the databases that a test names in its id."""
    parameters = nodeid.partition("[")[2].rstrip("]").split("-")
    words = {word for part in parameters for word in part.split("_")} | set(nodeid.split("_"))
    named = {word for word in words if word in BACKENDS}
    return named | {WAYS[word] for word in words if word in WAYS}


def pytest_terminal_summary(terminalreporter) -> None:
    for outcome in ("passed", "skipped", "failed", "error"):
        reports = terminalreporter.stats.get(outcome, [])
        counts = Counter(name for report in reports for name in backends_of(report.nodeid))
        if counts:
            shown = ", ".join(f"{name} {counts[name]}" for name in BACKENDS if counts[name])
            terminalreporter.write_line(f"{outcome} by backend: {shown}")
