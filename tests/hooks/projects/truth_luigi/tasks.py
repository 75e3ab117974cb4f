"""Tasks, each with one thing that is changed."""

from functools import partial
from statistics import mean as centre  # becomes: from statistics import median as centre

import luigi
from luigi.parameter import ParameterVisibility
from luigi.util import requires
from shop import helpers
from shop.base import Out, Scaled
from shop.helpers import CONF, MOVING, SAME, Model, Plain, Shape, add, adder, clip, scale

WAYS = [lambda x: x + 1, lambda x: x * 2]  # becomes: WAYS = [lambda x: x + 1, lambda x: x * 5]
tripled = partial(add, k=3)  # becomes: tripled = partial(add, k=4)
added = adder(2)  # becomes: added = adder(5)
SHAPE, PLAIN = Shape(3), Plain(3)


class HelperElsewhere(Out):
    def value(self):
        return scale(3)


class ConstantElsewhere(Out):
    def value(self):
        return helpers.FLOOR


class ConfigObject(Out):
    def value(self):
        return CONF.floor


class PartialCalled(Out):
    def value(self):
        return tripled(3)


class Decorator(Out):
    @clip(3)  # becomes: @clip(2)
    def value(self):
        return 9


class BaseMethod(Out):
    def value(self):
        return Model().fit(3)


class BaseRun(Scaled):
    """Runs a method of its base class, which is in another module."""


class LambdaList(Out):
    def value(self):
        return [way(3) for way in WAYS]


class ImportTarget(Out):
    def value(self):
        return centre([3, 3, 9])


class ImportWithin(Out):
    def value(self):
        from shop.late import late

        return late(3)


class Closure(Out):
    def value(self):
        return added(3)


class MethodOfObject(Out):
    def value(self):
        return SHAPE.area()


class ClassAttribute(Out):
    most = 1  # becomes: most = 2

    def value(self):
        return self.most


class DefaultOfParameter(Out):
    depth = luigi.IntParameter(default=1, significant=False)
    # becomes: depth = luigi.IntParameter(default=2, significant=False)

    def value(self):
        return self.depth


class PrivateParameter(Out):
    word = luigi.Parameter(visibility=ParameterVisibility.PRIVATE)

    def value(self):
        return self.word


class OrderOfDict(Out):
    several = luigi.DictParameter()

    def value(self):
        return ",".join(self.several)


class Rates(luigi.Config):
    word = luigi.Parameter()


class ConfigSection(Out):
    def value(self):
        return Rates().word


class SameFirst(Out):
    def value(self):
        return 1


class SameSecond(Out):
    def value(self):
        return 2


class RequiresMapping(Out):
    def requires(self):
        return {"a": SameFirst(), "b": SameSecond()}
        # becomes: return {"b": SameFirst(), "a": SameSecond()}

    def value(self):
        return self.text(self.input()["a"])


class RequiresInOrder(Out):
    def requires(self):
        names = luigi.configuration.get_config().get("order", "names")
        return [{"First": SameFirst(), "Second": SameSecond()}[name] for name in names.split(",")]

    def value(self):
        return [self.text(target) for target in self.input()]


class Words(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("data/in.txt")


class ExternalFile(Out):
    def requires(self):
        return Words()

    def value(self):
        return self.text()


@requires(Words)
class RequiresByDecorator(Out):
    def value(self):
        return self.text()


class Made(Out):
    def value(self):
        return 10  # becomes: return 20


class BehindAnother(Out):
    def requires(self):
        return Made()

    def value(self):
        return self.text()


class FormatOfOutput(Out):
    def output(self):
        way = luigi.format.UTF8  # becomes: way = luigi.format.TextFormat(encoding="utf-16")
        return luigi.LocalTarget(f"data/out/{self.task_family}.json", format=way)

    def value(self):
        return 1


class SameComment(Out):
    def value(self):
        return 3  # a comment  # becomes: return 3


class SameUnrelated(Out):
    def value(self):
        return add(3, 1)


class SameObject(Out):
    def value(self):
        return SAME.floor


class SameMethod(Out):
    def value(self):
        return PLAIN.area()


class SameRates(luigi.Config):
    word = luigi.Parameter()


class SameSection(Out):
    def value(self):
        return SameRates().word


class Touched(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("data/touched.txt")


class SameTouched(Out):
    def requires(self):
        return {"touched": Touched()}

    def value(self):
        return self.text(self.input()["touched"])


class SameBehindAnother(Out):
    def requires(self):
        return SameTouched()

    def value(self):
        return self.text()


class NeverFingerprint(Out):
    def value(self):
        return next(MOVING)


class NeverDynamic(Out):
    def run(self):
        yield SameFirst()
        self.write(3)  # becomes: self.write(4)


class All(luigi.Task):
    """All of them; it puts out nothing, and so is never complete."""

    def requires(self):
        several = [
            *(HelperElsewhere, ConstantElsewhere, ConfigObject, PartialCalled, Decorator),
            *(BaseMethod, BaseRun, LambdaList, ImportTarget, ImportWithin, Closure),
            *(MethodOfObject, ClassAttribute, DefaultOfParameter, PrivateParameter, OrderOfDict),
            *(ConfigSection, SameFirst, SameSecond, RequiresMapping, RequiresInOrder, ExternalFile),
            *(RequiresByDecorator, Made, BehindAnother, FormatOfOutput),
            *(SameComment, SameUnrelated, SameObject, SameMethod, SameSection, SameTouched),
            *(SameBehindAnother, NeverFingerprint, NeverDynamic),
        ]
        return [each() for each in several]
