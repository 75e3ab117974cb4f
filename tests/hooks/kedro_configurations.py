"""Prints what stands for the configurations of datasets, and what each of them was made of.

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
    given = {"credentials": {"user": f"me-{secret}", "password": secret}}
    path, parts = f"{directory}/data", f"{directory}/parts"
    text = {"type": "text.TextDataset", **given}
    found = {
        "text": TextDataset(filepath=path, **given),
        "text encoding": TextDataset(
            filepath=path, fs_args={"open_args_load": {"encoding": "latin-1"}}, **given
        ),
        "json": JSONDataset(filepath=path, **given),
        "json indent": JSONDataset(filepath=path, save_args={"indent": 3}, **given),
        "pickle": PickleDataset(filepath=path, **given),
        "pickle backend": PickleDataset(filepath=path, save_args={"protocol": 2}, **given),
        "parts": PartitionedDataset(path=parts, dataset=text, **given),
        "parts suffix": PartitionedDataset(path=parts, dataset=text, filename_suffix=".x", **given),
        "parts json": PartitionedDataset(path=parts, dataset={**text, "type": JSONDataset}),
        "cached": CachedDataset(dataset={**text, "filepath": path}),
        "cached json": CachedDataset(dataset=JSONDataset(filepath=path, **given)),
        "memory": MemoryDataset([1]),
        "memory assign": MemoryDataset([1], copy_mode="assign"),
        "own": Own(path, **given),
        "own mode": Own(path, "rb", **given),
        "own locked": Locked(path, **given),
    }
    with suppress(ImportError):
        from kedro_datasets.pandas import CSVDataset  # noqa: PLC0415 - where there is pandas

        found["csv"] = CSVDataset(filepath=path, **given)
        found["csv sep"] = CSVDataset(filepath=path, load_args={"sep": ";"}, **given)
    return found


def told(name, dataset):
    """Return the digests before and after a load, and the configuration as a text."""
    before = value_digest(configuration_of(dataset), name)
    with suppress(Exception):  # of formats that the file does not have
        dataset.load()
    return [before, value_digest(configuration_of(dataset), name), repr(configuration_of(dataset))]


def main(secret, directory):
    found = datasets(secret, directory)
    print(json.dumps({name: told(name, dataset) for name, dataset in found.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
