import churn_steps
from metaflow import FlowSpec, IncludeFile, Parameter, retry, step


class Churn(FlowSpec):
    raw = IncludeFile("raw", default="data/raw.csv")
    floor = Parameter("floor", default=2)
    small_depth = Parameter("small_depth", default=1)
    large_depth = Parameter("large_depth", default=2)

    @step(start=True)
    def clean(self):
        self.table = churn_steps.clean(self.raw, self.floor)
        self.next(self.train_small, self.train_large)

    @step
    def train_small(self):
        self.small = churn_steps.train_small(self.table, self.small_depth)
        self.next(self.evaluate)

    @retry(times=1, minutes_between_retries=0)
    @step
    def train_large(self):
        self.large = churn_steps.train_large(self.table, self.large_depth)
        self.next(self.evaluate)

    @step
    def evaluate(self, inputs):
        table, small = inputs.train_small.table, inputs.train_small.small
        self.metrics = churn_steps.evaluate(table, small, inputs.train_large.large)
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    Churn()
