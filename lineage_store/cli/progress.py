"""A bar on standard error for what takes long; nothing where that is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """Give what is told the stage, how much of it is done, and how much there is."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(stage: str, done: int, total: int) -> None:
            bar.label, bar.length = stage, max(total, 1)
            bar.finished = False
            bar.update(done - bar.pos)

        yield show
