"""`--output FILE`: a document that a command prints, written to a file as a whole."""

import functools
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar, cast

import click

F = TypeVar("F", bound=Callable[..., Any])


def output_option(function: F) -> F:
    """Add `--output FILE` to a command, which then writes there all that it would print."""

    @functools.wraps(function)
    def command(*args: object, output: Path | None, **options: Any) -> None:
        if output is None:
            function(*args, **options)
            return
        with printed_into(output):
            function(*args, **options)

    option = click.option(
        "--output",
        "-o",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        metavar="FILE",
        help="Write to FILE, not to standard output.",
    )
    decorated: Any = option(command)
    return cast("F", decorated)


@contextmanager
def printed_into(path: Path) -> Iterator[None]:
    """Write to a file all that is printed meanwhile, unless an error ends it.

    An exit by `sys.exit` is no error here: an answer that is not complete is written, too.

    Raises:
        ClickException: The file can't be written.
    """
    document = io.StringIO()
    try:
        with redirect_stdout(document):
            yield
    except SystemExit:
        _write(path, document.getvalue())
        raise
    _write(path, document.getvalue())


def _write(path: Path, text: str) -> None:
    target = path.resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        if target.exists() and not target.is_file():  # a pipe or a terminal
            target.write_text(text, encoding="utf-8")
            return
        try:
            with aside.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
