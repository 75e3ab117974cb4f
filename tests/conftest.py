"""The tests of each worker, and the last lines of a run: how many tests each database passed."""

from collections import Counter

import pytest

DESELECTED = pytest.StashKey[int]()

MAX_ID_LENGTH = 200

BACKENDS = ("sqlite", "postgresql", "mariadb", "galera", "grpc")
SERVERS = {"postgresql", "mariadb", "galera"}
# How the tests of the conformance suite name a way that does not name its database.
WAYS = {"embedded": "sqlite", "memory": "sqlite"}


def backends_of(nodeid: str) -> set[str]:
    """Return the databases that a test names in its id, not those of its xdist_group."""
    if nodeid.rfind("@") > nodeid.rfind("]"):
        nodeid = nodeid.rpartition("@")[0]
    parameters = nodeid.partition("[")[2].rstrip("]").split("-")
    words = {word for part in parameters for word in part.split("_")} | set(nodeid.split("_"))
    named = {word for text in words for word in text.split() if word in BACKENDS}
    return named | {WAYS[word] for word in words if word in WAYS}


def pytest_configure(config) -> None:
    config.stash[DESELECTED] = 0


def pytest_make_parametrize_id(val, argname) -> str | None:
    """Name a long text by its parameter: programs get the id of a test in their environment."""
    return argname if isinstance(val, (str, bytes)) and len(val) > MAX_ID_LENGTH else None


@pytest.hookimpl(tryfirst=True)  # `-m` and xdist look at the markers in the same hook
def pytest_collection_modifyitems(items) -> None:
    """Mark tests by their database.

    All tests on Galera go to one worker: its three servers take 10 seconds to start. Large requests
    take a server seconds, so they are long runs there; SQLite and gRPC stay.
    """
    for item in items:
        backends = backends_of(item.nodeid)
        if "galera" in backends and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("galera"))
        if backends & SERVERS and item.get_closest_marker("large") is not None:
            item.add_marker(pytest.mark.long)


def pytest_deselected(items) -> None:
    if items:
        items[0].config.stash[DESELECTED] += len(items)


def pytest_sessionfinish(session) -> None:
    """Send the count from a worker of xdist to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = session.config.stash[DESELECTED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Take the count from a worker; each worker deselects the same tests."""
    node.config.stash[DESELECTED] = getattr(node, "workeroutput", {}).get("deselected", 0)


def pytest_terminal_summary(terminalreporter) -> None:
    for outcome in ("passed", "skipped", "failed", "error"):
        reports = terminalreporter.stats.get(outcome, [])
        counts = Counter(name for report in reports for name in backends_of(report.nodeid))
        if counts:
            shown = ", ".join(f"{name} {counts[name]}" for name in BACKENDS if counts[name])
            terminalreporter.write_line(f"{outcome} by backend: {shown}")
    deselected = terminalreporter.config.stash[DESELECTED]
    if deselected:
        options = terminalreporter.config.option
        expression = options.markexpr or options.keyword
        terminalreporter.write_line(f"deselected by {expression!r}: {deselected}")
