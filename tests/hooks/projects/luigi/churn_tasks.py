import json

import churn_steps
import luigi


class Raw(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("data/raw.csv")


class JsonTask(luigi.Task):
    """A task that writes one JSON file."""

    path = ""

    def output(self):
        return luigi.LocalTarget(self.path)

    def write(self, value):
        with self.output().open("w") as file:
            json.dump(value, file)

    def read(self, name):
        with self.input()[name].open() as file:
            return json.load(file)


class Clean(JsonTask):
    floor = luigi.IntParameter(default=2)
    path = "data/table.json"

    def requires(self):
        return Raw()

    def run(self):
        with self.input().open() as file:
            self.write(churn_steps.clean(file.read(), self.floor))


class TrainSmall(JsonTask):
    depth = luigi.IntParameter(default=1)
    path = "data/small.json"

    def requires(self):
        return {"table": Clean()}

    def run(self):
        self.write(churn_steps.train_small(self.read("table"), self.depth))


class TrainLarge(JsonTask):
    depth = luigi.IntParameter(default=2)
    path = "data/large.json"

    def requires(self):
        return {"table": Clean()}

    def run(self):
        self.write(churn_steps.train_large(self.read("table"), self.depth))


class Evaluate(JsonTask):
    path = "data/metrics.json"

    def requires(self):
        return {"table": Clean(), "small": TrainSmall(), "large": TrainLarge()}

    def run(self):
        self.write(churn_steps.evaluate(*map(self.read, ("table", "small", "large"))))
