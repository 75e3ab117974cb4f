"""Many random changes of random packages, judged: no step may keep its key if its outcome changed.

By hand: `python -m tests.truth.mutants SEED MUTANTS REWRITES`.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.truth import programs
from tests.truth.mutations import Files, mutate
from tests.truth.random_packages import packages
from tests.truth.rewrites import rewrite

PER_PACKAGE = 40
ROOT = Path(__file__).parents[2]


class Judge:
    """A process that runs packages; see `judge`.

    Args:
        process: It.
        place: An empty directory.
    """

    def __init__(self, process: "subprocess.Popen[str]", place: Path) -> None:
        self._process = process
        self._place = place
        self._jobs = 0

    def ask(self, files: Files, store: Path | None = None) -> dict[str, Any]:
        """Return what there is to say of a package, each time in a new directory."""
        self._jobs += 1
        directory = self._place / f"job{self._jobs}"
        programs.write(files, directory)
        places = {"SAVED": str(self._place / "saved"), "LINEAGE_STORE_SPOOL": str(self._place)}
        job = {"directory": str(directory), "environment": places}
        job |= {"store": None if store is None else f"sqlite:///{store}"}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        shutil.rmtree(directory)
        return answer


@contextmanager
def judging() -> Iterator[Judge]:
    """Yield a judge, whose process ends with the block."""
    command = [sys.executable, "-m", "tests.truth.judge"]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process,
    ):
        yield Judge(process, Path(place))
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Tally:
    """What came out.

    Attributes:
        counts: How many packages, mutants, skipped ones, and so on.
        faults: Steps that would be served a stale outcome, or that lost their key for nothing.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, where: str, files: Files) -> None:
        """Note a fault, with all that is needed to see it again."""
        self.counts[name] += 1
        texts = "".join(f"### {path}\n{text}\n" for path, text in files.items())
        self.faults.append(f"{name}: {where}\n{texts}")


def mutants(judge: Judge, seed: int, count: int) -> Tally:
    """Judge mutants of random packages."""
    tally = Tally()
    for number, files in enumerate(packages(seed)):
        if tally.counts["mutants"] >= count:
            return tally
        before = _keyed(judge, files, seed + number)
        for at in range(min(PER_PACKAGE, count - tally.counts["mutants"])):
            mutation, changed = mutate(files, random.Random(f"{seed + number} {at}"))
            where = f"seed {seed + number}, mutant {at}: {mutation}"
            _compare(tally, before, judge.ask(changed), where, files)
    return tally


def _keyed(judge: Judge, files: Files, seed: int) -> dict[str, Any]:
    """Return what a package puts out; each of its steps must have a key."""
    answer = judge.ask(files)
    assert "error" not in answer, (seed, answer["error"], files)
    for name, key, _, is_kept in answer["steps"]:
        assert is_kept, (seed, name, key, files)
        assert len(key) == KEY, (seed, name, key, files)
    return answer


KEY = 64
"""Characters of a key; a reason why there is none is no key."""


def _compare(
    tally: Tally, before: dict[str, Any], after: dict[str, Any], where: str, files: Files
) -> None:
    tally.counts["mutants"] += 1
    if "error" in after or " at 0x" in json.dumps(after):
        tally.counts["skipped"] += 1
        return
    pairs = list(zip(before["steps"], after["steps"], strict=False))
    has_changed = [old[2] != new[2] for old, new in pairs]
    has_key = [old[1] == new[1] for old, new in pairs]
    tally.counts["changed"] += any(has_changed)
    tally.counts["without a key"] += any(len(new[1]) != KEY for _, new in pairs)
    tally.counts["needless"] += not any(has_changed) and not all(has_key)
    for (old, new), is_other, is_same in zip(pairs, has_changed, has_key, strict=True):
        if is_other and is_same:
            tally.add("stale", f"{where}\n{old[0]}: {old[2]}, and now {new[2]}", files)
            return


def rewrites(judge: Judge, seed: int, count: int) -> Tally:
    """Judge rewritten packages, whose steps must keep their keys."""
    tally = Tally()
    for number, files in enumerate(packages(seed, is_lazy=False)):
        before = _keyed(judge, files, seed + number)
        for rewriting, changed in rewrite(files, random.Random(seed + number)):
            if tally.counts["rewrites"] >= count:
                return tally
            tally.counts["rewrites"] += 1
            after = judge.ask(changed)
            if after != before:
                tally.add("missed", f"seed {seed + number}: {rewriting}\n{before}\n{after}", files)
    return tally


def main() -> None:
    """Print what came out."""
    parser = argparse.ArgumentParser()
    for name in ("seed", "mutants", "rewrites"):
        parser.add_argument(name, type=int)
    arguments = parser.parse_args()
    with judging() as judge:
        for tally in (
            mutants(judge, arguments.seed, arguments.mutants),
            rewrites(judge, arguments.seed, arguments.rewrites),
        ):
            print(*tally.faults[:20], dict(tally.counts), sep="\n")


if __name__ == "__main__":
    main()
