"""The tools that there are hooks for: their versions, and how they find their hooks.

Each Python imports this when it starts, if LINEAGE_STORE_URL is set: it imports next to nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

Version = tuple[int, ...]

STARTUP_FILE = "lineage_store_hooks.pth"
"""The file that the wheel installs so that `startup` is imported."""


class Tool(NamedTuple):
    """A tool, and its hook.

    Attributes:
        name: Of the tool, of the extra that brings it, and of the hook; also the first part of the
            keys of its runs.
        distribution: The package that the tool comes in.
        at_least: The first version that the hook is made for.
        below: The first that it is not made for.
        events: The class that turns events into records, as MODULE:CLASS.
        group: The group of entry points by which the tool finds the hook; None: it has none.
        after: The module after whose import the hook is loaded, if the tool does not find it; see
            `startup`.
        note: Anything else that makes the tool load the hook.
    """

    name: str
    distribution: str
    at_least: Version
    below: Version
    events: str
    group: str | None = None
    after: str | None = None
    note: str = ""

    def installed(self) -> str | None:
        """Return the version that is installed, or None."""
        from importlib import metadata  # noqa: PLC0415 - programs that run no tool do without it

        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return None

    def unsupported_version(self, version: str) -> str | None:
        """Return why a version of the tool is not supported, or None."""
        versions = f"{_text(self.at_least)} or newer, below {_text(self.below)}"
        supported = f"the hook is made for {versions}"
        if _parsed(version) < self.at_least:
            return f"{self.distribution} {version} is too old: {supported}"
        if _parsed(version) >= self.below:
            return f"{self.distribution} {version} is too new: {supported}"
        return None


def _parsed(version: str) -> Version:
    """Return the leading numbers of a version: "2.19.3rc1" is (2, 19)."""
    numbers = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def _named(*tools: Tool) -> Mapping[str, Tool]:
    return {tool.name: tool for tool in tools}


TOOLS = _named(
    Tool(
        "airflow",
        "apache-airflow-core",
        (3, 3),
        (4,),
        "lineage_store.integrations.airflow.events:AirflowEvents",
        group="airflow.plugins",
    ),
    Tool(
        "dagster",
        "dagster",
        (1, 12),
        (2,),
        "lineage_store.integrations.dagster.events:DagsterEvents",
        after="dagster",
    ),
    Tool(
        "kedro",
        "kedro",
        (1, 0),
        (2,),
        "lineage_store.integrations.kedro.events:KedroEvents",
        group="kedro.hooks",
        after="kedro.runner.task",  # the workers of a parallel runner load hooks too late
    ),
    Tool(
        "kfp",
        "kfp",
        (2, 17),
        (3,),
        "lineage_store.integrations.kfp.events:KfpEvents",
        after="kfp.local.task_dispatcher",
    ),
    Tool(
        "luigi",
        "luigi",
        (3, 8),
        (4,),
        "lineage_store.integrations.luigi.events:LuigiEvents",
        after="luigi",
    ),
    Tool(
        "metaflow",
        "metaflow",
        (2, 19),
        (3,),
        "lineage_store.integrations.metaflow.events:MetaflowEvents",
        after="metaflow.cli",
    ),
    Tool(
        "prefect",
        "prefect",
        (3, 9),
        (4,),
        "lineage_store.integrations.prefect.events:PrefectEvents",
        after="prefect.flow_engine",
    ),
    Tool(
        "snakemake",
        "snakemake",
        (9, 0),
        (10,),
        "lineage_store.integrations.snakemake.events:SnakemakeEvents",
        after="snakemake.workflow",
    ),
)
"""All tools, by name."""
