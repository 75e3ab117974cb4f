"""The container file: it copies all files that make a wheel, and runs the commands of the wheel.

No image is built here; that takes a registry of images.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.acceptance.programs.kubeflow import manifests
from tests.acceptance.programs.kubeflow.manifests import ROOT, WORKLOADS

CONTAINER_FILE = manifests.DEPLOY / "Containerfile"


@pytest.mark.xdist_group("wheel")
def test_the_container_file_copies_what_a_wheel_is_built_from(tmp_path: Path) -> None:
    text = CONTAINER_FILE.read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            copied = tmp_path / target / (source if target == "./" else "")
            copy(ROOT / source, copied)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    command = [*pip, "--no-deps", "--wheel-dir", str(tmp_path / "made"), str(tmp_path)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False)
    assert process.returncode == 0, process.stderr
    assert len(list((tmp_path / "made").glob("lineage_store-*.whl"))) == 1
    [extras] = re.findall(r'"\.\[([\w,]+)\]"', text)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])


def copy(source: Path, target: Path) -> None:
    """Copy the files of a fresh checkout."""
    if source.is_file():
        shutil.copy(source, target)
    else:
        generated = shutil.ignore_patterns("__pycache__", "*_pb2*")
        shutil.copytree(source, target, ignore=generated)


def test_the_container_serves_by_default() -> None:
    text = CONTAINER_FILE.read_text()
    [program] = json.loads(re.search(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)[1])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert program in scripts
    command = json.loads(re.search(r"^CMD (.+)$", text, re.MULTILINE)[1])
    assert command == ["serve", "--grpc", "0.0.0.0:8080", "--drain-seconds", "8"]
    [user] = re.findall(r"^USER (\d+):\d+$", text, re.MULTILINE)
    runs_as = {manifests.pod_of(one)["spec"]["securityContext"]["runAsUser"] for one in WORKLOADS}
    assert runs_as == {int(user)}
