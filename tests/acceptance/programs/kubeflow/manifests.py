"""The manifests for Kubeflow Pipelines, read as Kubernetes reads them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[4]
DEPLOY = ROOT / "server/deploy"
KUBEFLOW = DEPLOY / "kubeflow"
Manifest = dict[str, Any]

PIPELINES = {
    ("pipeline-install-config", "dbHost"): "mysql",
    ("pipeline-install-config", "dbPort"): "3306",
    ("pipeline-install-config", "mlmdDb"): "metadb",
    ("mysql-secret", "username"): "root",
    ("mysql-secret", "password"): "",
}
"""What an installation of Kubeflow Pipelines has in its ConfigMap and its Secret, as it comes."""


def read(path: Path) -> list[Manifest]:
    return [part for part in yaml.safe_load_all(path.read_text()) if part is not None]


def resources(folder: str) -> list[Manifest]:
    """Return the resources of a kustomization and of the folders that it names."""
    directory = KUBEFLOW / folder
    [kustomization] = read(directory / "kustomization.yaml")
    manifests = []
    for name in kustomization["resources"]:
        path = directory / name
        manifests += (
            resources(str(path.resolve().relative_to(KUBEFLOW))) if path.is_dir() else read(path)
        )
    return manifests


def of_kind(manifests: list[Manifest], kind: str) -> Manifest:
    [one] = [manifest for manifest in manifests if manifest["kind"] == kind]
    return one


def pod_of(manifest: Manifest) -> Manifest:
    """Return the template of the pods of a Deployment or a Job."""
    template: Manifest = manifest["spec"]["template"]
    return template


def container_of(manifest: Manifest) -> Manifest:
    [container] = pod_of(manifest)["spec"]["containers"]
    return container  # type: ignore[no-any-return]


def environment_of(container: Manifest, values: dict[tuple[str, str], str]) -> dict[str, str]:
    """Return the variables of a container; $(NAME) is one that stands above."""
    variables: dict[str, str] = {}
    for variable in container["env"]:
        if "value" in variable:
            variables[variable["name"]] = expanded(variable["value"], variables)
        else:
            [source] = variable["valueFrom"].values()
            variables[variable["name"]] = values[source["name"], source["key"]]
    return variables


def expanded(text: str, variables: dict[str, str]) -> str:
    """Return a text with $(NAME) replaced; a name that is not there is an error here."""
    return re.sub(r"\$\((\w+)\)", lambda match: variables[match[1]], text)


def command_of(container: Manifest, variables: dict[str, str]) -> list[str]:
    """Return the command line of a container, whose image begins with `lineage-store`."""
    assert "command" not in container
    return [expanded(argument, variables) for argument in container["args"]]


WORKLOADS = [of_kind(resources("store"), "Deployment"), of_kind(resources("import"), "Job")]
"""What runs our image: the server, and the import that goes before it."""
