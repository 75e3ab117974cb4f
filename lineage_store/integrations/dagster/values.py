"""Values that Dagster's steps load and store, as artifacts.

| Dagster | recorded |
| --- | --- |
| a value that is a `pathlib.Path`, or a list of them | the files, by their content |
| a value that an IO manager keeps at a path of its own | the file or directory, by its content |
| one that it keeps at a uri elsewhere, such as in S3 | the uri; an asset by its data version |
| an asset whose code keeps it, and tells `path` or `uri` in its metadata | the same |
| an asset that nothing else is known of | `asset:PROJECT/KEY`, by its data version |
| any other value, or one in a file of one run | `value:…`, by the fingerprint of its value |
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from lineage_store.entities import Artifact
from lineage_store.fingerprints.values import fingerprint
from lineage_store.integrations.artifacts import file_artifact, uri_artifact, value_artifact
from lineage_store.integrations.dagster.protocols import InputContext, Instance, Materialization
from lineage_store.recording.diagnostics import never_raises

_PLACES = ("path", "dagster/uri", "uri")
"""The names of metadata that hold a path or a uri, the best first."""

_DATA_VERSION = "dagster/data_version"


class DataPlace(TypedDict, total=False):
    """The fields of `DataRef` that tell a place."""

    places: Sequence[str]
    pickle: str | None


@dataclass(frozen=True, slots=True)
class DataRef:
    """An asset, or an output of a step, and its location.

    Attributes:
        scope: The project or pipeline that the name belongs to.
        name: The key of the asset, or the step and the output.
        places: Paths and uris; none: it is but a value.
        pickle: Where a value is kept for one run only.
        asset: The key, if it is an asset.
        partition: Of the asset.
        version: The data version of the asset.
    """

    scope: str
    name: str
    places: Sequence[str] = ()
    pickle: str | None = None
    asset: str | None = None
    partition: str | None = None
    version: str | None = None

    @property
    def properties(self) -> dict[str, str]:
        """Its properties beside place and content."""
        texts = {"asset_key": self.asset, "partition": self.partition}
        return {name: text for name, text in texts.items() if text is not None}


def artifacts_of(ref: DataRef, value: object, run: str) -> list[Artifact]:
    """Return the artifacts of an asset or output; None as a value is none.

    Args:
        ref: The asset or output.
        value: The value that was loaded or is stored.
        run: The id of the run.
    """
    paths = list(paths_in(value))
    if paths:
        return [file_artifact(path, run, properties=ref.properties) for path in paths]
    if ref.places:
        return [_at(place, ref, run) for place in ref.places]
    if value is not None:
        return [_in_memory(ref, value, run)]
    if ref.asset is None:
        return []
    uri = f"asset:{ref.scope}/{ref.name}"
    return [uri_artifact(uri, run, version=ref.version, properties=ref.properties)]


def _at(place: str, ref: DataRef, run: str) -> Artifact:
    local = _local(place)
    if local is not None and (local.exists() or ref.version is None):
        return file_artifact(local, run, properties=ref.properties)
    return uri_artifact(place, run, version=ref.version, properties=ref.properties)


def _in_memory(ref: DataRef, value: object, run: str) -> Artifact:
    """Return the artifact of a value; one without fingerprint is known by its pickle."""
    artifact = value_artifact(ref.scope, ref.name, value, run, properties=ref.properties)
    pickle = None if ref.pickle is None else _local(ref.pickle)
    if "not_hashed" not in artifact.custom_properties or pickle is None or not pickle.is_file():
        return artifact
    properties = {
        name: text for name, text in artifact.custom_properties.items() if name != "not_hashed"
    }
    return uri_artifact(artifact.uri or "", run, digest=fingerprint(pickle), properties=properties)


def paths_in(value: object) -> Iterator[Path]:
    """Yield the path that a value is, or the paths in a list or mapping."""
    several = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(value, Path):
        yield value
    elif isinstance(several, list | tuple) and all(isinstance(one, Path) for one in several):
        yield from several


def _local(place: str) -> Path | None:
    """Return the path of a place on this machine; None: it is elsewhere."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(parts.path)
    return None if "://" in place else Path(place)


def place_in(metadata: Mapping[str, object]) -> str | None:
    """Return the path or uri in metadata."""
    for name in _PLACES:
        entry = metadata.get(name)
        place = getattr(entry, "value", entry)
        if isinstance(place, str | os.PathLike) and str(place):
            return str(place)
    return None


def place_options(
    place: str | None, run_ids: Iterable[str | None], instance: Instance
) -> DataPlace:
    """Return a place as arguments of `DataRef`: one that exists for one run only is a pickle.

    Args:
        place: The path or uri.
        run_ids: Of the run that stored it, in a path of its own.
        instance: Its own storage may be gone when the process ends.
    """
    if place is None:
        return {}
    of_run = any(run_id and run_id in place for run_id in run_ids)
    return {"pickle": place} if of_run or _is_temporary(place, instance) else {"places": (place,)}


@never_raises(False)  # noqa: FBT003 - the result of a failure
def _is_temporary(place: str, instance: Instance) -> bool:
    """Return whether a place is in the storage of an instance that lives for one process."""
    local, root = _local(place), Path(instance.root_directory).resolve()
    home = os.environ.get("DAGSTER_HOME")
    if local is None or (home and Path(home).resolve() == root):
        return False
    return local.resolve().is_relative_to(root)


def materialized(scope: str, event: Materialization, instance: Instance) -> DataRef:
    """Return the asset of a materialization or an observation."""
    key = event.asset_key.to_user_string()
    return DataRef(
        scope,
        asset_name(key, event.partition),
        asset=key,
        partition=event.partition,
        version=(event.tags or {}).get(_DATA_VERSION),
        **place_options(place_in(event.metadata or {}), (), instance),
    )


def asset_name(key: str, partition: str | None) -> str:
    """Return the name of an asset, or of one partition of it, as a value."""
    return key if partition is None else f"{key}/{partition}"


def output_name(step_key: str, output: str, mapping_key: str | None = None) -> str:
    """Return the name of an output of a step as a value."""
    name = step_key if output == "result" else f"{step_key}.{output}"
    return name if mapping_key is None else f"{name}[{mapping_key}]"


def upath_places(manager: object, context: InputContext) -> list[str]:
    """Return the paths at which an IO manager of paths looks for an input; none: it is another."""
    from dagster import UPathIOManager  # noqa: PLC0415 - where Dagster runs

    if not isinstance(manager, UPathIOManager):
        return []
    if context.has_asset_key and context.has_asset_partitions:
        return [str(path) for path in manager._get_paths_for_partitions(context).values()]  # noqa: SLF001
    return [str(manager._get_path(context))]  # noqa: SLF001 - there is no other way to learn it


def masked_config(config: object, user_config: object) -> object:
    """Return the config of a step, with the names of environment variables for their values."""
    if isinstance(user_config, Mapping) and set(user_config) == {"env"}:
        return dict(user_config)
    if isinstance(config, Mapping):
        user_config = user_config if isinstance(user_config, Mapping) else {}
        return {name: masked_config(value, user_config.get(name)) for name, value in config.items()}
    return config
