"""Numbers that MySQL and MariaDB have no room for: infinities, and NaN.

The largest FLOAT64 stands for infinity, and the one below it for the largest. So both keep their
place in the order of numbers and can be told apart; only the two largest can't. All of this
concerns the index over properties alone: the truth is in the bodies.
"""

import math
import sys

INFINITY = sys.float_info.max
LARGEST = math.nextafter(INFINITY, 0)


class Plain(float):
    """A number that is written as it is, for tables of ML Metadata."""


def as_held(number: float) -> float | None:
    """Return a number as the database holds it; None for NULL."""
    if math.isnan(number):
        return None
    if math.isinf(number):
        return math.copysign(INFINITY, number)
    return max(-LARGEST, min(LARGEST, number))
