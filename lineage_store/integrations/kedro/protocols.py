"""The parts of Kedro that its hook relies on.

Its events are those of Kedro's public hooks. To skip a node, the hook also looks into datasets and
into the bindings of nodes, which are internal to Kedro.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypedDict


class _FileSystem(Protocol):
    def checksum(self, path: str) -> object: ...


class Dataset(Protocol):
    """A dataset; those without versions or file systems lack some of this."""

    _fs: _FileSystem

    def resolve_load_version(self) -> str | None:
        """Return the version to load."""

    def resolve_save_version(self) -> str | None:
        """Return the version that was saved."""

    def _get_versioned_path(self, version: str | None) -> object: ...


class Catalog(Protocol):
    """`kedro.io.DataCatalog`."""

    def get(self, key: str) -> Dataset | None:
        """Return a dataset, or None."""

    def load(self, name: str) -> object:
        """Return the data of a dataset."""


class Node(Protocol):
    """`kedro.pipeline.node.Node`."""

    name: str
    func: Callable[..., object]
    inputs: Sequence[str]
    outputs: Sequence[str]
    confirms: Sequence[str]
    _inputs: object
    _outputs: object


class RunParameters(TypedDict, total=False):
    """The parameters of a run; there are more, which the hook records as they are."""

    run_id: str
    session_id: str
    project_path: str | None
    pipeline_name: str | None
    pipeline_names: Sequence[str] | None


class RunnerTask(Protocol):
    """`kedro.runner.task.Task`: one run of a node."""

    node: Node
    catalog: Catalog
    run_id: str | None
