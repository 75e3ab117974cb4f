"""The arguments of a call of a step function, sorted into inputs, parameters and outputs."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from lineage_store.entities import Artifact


class Arguments:
    """The arguments of a call, by the part they play.

    Attributes:
        inputs: Artifacts, files and directories, in lists where the caller passed lists.
        parameters: Everything else.
        outputs: The files that the function is to write, by the names of the outputs.
        suffixes: Of these files, by parameter: the content may depend on them.
    """

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.outputs: dict[str, list[Path]] = {}
        self.suffixes: dict[str, Any] = {}

    @classmethod
    def of(cls, arguments: Mapping[str, Any], outputs: Collection[str]) -> "Arguments":
        """Sort arguments by the part they play.

        Args:
            arguments: By the names of their parameters.
            outputs: The parameters that say where the function writes.
        """
        call_arguments = cls()
        for name, value in arguments.items():
            if name in outputs and _is_target(value):
                call_arguments._add_output(name, value)
            elif _is_input(value) or (_is_list(value) and all(map(_is_input, value))):
                call_arguments.inputs[name] = value
            else:
                call_arguments.parameters[name] = value
        return call_arguments

    def _add_output(self, name: str, value: object) -> None:
        if isinstance(value, Mapping):
            for key, path in value.items():
                self.outputs[f"{name}.{key}"] = [Path(path)]
            self.suffixes[name] = [[str(key), _suffixes(path)] for key, path in value.items()]
        else:
            self.outputs[name] = [Path(path) for path in _listed(value)]
            self.suffixes[name] = (
                list(map(_suffixes, value)) if isinstance(value, list | tuple) else _suffixes(value)
            )

    def texts_of_files(self) -> Iterator[str]:
        """Yield the parameters that are text, and name a file that exists."""
        for name, value in self.parameters.items():
            if isinstance(value, str) and names_a_file(value):
                yield name


def names_a_file(text: str) -> bool:
    """Return whether a text is the path of an existing file."""
    if not 0 < len(text) <= _LONGEST or "\0" in text or "\n" in text:
        return False
    try:
        return Path(text).is_file()
    except OSError:
        return False


_LONGEST = 4096
"""Characters of a path."""


def _is_target(value: object) -> bool:
    """Return whether a value says where to write: a path, several of them, or nowhere."""
    if isinstance(value, Mapping):
        return all(isinstance(path, Path | str) for path in value.values())
    return value is None or all(isinstance(path, Path | str) for path in _listed(value))


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _suffixes(path: Any) -> str | None:  # noqa: ANN401 - whatever a Path takes
    """Return the suffixes of the file to write; None: there is none to write."""
    return None if path is None else "".join(Path(path).suffixes)


def _is_input(value: object) -> bool:
    return isinstance(value, Artifact | Path)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0
