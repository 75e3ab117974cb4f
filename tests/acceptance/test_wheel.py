"""The wheel, installed alone and used outside the checkout, on every protobuf that it allows."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest
from uv import find_uv_bin

from lineage_store.database.schema.revisions import HEAD

ROOT = Path(__file__).parents[2]
UV = find_uv_bin()
PROTOBUFS = ["5.29.*", "6.33.*", "7.*"]

# One worker builds the wheel once, and the machine is not asked for three installations at a time.
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(900)]

LOOK = """
import importlib.metadata, json
from importlib.util import find_spec
import google.protobuf
import lineage_store

names = ["lineage_store", "lineage_server", "lineage_store.v1.metadata_pb2", "server", "proto"]
names += ["tests", "benchmarks", "lineage_store.database.schema.migrations.versions.v0001_initial"]
print(json.dumps({
    "found": {name: find_spec(name) is not None for name in names},
    "protobuf": google.protobuf.__version__,
    "file": lineage_store.__file__,
    "files": [str(path) for path in importlib.metadata.files("lineage-store")],
}))
"""

ROUND_TRIP = """
import sys
from lineage_store.client.channel import GrpcTransport
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.v1 import metadata_pb2 as pb, metadata_service_pb2 as service

def open_transport(target):
    return EmbeddedTransport(target) if "sqlite" in target else GrpcTransport(target)

for target in sys.argv[1:]:
    transport = open_transport(target)
    kind = pb.ArtifactType(name="T", properties={"i": pb.INT})
    request = service.PutArtifactTypeRequest(artifact_type=kind)
    type_id = transport.call("PutArtifactType", request).type_id
    artifact = pb.Artifact(type_id=type_id, name="a", uri="u")
    artifact.properties["i"].int_value = 2**40
    request = service.PutArtifactsRequest(artifacts=[artifact])
    [artifact_id] = transport.call("PutArtifacts", request).artifact_ids
    request = service.GetArtifactsByIDRequest(artifact_ids=[artifact_id])
    [found] = transport.call("GetArtifactsByID", request).artifacts
    assert (found.uri, found.properties["i"].int_value) == ("u", 2**40)
    transport.close()

from lineage_store.mlmd import MetadataStore
print("done")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    source = checkout(directory / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    run([*pip, "--no-deps", "--wheel-dir", str(directory), str(source)], directory)
    [built] = directory.glob("lineage_store-*.whl")
    return built


def checkout(directory: Path) -> Path:
    """Copy the files of a checkout: a build in place would write under other tests' feet."""
    directory.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, directory)
    generated = shutil.ignore_patterns("__pycache__", "metadata_pb2*", "metadata_service_pb2*")
    for name in ("lineage_store", "proto", "server"):
        shutil.copytree(ROOT / name, directory / name, ignore=generated)
    return directory


@pytest.fixture(scope="module", params=PROTOBUFS)
def installed(request, wheel, tmp_path_factory) -> Path:
    """The directory of the programs of an environment that holds the wheel and nothing else."""
    directory = tmp_path_factory.mktemp("environment")
    run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, str(directory)], directory)
    run([*uv_pip("install", directory), str(wheel), f"protobuf=={request.param}"], directory)
    (directory / "protobuf").write_text(request.param)
    return directory / "bin"


def uv_pip(command: str, environment: Path) -> list[str]:
    """Return the beginning of a command of uv's pip: it takes a second, and pip's own 15."""
    return [UV, "pip", command, "--quiet", "--python", str(environment / "bin/python")]


def protobuf_of(installed: Path) -> str:
    """Return the pattern of the version of protobuf that was asked for."""
    return (installed.parent / "protobuf").read_text()


def run(command: list[str], directory: Path) -> str:
    process = subprocess.run(
        command,
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LINEAGE_"))}


def test_what_the_wheel_brings(installed, tmp_path):
    contents = json.loads(run([str(installed / "python"), "-W", "error", "-c", LOOK], tmp_path))
    assert contents["found"] == {
        "lineage_store": True,
        "lineage_server": True,
        "lineage_store.v1.metadata_pb2": True,
        "lineage_store.database.schema.migrations.versions.v0001_initial": True,
        "server": False,
        "proto": False,
        "tests": False,
        "benchmarks": False,
    }
    assert {"lineage_store/py.typed", "lineage_server/py.typed"} <= set(contents["files"])
    assert fnmatch(contents["protobuf"], protobuf_of(installed))
    assert contents["file"].startswith(str(installed.parent))
    run(uv_pip("check", installed.parent), tmp_path)  # fails if a requirement is not met


def test_the_command_line(installed, tmp_path):
    program = str(installed / "lineage-store")
    assert re.fullmatch(
        r"lineage-store, version \d+\.\d+\.\d+\n", run([program, "--version"], tmp_path)
    )
    assert "serve" in run([program, "--help"], tmp_path)
    url = f"sqlite:///{tmp_path}/store.db"
    assert run([program, "db", "upgrade", "--database", url], tmp_path).endswith(f"-> {HEAD}\n")
    assert "is current" in run([program, "db", "check", "--database", url], tmp_path)
    mlmd = f"sqlite:///{tmp_path}/mlmd.db"  # whose tables the wheel brings as files of SQL
    assert "9 types" in run([program, "export", "mlmd", "--from", url, "--to", mlmd], tmp_path)
    assert "9 types" in run([program, "import", "mlmd", mlmd, "--into", f"{url}2"], tmp_path)


@contextmanager
def serving(installed: Path, directory: Path) -> Iterator[str]:
    command = [str(installed / "lineage-store"), "serve", "--grpc", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=directory, env=clean_environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            ready = re.search(r"ready grpc=(\S+)", process.stdout.readline())
            yield ready.group(1)
        finally:
            process.terminate()
            assert process.wait(30) == 0


def test_a_round_trip_through_the_server_and_embedded(installed, tmp_path):
    with serving(installed, tmp_path) as address:
        python = [str(installed / "python"), "-W", "error", "-c", ROUND_TRIP]
        assert run([*python, address, f"sqlite:///{tmp_path}/own.db"], tmp_path) == "done\n"
    assert (tmp_path / "lineage.db").exists()
