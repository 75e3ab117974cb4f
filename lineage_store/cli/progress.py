"""A bar on standard error for long operations; nothing where that is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function to call with the stage, the count so far and the count in all."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(stage: str, count: int, total: int) -> None:
            bar.label, bar.length = stage, max(total, 1)
            bar.finished = False
            bar.update(count - bar.pos)

        yield show
