"""Origins of code: the project, an installed distribution, or Python.

Code of the project counts by its content; that of a distribution by name and version, and that of
Python by the version of the interpreter. The project is all code that nobody installed: it lies
neither in the standard library nor in a directory of installed distributions. LINEAGE_STORE_CODE
names directories, separated as in PATH, whose code belongs to the project although it is installed.
"""

import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

CODE = "LINEAGE_STORE_CODE"
"""The environment variable that names directories of the project's code."""

_SITES = frozenset({"site-packages", "dist-packages"})
_OWN = str(Path(__file__).parents[2]) + os.sep
"""The directory of this package: code that records a step is no part of the step."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a module.

    Attributes:
        is_project: Its code counts by its content.
        label: Name and version of the distribution, or of Python; "" for the project.
    """

    is_project: bool
    label: str


PROJECT = Origin(is_project=True, label="")
PYTHON = Origin(
    is_project=False, label=f"{platform.python_implementation()} {platform.python_version()}"
)


def _package(label: str) -> Origin:
    return Origin(is_project=False, label=label)


def origin_of_file(path: str) -> Origin:
    """Return the origin of the code in a file.

    Args:
        path: As `co_filename` or `__file__` has it; also "<stdin>" and the like.
    """
    return _origin_of_file(path, os.environ.get(CODE, ""))


@lru_cache(maxsize=65_536)
def _origin_of_file(path: str, roots: str) -> Origin:
    if path.startswith("<frozen "):
        return PYTHON
    if path.startswith("<"):
        return PROJECT
    path = os.path.abspath(path)  # noqa: PTH100 - links count as they are written
    if any(_is_below(path, root) for root in roots.split(os.pathsep) if root):
        return PROJECT
    if path.startswith(_OWN):
        return _package(f"lineage-store {_own_version()}")
    top = _installed_top(path)
    if top is not None:
        label = distribution_label(top)
        return PROJECT if label is None else _package(label)
    return PYTHON if any(_is_below(path, place) for place in _standard_library()) else PROJECT


def within_project(path: str) -> str:
    """Return an absolute path as it lies in the project, so that a project may be moved."""
    root = _project_root()
    if root is None:
        return path
    return f"project:{path[len(root) :]}" if _is_below(path, root) or path == root else path


@lru_cache(maxsize=1)
def _project_root() -> str | None:
    """Return the git root around the program that runs, else the program's own directory."""
    main = vars(sys.modules.get("__main__", sys)).get("__file__")
    begin = Path(main).absolute().parent if isinstance(main, str) else Path.cwd()
    root = next((each for each in (begin, *begin.parents) if (each / ".git").exists()), begin)
    is_known = root != Path(root.anchor) and origin_of_file(str(begin / "x.py")).is_project
    return str(root) if is_known else None


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(os.path.join(os.path.abspath(directory), ""))  # noqa: PTH100, PTH118


@lru_cache(maxsize=1)
def _standard_library() -> tuple[str, ...]:
    places = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    places.add(str(Path(os.__file__).parent))
    return tuple({str(Path(each).resolve()) for each in places if each} | (places - {None}))


def _installed_top(path: str) -> str | None:
    """Return the top-level name of an installed file; None: nobody installed it."""
    parts = Path(path).parts
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] in _SITES:
            return parts[at + 1].partition(".")[0]
    for entry in _places_of_distributions():
        if path.startswith(entry):
            return Path(path[len(entry) :]).parts[0].partition(".")[0]
    return None


@lru_cache(maxsize=8)
def _places_of_distributions_in(search_path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the directories of the search path into which distributions were installed."""
    return tuple(
        os.path.join(os.path.abspath(entry), "")  # noqa: PTH100, PTH118
        for entry in search_path
        if os.path.isdir(entry) and any(n.endswith(".dist-info") for n in _names_in(entry))  # noqa: PTH112
    )


def _places_of_distributions() -> tuple[str, ...]:
    return _places_of_distributions_in(tuple(sys.path))


def _names_in(directory: str) -> list[str]:
    try:
        return os.listdir(directory)  # noqa: PTH208
    except OSError:
        return []


@lru_cache(maxsize=4096)
def distribution_label(top: str) -> str | None:
    """Return names and versions of the distributions of a top-level module; None: there is none."""
    names = _names_of_distributions(top)
    labels = sorted({f"{name} {_version(name)}" for name in names})
    return ", ".join(labels) or None


def _names_of_distributions(top: str) -> list[str]:
    try:
        distribution = metadata.distribution(top)
    except (metadata.PackageNotFoundError, ValueError):
        return list(_distributions().get(top, ()))
    listed = (distribution.read_text("top_level.txt") or "").split()
    if listed == [top]:
        return [top]
    return list(_distributions().get(top, ()))


@lru_cache(maxsize=1)
def _distributions() -> Any:
    return metadata.packages_distributions()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # metadata without a name, or half removed
        return "?"


@lru_cache(maxsize=1)
def _own_version() -> str:
    return _version("lineage-store")


def origin_of_module(name: str) -> Origin:
    """Return where a module comes from, without importing it."""
    module = sys.modules.get(name)
    if module is not None:
        return origin_of_loaded(module)
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names and not _is_shadowed(top):
        return PYTHON
    return _origin_of_top(top)


def origin_of_loaded(module: Any) -> Origin:
    """Return where a loaded module comes from."""
    names = vars(module)
    path = names.get("__file__")
    if isinstance(path, str):
        return origin_of_file(path)
    name = str(names.get("__name__"))
    is_imported = names.get("__spec__") is not None  # else the program made it
    if is_imported and name.partition(".")[0] in sys.stdlib_module_names:
        return PYTHON
    for place in _search_places(module):
        return origin_of_file(os.path.join(place, "__init__.py"))  # noqa: PTH118
    spec = names.get("__spec__")
    return PYTHON if getattr(spec, "origin", None) in {"built-in", "frozen"} else PROJECT


def is_surely_installed(module: Any) -> bool:
    """Return whether a loaded module lies among installed ones, without asking for its version."""
    path = vars(module).get("__file__")
    return isinstance(path, str) and _is_among_installed(path, os.environ.get(CODE, ""))


@lru_cache(maxsize=65_536)
def _is_among_installed(path: str, roots: str) -> bool:
    if any(_is_below(path, root) for root in roots.split(os.pathsep) if root):
        return False
    is_of_site = (
        f"{os.sep}site-packages{os.sep}" in path or f"{os.sep}dist-packages{os.sep}" in path
    )
    return is_of_site or path.startswith((_OWN, *_standard_library()))


def _search_places(module: Any) -> list[str]:
    try:
        return [str(place) for place in vars(module).get("__path__") or ()]
    except Exception:  # a path of the module's own making
        return []


def _is_shadowed(top: str) -> bool:
    """Return whether a file of the project takes the place of a module of Python."""
    spec = None if top in sys.builtin_module_names else _spec(top)
    path = None if spec is None else spec.origin
    return (
        path is not None and path not in {"frozen", "built-in"} and origin_of_file(path) != PYTHON
    )


def _origin_of_top(top: str) -> Origin:
    spec = _spec(top)
    if spec is None:
        return PROJECT
    places = list(spec.submodule_search_locations or ())
    path = spec.origin or (os.path.join(places[0], "__init__.py") if places else None)  # noqa: PTH118
    return PROJECT if path is None else origin_of_file(path)


def _spec(top: str) -> Any:
    try:
        return PathFinder.find_spec(top)
    except (ImportError, ValueError, OSError):
        return None
