"""The aspect of a property of an execution: its code, its parameters, its environment.

The rules, in their order; names are compared in lower case, and a name within a Struct is written
with dots ("parameters.depth"):

1. A name in a section of parameters ("parameters", "hyperparameters", "args", …) is a parameter,
   whatever it is called; so are sections of code and of environment.
2. What a run is bound to have of its own is noise, and not compared: ids and names of runs, jobs,
   pods and tasks, times, durations, texts of errors, addresses of logs, and what the step put out.
3. A name that speaks of code, or of an environment, is one; see the patterns.
4. Everything else is a parameter.

Two absolute paths that end in the same name are noise too, but for those in a section of
parameters: each run has a directory of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import PurePosixPath, PureWindowsPath

from lineage_store.entities import Node
from lineage_store.entities.plain import plain


class Aspect(StrEnum):
    """The aspect that a difference is about."""

    DATA = "DATA"
    CODE = "CODE"
    PARAMETERS = "PARAMETERS"
    ENVIRONMENT = "ENVIRONMENT"
    STEPS = "STEPS"


def _name(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{alternative})" for alternative in alternatives))


_SECTIONS = {
    Aspect.PARAMETERS: _name(
        r"(hyper)?_?param(eter)?s", "hparams", "arg(ument)?s", "config", "exec_properties", "inputs"
    ),
    Aspect.CODE: _name("code", "git", "source_code", "vcs"),
    Aspect.ENVIRONMENT: _name(
        "env(ironment)?(_variables)?",
        "packages|libraries|dependencies|requirements",
        "platform|hardware|runtime|container|resources",
    ),
}
_NOISE = _name(
    r"(.*_)?(run|job|pod|task|attempt|session|execution|trace|span|process|invocation)_?u?u?id",
    r"(.*_)?(run|job|pod)_name|pid|uuid|cached_execution_id",
    r"(.*_)?(started|finished|created|updated|completed|ended|submitted|modified|last_run)(_at)?",
    r"(.*_)?(start|end|finish|create|creation|update|completion|submit|event)_?time(_m?s)?",
    r"(.*_)?timestamp(_m?s)?",
    r"(.*_)?(duration|elapsed|latency|wall_?time)(_m?s|_(milli)?seconds)?",
    r"error(_.*)?|exception(_.*)?|traceback|stack_?trace|fail(ure|ed)?_(reason|message)",
    r"logs?(_(uri|url|path|file))?",
    r"cached?_(key|fingerprint)|step",
    r"outputs|output_(uri|url|path|dir(ectory)?)",
)
_CODE = _name(
    r"(source_?|git_?|vcs_?|user_)?(code|commit|sha|revision|repo(sitory)?|branch|tag)(_.*)?",
    r"(git|src|source|script|module|notebook|entry_?point|executor|component|pipeline|workflow)(_.*)?",
    r"function(_name|_sha\d*|_digest|_hash)?|callable|class_path|version|command",
    r".*_(commit|git|script|source|module)(_(sha\d*|digest|hash|version))?",
)
_ENVIRONMENT = _name(
    r"(.*_)?(image|container)(_(digest|id|name|tag|uri|url|ref|sha\d*|version))?",
    r"(python|docker|conda|pip|package|library|dependency|requirements)(_.*)?",
    r"(packages|libraries|dependencies|env|environment|runtime|platform|os)(_.*)?",
    r"(host|hostname|machine|node|cuda|cudnn|gpus?|cpus?|hardware|accelerator|driver)(_.*)?",
    r".*_(packages|libraries|dependencies|requirements)",
    r"(?!(data|dataset|model|schema|example|feature|api)_).*_version",
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def aspect_of(name: str) -> Aspect | None:
    """Return the aspect of the property of a name; None: a run's own, to be left out."""
    section, *rest = [_snake(part) for part in name.split(".")]
    if rest:
        for aspect, pattern in _SECTIONS.items():
            if pattern.fullmatch(section):
                return aspect
    words = [section, *rest, "_".join([section, *rest])]
    if any(_NOISE.fullmatch(word) for word in words):
        return None
    for aspect, pattern in ((Aspect.CODE, _CODE), (Aspect.ENVIRONMENT, _ENVIRONMENT)):
        if any(pattern.fullmatch(word) for word in words):
            return aspect
    return Aspect.PARAMETERS


def _snake(word: str) -> str:
    return _CAMEL.sub("_", word).replace("-", "_").replace(" ", "_").lower()


def flat_properties(node: Node) -> dict[str, str]:
    """Return the properties of a node, declared and custom, as text.

    Structs are flattened: {"parameters": {"depth": 6.0}} is {"parameters.depth": "6"}. A custom
    property whose name is declared too is called "custom_properties.NAME".
    """
    texts = dict(_flat(node.properties))
    for name, value in _flat(node.custom_properties):
        texts[f"custom_properties.{name}" if name in texts else name] = value
    return texts


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield names with dots and values as text; depth is bounded by what protobuf parses."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            for inner, text in _flat(value):
                yield f"{name}.{inner}", text
        else:
            yield name, as_text(value)


def as_text(value: object) -> str:
    """Return the value of a property for people; 6.0 and 6 are the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True)


def is_moved_path(left: str, right: str) -> bool:
    """Return whether two values are absolute paths of one name in two directories."""
    names = [_file_name(text) for text in (left, right)]
    return names[0] is not None and names[0] == names[1]


def _file_name(text: str) -> str | None:
    bare = text.removeprefix("file://")
    for path in (PurePosixPath(bare), PureWindowsPath(bare)):
        if path.is_absolute():
            return path.name
    return None


def is_parameter_section(name: str) -> bool:
    """Return whether a name lies in a section of parameters."""
    section, dot, _ = name.partition(".")
    return bool(dot) and _SECTIONS[Aspect.PARAMETERS].fullmatch(_snake(section)) is not None
