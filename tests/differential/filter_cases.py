"""Fixed filters over the store of `filters/zoo.py`, and the answers of both stores.

`agreed.txt` and `differing.txt` hold one filter a line, behind the kind of node, and in front of
the ids that it finds, "none", "all" or a status. The lines of `differing.txt` stand under the name
of a deliberate difference and have two answers: that of ML Metadata, and ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.differential.filters.comparing import ids_in
from tests.differential.filters.zoo import SIZES
from tests.differential.peers import Answer

_TABLES = Path(__file__).parent / "filters"
_KINDS = {kind[0]: kind for kind in SIZES}


@dataclass(frozen=True)
class FilterCase:
    """A filter, and the answer of each store.

    Attributes:
        topic: The heading that it stands under.
        kind: The kind of node that it is about.
        text: The filter.
        real: The answer of ML Metadata.
        ours: Our answer.
    """

    topic: str
    kind: str
    text: str
    real: str
    ours: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.kind} {self.text}"


def _cases(name: str) -> Iterator[FilterCase]:
    topic = ""
    for line in (_TABLES / name).read_text("utf-8").splitlines():
        if line.startswith("# "):
            topic = line[2:]
        elif line:
            question, answers = line.rsplit(" => ", 1)
            real, _, ours = answers.partition(" | ")
            kind, text = _KINDS[question[0]], question[2:]
            yield FilterCase(topic, kind, text, real, ours or real)


def described(answer: Answer, kind: str) -> str:
    """Return an answer in the words of the tables."""
    if answer.code:
        return answer.status
    ids = ids_in(answer, kind)
    if len(ids) == SIZES[kind]:
        return "all"
    return " ".join(map(str, ids)) or "none"


AGREED = tuple(_cases("agreed.txt"))
DIFFERING = tuple(_cases("differing.txt"))
# What no line can hold: blanks at the ends, and ends of lines.
UNPRINTABLE = (
    FilterCase("blanks", "artifact", "", "all", "all"),
    FilterCase("blanks", "artifact", " ", "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    FilterCase("blanks", "artifact", "\n id\t=\n1 \r\n", "1", "1"),
    FilterCase("blanks", "artifact", "id = 1\f\v", "1", "1"),
    FilterCase("blanks", "artifact", "id\u00a0= 1", "1", "1"),
    FilterCase("blanks", "artifact", "\ufeffid = 1", "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    FilterCase("blanks", "artifact", "id = 1\0", "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    FilterCase("strings", "artifact", 'name = "line\nbreak"', *["INVALID_ARGUMENT"] * 2),
    FilterCase("strings", "artifact", 'name = "a\tb" OR id = 1', "1", "1"),
    FilterCase("strings", "artifact", "name = '''a\r\nb''' OR id = 1", "1", "1"),
    FilterCase("comments", "artifact", "id -- c\n = # d\n 1", "1", "1"),
    FilterCase("depth", "artifact", "(" * 200 + "id = 1" + ")" * 200, "1", "1"),
    FilterCase("depth", "artifact", "NOT " * 20 + "id = 1", "1", "1"),
    FilterCase("depth", "artifact", f"id = {'-(' * 20}id{')' * 20}", "all", "all"),
    FilterCase("length", "artifact", " OR ".join(["id = 1"] * 500), "1", "1"),
    FilterCase("length", "artifact", f"id IN ({', '.join(map(str, range(5000)))})", "all", "all"),
    FilterCase("length", "artifact", f"name = '{'x' * 100_000}' OR id = 1", "1", "1"),
)
