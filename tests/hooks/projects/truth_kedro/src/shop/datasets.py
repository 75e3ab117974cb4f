"""Datasets of the project's own."""

from pathlib import Path

from kedro.io import AbstractDataset


class Shouted(AbstractDataset):
    """A text, read in other letters than it was written in."""

    def __init__(self, filepath, credentials=None):
        self._filepath = Path(filepath)
        self._token = (credentials or {}).get("token")

    def load(self):
        return self._filepath.read_text().upper()  # becomes: return self._filepath.read_text()

    def save(self, data):
        self._filepath.write_text(str(data))

    def _describe(self):
        return {"filepath": str(self._filepath)}


class Signed(Shouted):
    def save(self, data):
        self._filepath.write_text(f"{data}{SIGN}")


SIGN = "!"  # becomes: SIGN = "?"


class Spoken(AbstractDataset):
    """A text that stays as it is."""

    def __init__(self, filepath, credentials=None):
        self._filepath = Path(filepath)
        self._token = (credentials or {}).get("token")

    def load(self):
        return self._filepath.read_text()

    def save(self, data):
        self._filepath.write_text(str(data))

    def _describe(self):
        return {"filepath": str(self._filepath)}
