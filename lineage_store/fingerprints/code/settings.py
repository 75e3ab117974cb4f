"""Settings of libraries that differ from those that the libraries begin with.

Such a setting changes the outcome of code that never mentions it, such as the precision of
decimals.
A library that is not loaded has none. Whatever is as the library set it does not count.
"""

import sys
from collections.abc import Callable
from typing import Any

_RECURSION = 1000
_DIGITS = 4300
_CONTEXT = {"prec": 28, "rounding": "ROUND_HALF_EVEN", "Emin": -999999, "Emax": 999999}
_CONTEXT |= {"capitals": 1, "clamp": 0}
_TRAPS = frozenset({"InvalidOperation", "DivisionByZero", "Overflow"})
_DIALECTS = 128 * 1024
_NUMPY_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_PRINTED = {"edgeitems": 3, "threshold": 1000, "floatmode": "maxprec", "precision": 8}
_PRINTED |= {"suppress": False, "linewidth": 75, "nanstr": "nan", "infstr": "inf", "sign": "-"}
_PRINTED |= {"formatter": None, "legacy": False, "override_repr": None}
_OF_THE_SCREEN = frozenset({"backend", "backend_fallback", "interactive", "toolbar"})
_LOCALES = ("LC_COLLATE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")


def changed() -> dict[str, Any]:
    """Return all settings that differ from those that the loaded libraries begin with."""
    settings: dict[str, Any] = {}
    for name, read in _READERS.items():
        module = sys.modules.get(name)
        several = {} if module is None else read(module)
        if several:
            settings[name] = several
    return settings


def _other(several: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in several.items()
        if name not in defaults or value != defaults[name]
    }


def _interpreter(module: Any) -> dict[str, Any]:
    limits = {"recursion": module.getrecursionlimit(), "digits": module.get_int_max_str_digits()}
    return _other(limits, {"recursion": _RECURSION, "digits": _DIGITS})


def _warnings(module: Any) -> dict[str, Any]:
    """Return the filters that make errors of warnings; the others choose only those that show."""
    filters = [each for each in module.filters if each[0] == "error"]
    return {"errors": [_plain_filter(*each) for each in filters]} if filters else {}


def _plain_filter(action: str, message: Any, category: Any, module: Any, line: int) -> Any:
    return action, *(getattr(each, "pattern", each) for each in (message, module)), category, line


def _decimal(module: Any) -> dict[str, Any]:
    context = module.getcontext()
    several = _other({name: getattr(context, name) for name in _CONTEXT}, _CONTEXT)
    traps = frozenset(signal.__name__ for signal, is_set in context.traps.items() if is_set)
    return several if traps == _TRAPS else {**several, "traps": sorted(traps)}


def _locale(module: Any) -> dict[str, Any]:
    several = {name: module.setlocale(getattr(module, name)) for name in _LOCALES}
    return _other(several, dict.fromkeys(_LOCALES, "C"))


def _numpy(module: Any) -> dict[str, Any]:
    return _other(module.geterr(), _NUMPY_ERRORS) | _other(module.get_printoptions(), _PRINTED)


def _numpy_random(module: Any) -> dict[str, Any]:
    """Return the state of the generator of numpy, if the project gave it a seed."""
    generator = module._rand  # noqa: SLF001
    if getattr(generator._bit_generator, "_seed_seq", None) is not None:  # noqa: SLF001
        return {}
    return {"state": generator.get_state(legacy=False)}


def _pandas(module: Any) -> dict[str, Any]:
    options = module._registered_options  # noqa: SLF001
    if len(_options) != len(options):
        _options[:] = [(*_place_of(module, key), key) for key in options]
    return {
        key: names[name]
        for names, name, key in _options
        if names[name] is not (default := options[key].defval) and names[name] != default
    }


_options: list[tuple[dict[str, Any], str, str]] = []
"""The mapping in which each option of pandas lies, its name there, and its full name."""


def _place_of(module: Any, key: str) -> tuple[dict[str, Any], str]:
    *path, name = key.split(".")
    current = module._global_config  # noqa: SLF001
    for each in path:
        current = current[each]
    return current, name


def _matplotlib(module: Any) -> dict[str, Any]:
    several, defaults = dict.copy(module.rcParams), dict.copy(module.rcParamsDefault)
    for name in _OF_THE_SCREEN:
        several.pop(name, None)
        defaults.pop(name, None)
    return {} if several == defaults else _other(several, defaults)


def _csv(module: Any) -> dict[str, Any]:
    return _other({"field size": module.field_size_limit()}, {"field size": _DIALECTS})


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "sys": _interpreter,
    "warnings": _warnings,
    "locale": _locale,
    "decimal": _decimal,
    "csv": _csv,
    "numpy": _numpy,
    "numpy.random.mtrand": _numpy_random,
    "pandas._config.config": _pandas,
    "matplotlib": _matplotlib,
}
"""The reader of the settings of each library, by the module that holds them."""
