"""Hook of mkdocs: pages written for the repository become pages of the site.

In the repository the link `[README](../README.md)` works, in the site it would leave docs/. So the
site has the pages at the root of the repository under `project/`, and a file such as
`tests/acceptance/test_tfx_sequence.py` under `source/`. A link without a target stays as it is, and
fails the build in strict mode. A block that begins with `python file=dags/shop.py` gets that title.
"""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

PROJECT = "project/"
SOURCE = "source/"
PROJECT_PAGES = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
)

LINK = re.compile(
    r"(?P<text>\[(?:[^\[\]]|\[[^\]]*\])*\])\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)"
)
"""A link or an image with a relative target."""

FENCE = re.compile(r"^(?P<start>\s*`{3,}\w+) (?:file=(?P<file>\S+)|no-test)$", re.MULTILINE)
"""The first line of a code block, with words for the tests of the docs."""

FOREIGN = re.compile(
    r"<(?:script|img|iframe)\s[^>]*src=[\"']?(?:https?:)?//[^>]*"
    r"|<link\s[^>]*rel=[\"']?(?:stylesheet|icon|preload|preconnect)[^>]*href=[\"']?(?:https?:)?//[^>]*"
)
"""A tag for which a browser asks another host."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Drop pages from the navigation that the repository does not have yet."""
    config.nav = list(existing_entries(config.nav or []))
    return config


def existing_entries(entries: list[object]) -> Iterator[object]:
    """Yield the entries of a navigation whose pages exist."""
    for entry in entries:
        content = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(content, list):
            yield {title: list(existing_entries(content)) for title in entry}
        elif repository_path(content).exists():
            yield entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the root of the repository."""
    for name in PROJECT_PAGES:
        files.append(File.generated(config, PROJECT + name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page, with links and code blocks that work in the site."""
    folder = repository_path(page.file.src_uri).parent
    here = posixpath.dirname(page.file.src_uri)

    def site_link(link: re.Match[str]) -> str:
        target = (folder / link["target"]).resolve()
        if target.is_dir():
            target /= "README.md"
            if not target.exists():
                return link["text"][1:-1]  # a page can't show a folder
        if not target.is_file() or not target.is_relative_to(ROOT):
            return link[0]
        uri = site_uri(target)
        if files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, abs_src_path=str(target)))
        return f"{link['text']}({posixpath.relpath(uri, here)}{link['anchor'] or ''})"

    return LINK.sub(site_link, FENCE.sub(titled_fence, markdown))


def titled_fence(fence: re.Match[str]) -> str:
    """Return the first line of a code block as Markdown knows it."""
    return fence["start"] + (f' title="{fence["file"]}"' if fence["file"] else "")


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would make a browser load something from another host."""
    foreign = FOREIGN.search(output)
    if foreign:
        raise PluginError(f"{page.file.src_uri} loads from another host: {foreign[0]}")
    return output


def repository_path(uri: str) -> Path:
    """Return the file of the repository behind a page of the site."""
    if uri.startswith(PROJECT):
        return ROOT / uri.removeprefix(PROJECT)
    return DOCS / uri


def site_uri(path: Path) -> str:
    """Return the path within the site of a file of the repository."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    uri = path.relative_to(ROOT).as_posix()
    return (PROJECT if uri in PROJECT_PAGES else SOURCE) + uri
