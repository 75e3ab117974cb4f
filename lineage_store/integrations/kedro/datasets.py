"""The datasets of a Kedro catalog, as artifacts."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lineage_store.entities import Artifact
from lineage_store.integrations.artifacts import file_artifact, uri_artifact, value_artifact
from lineage_store.integrations.kedro.protocols import Dataset

PARAMETERS = "parameters"
_LOCAL = {"file", "local"}
_DEPTH = 8
"""Datasets that may wrap each other."""


def is_parameter(name: str) -> bool:
    """Return whether a dataset is a parameter, or all of them."""
    return name == PARAMETERS or name.startswith("params:")


def split_parameters(inputs: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Return the parameters of a node by their names, and its other inputs."""
    parameters, others = {}, {}
    for name, value in inputs.items():
        if is_parameter(name):
            parameters[name.removeprefix("params:")] = value
        else:
            others[name] = value
    return parameters, others


class Datasets:
    """Returns the artifacts of a project's datasets.

    Args:
        scope: The project.
        run_id: The id of the run.
    """

    def __init__(self, scope: str, run_id: str) -> None:
        self._scope = scope
        self._run_id = run_id

    def artifact(
        self, name: str, dataset: Dataset | None, data: object, *, is_saved: bool
    ) -> Artifact:
        """Return the artifact of a dataset that was just loaded or saved.

        One with a path is the file there; any other, in memory or in a database, is its value.

        Args:
            name: In the catalog.
            dataset: Of the catalog; None: it is in memory.
            data: The loaded or saved data.
            is_saved: It was saved, not loaded: of a versioned one, the path differs.
        """
        dataset = _innermost(dataset)
        properties = {"dataset_type": _type_of(dataset)}
        path, version = _path_of(dataset, is_saved=is_saved)
        if path is None or dataset is None:
            name = name.partition("@")[0]  # `data@pandas` and `data@spark` are one thing
            return value_artifact(self._scope, name, data, self._run_id, properties=properties)
        if version is not None:
            properties["dataset_save_version"] = version
        protocol = str(getattr(dataset, "_protocol", None) or "file")
        if protocol in _LOCAL:
            return file_artifact(path, self._run_id, properties=properties)
        return uri_artifact(
            path if "://" in path else f"{protocol}://{path}",
            self._run_id,
            version=version or _checksum(dataset, path),
            why="its file system tells no checksum",
            properties=properties,
        )


def is_kept(dataset: Dataset | None) -> bool:
    """Return whether a dataset is a file or directory of this machine."""
    dataset = _innermost(dataset)
    path, _ = _path_of(dataset, is_saved=False)
    return path is not None and str(getattr(dataset, "_protocol", None) or "file") in _LOCAL


def is_in_memory(dataset: Dataset | None) -> bool:
    """Return whether a dataset is gone when the run is over; None: it is not in the catalog."""
    return dataset is None or bool(vars(_innermost(dataset)).get("_EPHEMERAL"))


def is_versioned(dataset: Dataset | None) -> bool:
    """Return whether each run saves a dataset at another place."""
    return bool(vars(_innermost(dataset)).get("_version"))


def configuration_of(dataset: Dataset | None) -> object:
    """Return how a dataset reads and writes, but not where; None: it is not in the catalog.

    That is its type, its arguments, and its changes since, for it and for the datasets that it
    wraps; no credentials. A dataset that can't be described is returned as it is: it has no
    fingerprint unless its state has one.
    """
    if dataset is None:
        return None
    inner = _innermost(dataset)
    if is_in_memory(dataset):
        return [type(dataset), type(inner), vars(inner).get("_copy_mode")]
    secrets = _texts_in([_arguments(dataset).get("credentials"), _credentials_in(vars(inner))])
    wrapper = _arguments(dataset) if inner is not dataset else {}
    several = (_without_inner(wrapper), _arguments(inner), vars(inner))
    return [type(dataset), type(inner), *(_public_config(each, secrets) for each in several)]


_PLACES = {"filepath", "path", "version", "fs", "exists_function", "glob_function"}
_RUNTIME = {
    *("logger", "lock", "metadata", "init_args"),
    *("cache", "version_cache", "partition_cache"),
    *("cached_partitions", "cached_load_version", "cached_save_version"),
}
_APART = "credentials"
_OPTIONS = "storage_options"
"""Attributes made of credentials and of `fs_args`; the latter are among the arguments."""

_SKIPPED = {*_PLACES, *_RUNTIME, _APART, _OPTIONS}


def _arguments(dataset: object) -> dict[str, object]:
    """Return the arguments of a dataset, which Kedro keeps to make it again elsewhere."""
    arguments = vars(dataset).get("_init_args")
    return dict(arguments) if isinstance(arguments, Mapping) else {}


def _without_inner(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in arguments.items() if name != "dataset"}


def _credentials_in(value: object) -> list[object]:
    """Return all values named credentials in a configuration, however deep."""
    if not isinstance(value, Mapping):
        return []
    credentials = [item for name, item in value.items() if str(name).strip("_") == _APART]
    return credentials + [each for item in value.values() for each in _credentials_in(item)]


def _texts_in(value: object) -> set[str]:
    if isinstance(value, str):
        return {value} - {""}
    several: Any = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list | tuple):
        return set()
    return {text for item in several for text in _texts_in(item)}


def _public_config(value: object, secrets: set[str]) -> object:
    """Return a configuration without places, runtime objects and secrets."""
    if isinstance(value, dict):
        names = [name for name in value if str(name).strip("_") not in _SKIPPED]
        return {name: _public_config(value[name], secrets) for name in names}
    if isinstance(value, list | tuple) and type(value) in {list, tuple}:
        return [_public_config(item, secrets) for item in value]
    if type(value) is str:
        for secret in sorted(secrets, key=lambda text: (-len(text), text)):
            value = value.replace(secret, f"<{_APART}>")
    return value


def _innermost(dataset: Dataset | None) -> Dataset | None:
    """Return the dataset that one which only keeps a copy, as CachedDataset does, stands for."""
    for _ in range(_DEPTH):
        inner = vars(dataset).get("_dataset") if hasattr(dataset, "__dict__") else None
        if inner is None or isinstance(inner, type | str | Mapping):
            break
        dataset = inner
    return dataset


def _type_of(dataset: Dataset | None) -> str:
    if dataset is None:
        return "MemoryDataset"
    kind = type(dataset)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("kedro_datasets.")


def _path_of(dataset: Dataset | None, *, is_saved: bool) -> tuple[str | None, str | None]:
    """Return the path of a dataset, and its version there; None as the path: it has none."""
    attributes = vars(dataset) if hasattr(dataset, "__dict__") else {}
    path = attributes.get("_filepath") or attributes.get("_path")
    if path is None or dataset is None:
        return None, None
    if not attributes.get("_version"):
        return str(path), None
    # Kedro's own function for the save path refuses a file that is there, as it is by now
    version = dataset.resolve_save_version() if is_saved else dataset.resolve_load_version()
    return str(dataset._get_versioned_path(version)), version  # noqa: SLF001


def _checksum(dataset: Dataset, path: str) -> str | None:
    """Return the checksum of a dataset from its file system, an entity tag if there is one."""
    with suppress(Exception):  # of any file system; without it there is no version
        return str(dataset._fs.checksum(path))  # noqa: SLF001
    return None
