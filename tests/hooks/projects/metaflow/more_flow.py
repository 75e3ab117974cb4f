import os
import threading

from metaflow import FlowSpec, Parameter, catch, current, project, retry, step


@project(name="shop")
class More(FlowSpec):
    scale = Parameter("scale", default=1.5)
    unused = Parameter("unused", default="x")

    @step
    def start(self):
        self.samples = ["a", "b", "c"]
        self.kept = 1
        self.next(self.part, foreach="samples")

    def scaled(self, value):
        return value * self.scale

    @step
    def part(self):
        self.size = self.scaled(len(self.input) + self.index)
        self.next(self.half)

    @step
    def half(self):
        self.halved = self.size / 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(each.halved for each in inputs)
        self.merge_artifacts(inputs, exclude=["size", "halved"])
        self.next(self.caught)

    @catch(var="problem")
    @step
    def caught(self):
        self.kept = 2
        if self.total > 0:
            raise ValueError("never mind")
        self.next(self.dies)

    @retry(times=1, minutes_between_retries=0)
    @step
    def dies(self):
        if current.retry_count == 0 or "always-die" in os.listdir("."):
            os._exit(7)
        self.next(self.unkept)

    @step
    def unkept(self):
        if "keep-a-lock" in os.listdir("."):
            self.lock = threading.Lock()
        self.next(self.end)

    @step
    def end(self):
        print(self.total, self.kept)


if __name__ == "__main__":
    More()
