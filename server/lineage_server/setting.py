"""The description of one setting: all that its option, and its row in docs/settings.md, say."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of the server.

    Attributes:
        name: The name in a file of settings; the option has hyphens instead of underscores.
        type: One of int, float, str, bool, and `Path | None` for a file that exists.
        default: The value of a server that is told nothing else.
        help: The meaning in one sentence, without markup.
        details: Further sentences for the page of settings, in Markdown.
        bounds: The least and the greatest value, of a number.
        choices: The possible values, of a text.
    """

    name: str
    type: object
    default: str | float | None
    help: str
    details: str
    bounds: tuple[float, float] | None
    choices: Sequence[str]

    @property
    def option(self) -> str:
        """The name of the option."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return f"LINEAGE_STORE_{self.name.upper()}"


def about(
    help: str,  # noqa: A002 - click has the same name
    details: str = "",
    *,
    bounds: tuple[float, float] | None = None,
    choices: Sequence[str] = (),
) -> Mapping[str, Any]:
    """Return the metadata of a field that is a setting; see `Setting`."""
    return {"help": help, "details": details, "bounds": bounds, "choices": choices}


def settings_of(described: type) -> list[Setting]:
    """Return the settings that the fields of a dataclass describe, in their order."""
    return [_setting_of(each) for each in fields(described)]


def _setting_of(described: "Field[Any]") -> Setting:
    default: Any = described.default
    return Setting(
        name=described.name,
        type=described.type,
        default=default,
        **described.metadata,
    )
