"""Print the newest versions that a development environment can have, one line for each package.

    python scripts/lock.py > requirements-dev.lock

Pip resolves the project, its extras and the group `dev`, and installs nothing.
"""

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROJECT = ".[all]"
"""The project with the extras that the tests need; the same as in the Makefile."""


def resolve() -> list[tuple[str, str]]:
    """Return the name and the version of each package, sorted by name."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), PROJECT, "--group", "dev"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)  # noqa: S603
        packages = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return sorted((package["name"].lower(), package["version"]) for package in packages)


def main() -> None:
    """Print a header and the resolved packages, without the project itself."""
    version = ".".join(platform.python_version_tuple()[:2])
    print(f"# Python {version} on {platform.system()}. `make lock` writes this file.")
    for name, release in resolve():
        if name != "lineage-store":
            print(f"{name}=={release}")


if __name__ == "__main__":
    main()
