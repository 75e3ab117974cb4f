"""Prints the values that stand for configurations of datasets, and the origin of each.

Run in Kedro's environment, with a secret and a directory as its arguments, in which are a file
`data` and a directory `parts`.
"""

import json
import sys
import threading
from contextlib import suppress
from pathlib import Path

from kedro.io import AbstractDataset, CachedDataset, MemoryDataset
from kedro_datasets.json import JSONDataset
from kedro_datasets.partitions import PartitionedDataset
from kedro_datasets.pickle import PickleDataset
from kedro_datasets.text import TextDataset

from lineage_store.fingerprints.code import value_digest
from lineage_store.integrations.kedro.datasets import configuration_of


class Own(AbstractDataset):
    """A dataset of the project that keeps its credentials in a form of its own."""

    def __init__(self, filepath, mode="r", credentials=None):
        self._filepath = Path(filepath)
        self._mode = mode
        self._url = f"https://{credentials['user']}:{credentials['password']}@example.com"

    def load(self):
        return self._filepath.read_text()

    def save(self, data):
        self._filepath.write_text(data)

    def _describe(self):
        return {"mode": self._mode}


class Locked(Own):
    """A dataset with a lock of its own."""

    def __init__(self, filepath, credentials=None):
        super().__init__(filepath, credentials=credentials)
        self._guard = threading.Lock()


def datasets(secret, directory):
    """Return datasets by name; those whose names begin alike are to differ."""
    credentials = {"credentials": {"user": f"me-{secret}", "password": secret}}
    path, parts = f"{directory}/data", f"{directory}/parts"
    text = {"type": "text.TextDataset", **credentials}
    by_name = {
        "text": TextDataset(filepath=path, **credentials),
        "text encoding": TextDataset(
            filepath=path, fs_args={"open_args_load": {"encoding": "latin-1"}}, **credentials
        ),
        "json": JSONDataset(filepath=path, **credentials),
        "json indent": JSONDataset(filepath=path, save_args={"indent": 3}, **credentials),
        "pickle": PickleDataset(filepath=path, **credentials),
        "pickle backend": PickleDataset(filepath=path, save_args={"protocol": 2}, **credentials),
        "parts": PartitionedDataset(path=parts, dataset=text, **credentials),
        "parts suffix": PartitionedDataset(
            path=parts, dataset=text, filename_suffix=".x", **credentials
        ),
        "parts json": PartitionedDataset(path=parts, dataset={**text, "type": JSONDataset}),
        "cached": CachedDataset(dataset={**text, "filepath": path}),
        "cached json": CachedDataset(dataset=JSONDataset(filepath=path, **credentials)),
        "memory": MemoryDataset([1]),
        "memory assign": MemoryDataset([1], copy_mode="assign"),
        "own": Own(path, **credentials),
        "own mode": Own(path, "rb", **credentials),
        "own locked": Locked(path, **credentials),
    }
    with suppress(ImportError):
        from kedro_datasets.pandas import CSVDataset  # noqa: PLC0415 - where there is pandas

        by_name["csv"] = CSVDataset(filepath=path, **credentials)
        by_name["csv sep"] = CSVDataset(filepath=path, load_args={"sep": ";"}, **credentials)
    return by_name


def digests_and_text(name, dataset):
    """Return the digests before and after a load, and the configuration as a text."""
    before = value_digest(configuration_of(dataset), name)
    with suppress(Exception):  # of formats that the file does not have
        dataset.load()
    return [before, value_digest(configuration_of(dataset), name), repr(configuration_of(dataset))]


def main(secret, directory):
    all_datasets = datasets(secret, directory)
    print(
        json.dumps(
            {name: digests_and_text(name, dataset) for name, dataset in all_datasets.items()}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
