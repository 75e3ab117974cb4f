"""What tasks of the project are made of."""

import json

import luigi

from shop.helpers import scale


class Out(luigi.Task):
    """A task that writes what `value` returns to a file of its name."""

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
    """A task that runs what its base class has."""

    def run(self):
        self.write(scale(3))
