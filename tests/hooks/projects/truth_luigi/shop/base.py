"""Base classes of the tasks of the project."""

import json

import luigi

from shop.helpers import scale


class Out(luigi.Task):
    """A task that writes the result of `value` to a file of its name."""

    def output(self):
        return luigi.LocalTarget(f"data/out/{self.task_family}.json")

    def run(self):
        self.write(self.value())

    def write(self, value):
        with self.output().open("w") as file:
            json.dump(value, file)

    def text(self, target=None):
        with (target or self.input()).open() as file:
            return file.read()


class Scaled(Out):
    """A task that runs a method of its base class."""

    def run(self):
        self.write(scale(3))
