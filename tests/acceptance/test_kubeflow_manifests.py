"""The manifests for Kubeflow Pipelines: their form, their names, and that their commands work."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from grpc import insecure_channel
from grpc_health.v1 import health_pb2, health_pb2_grpc
from lineage_server.app import CLOSE_SECONDS

from lineage_store.v1 import metadata_pb2 as pb
from tests.acceptance.programs.kubeflow import manifests
from tests.acceptance.programs.kubeflow.manifests import ROOT, WORKLOADS
from tests.acceptance.programs.kubeflow.run import KubeflowRun
from tests.acceptance.programs.kubeflow.wire import Wire
from tests.backends import mariadb
from tests.integration.serving import environment, serving
from tests.mlmd_servers import run

EVERY_FILE = sorted(manifests.KUBEFLOW.rglob("*.yaml"))
# The first with probes over gRPC that need no feature gate, and the newest that is known.
VERSIONS = ["1.27", ".".join(metadata.version("kubernetes-validate").split(".")[:2])]
SLACK_SECONDS = 10
"""What a busy node may take beyond it."""
NAMES = [workload["metadata"]["name"] for workload in WORKLOADS]


def test_nothing_is_left_out() -> None:
    brought = [part["kind"] for name in ("server", "import") for part in manifests.resources(name)]
    assert sorted(brought) == ["Deployment", "Job", "PodDisruptionBudget", "Service"]
    plain = [path for path in EVERY_FILE if path.name != "kustomization.yaml"]
    assert len(plain) == len(brought)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", ["server", "import"])
def test_they_have_the_form_that_kubernetes_demands(folder: str, version: str) -> None:
    for manifest in manifests.resources(folder):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_form_is_really_checked() -> None:
    [wrong] = [m for m in manifests.resources("server") if m["kind"] == "Service"]
    wrong["spec"]["port"] = 8080
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_the_service_is_the_one_that_kubeflow_pipelines_calls() -> None:
    resources = manifests.resources("server")
    service = manifests.of_kind(resources, "Service")
    assert service["metadata"]["name"] == "metadata-grpc-service"
    [port] = service["spec"]["ports"]
    assert (port["name"], port["port"]) == ("grpc-api", 8080)
    deployment = manifests.of_kind(resources, "Deployment")
    container = manifests.container_of(deployment)
    assert [port["containerPort"] for port in container["ports"]] == [8080]
    listening = container["args"][container["args"].index("--grpc") + 1]
    assert listening == "0.0.0.0:8080"
    probes = [container[f"{name}Probe"]["grpc"] for name in ("startup", "readiness", "liveness")]
    assert probes == [{"port": 8080}] * 3


def test_selectors_choose_our_pods_and_no_others() -> None:
    resources = manifests.resources("server")
    deployment = manifests.of_kind(resources, "Deployment")
    labels = manifests.pod_of(deployment)["metadata"]["labels"]
    ours = {"app.kubernetes.io/name": "lineage-store"}
    assert labels.items() >= ours.items()
    # What the rules of Kubeflow Pipelines know the server by, and the old one has as well.
    assert labels["component"] == "metadata-grpc-server"
    spread = manifests.pod_of(deployment)["spec"]["topologySpreadConstraints"]
    assert [one["labelSelector"]["matchLabels"] for one in spread] == [ours]
    assert deployment["spec"]["selector"]["matchLabels"] == ours
    assert manifests.of_kind(resources, "Service")["spec"]["selector"] == ours
    budget = manifests.of_kind(resources, "PodDisruptionBudget")
    assert budget["spec"]["selector"]["matchLabels"] == ours
    assert 1 <= budget["spec"]["minAvailable"] < deployment["spec"]["replicas"]


@pytest.mark.parametrize("workload", WORKLOADS, ids=NAMES)
def test_containers_are_bounded_and_are_not_root(workload: manifests.Manifest) -> None:
    pod, container = manifests.pod_of(workload)["spec"], manifests.container_of(workload)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] > 0
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"]["memory"]
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    # Kubernetes would set LINEAGE_STORE_PORT for a service named lineage-store.
    assert pod["enableServiceLinks"] is False
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_a_pod_has_the_time_that_a_planned_stop_takes() -> None:
    deployment = manifests.of_kind(manifests.resources("server"), "Deployment")
    pod, container = manifests.pod_of(deployment)["spec"], manifests.container_of(deployment)
    [program, before] = container["lifecycle"]["preStop"]["exec"]["command"]
    drain = float(container["args"][container["args"].index("--drain-seconds") + 1])
    assert program == "sleep"
    readiness = container["readinessProbe"]
    assert float(before) >= readiness["periodSeconds"]
    needed = float(before) + drain + CLOSE_SECONDS
    assert needed + SLACK_SECONDS <= pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("workload", WORKLOADS, ids=NAMES)
def test_images_have_the_tag_of_this_version(workload: manifests.Manifest) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    expected = f"lineage-store:{project['version']}"
    assert manifests.container_of(workload)["image"] == expected
    assert expected in (manifests.DEPLOY / "Containerfile").read_text()


def test_no_password_is_in_a_manifest() -> None:
    for path in EVERY_FILE:
        assert not re.search(r"mysql://[^@\s/]*:[^@\s]*@", path.read_text()), path


# -- they work ------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[tuple[str, str], str]]:
    """Settings of Kubeflow Pipelines, for a MySQL in which our user has a password."""
    password = tmp_path / "password"
    password.write_text("s3cret/päss word\n")
    with mariadb.new_store(), closing(mariadb.connect(mariadb.port())) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE DATABASE lineage")
        cursor.execute("CREATE USER lineage IDENTIFIED BY 's3cret/päss word'")
        cursor.execute("GRANT ALL ON lineage.* TO lineage")
        cursor.execute("CREATE DATABASE metadb")
        try:
            port = {("pipeline-install-config", "dbPort"): str(mariadb.port())}
            host = {("pipeline-install-config", "dbHost"): "127.0.0.1"}
            yield manifests.PIPELINES | host | port
        finally:
            for statement in ("DATABASE lineage", "DATABASE metadb", "USER lineage"):
                cursor.execute(f"DROP {statement}")


def started(
    workload: manifests.Manifest, settings: dict[tuple[str, str], str], password: Path
) -> tuple[list[str], dict[str, str]]:
    """Return the arguments and the environment of a container, on this machine."""
    container = manifests.container_of(workload)
    variables = manifests.environment_of(container, settings)
    mounted = next(m["mountPath"] for m in container["volumeMounts"] if m["name"] == "password")
    variables = {k: v.replace(f"{mounted}/password", str(password)) for k, v in variables.items()}
    assert str(password) in variables["LINEAGE_STORE_DATABASE"]
    return manifests.command_of(container, variables), variables


def test_the_history_is_imported_and_the_server_goes_on_with_it(
    settings: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    """Kubeflow Pipelines records in ML Metadata on MySQL; then in the store that replaces it."""
    port = settings["pipeline-install-config", "dbPort"]
    before = json.loads(run("ml_metadata", "mlmd/mlmd_mysql_history.py", "--port", port))
    job = WORKLOADS[1]
    arguments, variables = started(job, settings, tmp_path / "password")
    process = subprocess.run(
        [sys.executable, "-m", "lineage_store.cli", *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "s3cret" not in process.stdout + process.stderr
    after = recorded_run(WORKLOADS[0], settings, tmp_path)
    assert after == {"execution": before["execution"], "state": "CACHED"}


def recorded_run(
    deployment: manifests.Manifest, settings: dict[tuple[str, str], str], directory: Path
) -> dict[str, Any]:
    """Start the server as its container does; return a run of the history as the server has it."""
    [_, *options], variables = started(deployment, settings, directory / "password")
    # The port is another one: tests run side by side.
    options[options.index("--grpc") + 1] = "127.0.0.1:0"
    with serving(directory, *options, **variables) as served:
        with insecure_channel(served.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with closing(Wire(served.address)) as wire:
            named = {"type_name": "system.DAGExecution", "execution_name": "run/before"}
            execution = wire.call("GetExecutionByTypeAndName", **named).execution
            assert KubeflowRun(wire, "before", {}).root() == execution.id  # a driver tried again
            assert KubeflowRun(wire, "after", {}).root() > execution.id
        assert "s3cret" not in served.log()
        state = pb.Execution.State.Name(execution.last_known_state)
        return {"execution": execution.id, "state": state}


# -- kustomize ------------------------------------------------------------------------------

PIPELINES = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: metadata-grpc-deployment}
spec:
  selector: {matchLabels: {component: metadata-grpc-server, application-crd-id: kubeflow-pipelines}}
  template:
    metadata:
      labels: {component: metadata-grpc-server, application-crd-id: kubeflow-pipelines}
    spec: {containers: [{name: container, image: old}]}
---
apiVersion: v1
kind: Service
metadata: {name: metadata-grpc-service, labels: {app: metadata}}
spec:
  selector: {component: metadata-grpc-server, application-crd-id: kubeflow-pipelines}
  ports: [{name: grpc-api, port: 8080}]
"""
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: kubeflow
resources: [pipelines.yaml]
components: [kubeflow/component]
"""


def kustomized(directory: Path) -> list[manifests.Manifest]:
    """Return the output of kubectl for a kustomization, or skip the test."""
    if (kubectl := shutil.which("kubectl")) is None:
        if "kubectl" in os.environ.get("LINEAGE_REQUIRE", "").split(","):
            pytest.fail("kubectl is missing")
        pytest.skip("kubectl is missing")
    command = [kubectl, "kustomize", str(directory)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return list(yaml.safe_load_all(process.stdout))


@pytest.mark.parametrize("folder", ["server", "import"])
def test_kubectl_reads_the_kustomizations(folder: str) -> None:
    built = kustomized(manifests.KUBEFLOW / folder)
    expected = manifests.resources(folder)
    for manifest in expected:
        manifest["metadata"]["namespace"] = "kubeflow"
    by_kind = sorted(built, key=lambda manifest: manifest["kind"])
    assert by_kind == sorted(expected, key=lambda manifest: manifest["kind"])


def test_a_kustomization_of_kubeflow_pipelines_takes_the_component(tmp_path: Path) -> None:
    shutil.copytree(manifests.KUBEFLOW, tmp_path / "kubeflow")
    (tmp_path / "pipelines.yaml").write_text(PIPELINES)
    (tmp_path / "kustomization.yaml").write_text(OVERLAY)
    built = kustomized(tmp_path)
    assert [m["metadata"]["name"] for m in built if m["kind"] == "Deployment"] == ["lineage-store"]
    service = manifests.of_kind(built, "Service")
    ours = manifests.of_kind(manifests.resources("server"), "Service")
    assert service["spec"]["selector"] == ours["spec"]["selector"]
    assert service["spec"]["ports"] == [{"name": "grpc-api", "port": 8080}]
    for manifest in built:
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)
