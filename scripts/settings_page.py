"""Print docs/settings.md with the table of settings that the code has.

python scripts/settings_page.py > docs/settings.md.new
"""

import re
from pathlib import Path

from lineage_server.setting import Setting, settings_of
from lineage_server.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs/settings.md"

HEADER = """\
| option | variable | key in the file | default | allowed | meaning |
| --- | --- | --- | --- | --- | --- |
| `--config` | `LINEAGE_STORE_CONFIG` | — | — | — | TOML file with settings. |
"""

TABLE = re.compile(r"^\| option \| variable \|.*\n(\|.*\n)+", re.MULTILINE)


def table() -> str:
    """Return the table of all settings."""
    return HEADER + "".join(f"| {' | '.join(cells(each))} |\n" for each in settings_of(Settings))


def cells(setting: Setting) -> list[str]:
    """Return the cells of a setting."""
    default = "—" if setting.default is None else f"`{setting.default}`"
    names = [f"`{name}`" for name in (setting.option, setting.variable, setting.name)]
    meaning = f"{setting.help} {setting.details}".strip()
    return [*names, default, allowed_values(setting), meaning]


def allowed_values(setting: Setting) -> str:
    """Return the bounds of a number, or the choices."""
    if setting.bounds is not None:
        return "{} to {}".format(*setting.bounds)
    return ", ".join(f"`{choice}`" for choice in setting.choices) or "—"


def page() -> str:
    """Return the text of the page."""
    return TABLE.sub(lambda _: table(), PAGE.read_text(), count=1)


if __name__ == "__main__":
    print(page(), end="")
