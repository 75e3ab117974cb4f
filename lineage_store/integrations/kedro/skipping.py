"""Decides whether a node of Kedro can be skipped because its files are up to date.

The decision comes before the inputs of a node are loaded, and a node that is a hit neither loads,
runs nor saves. So it needs outputs that stay where they are: files of this machine, whose names are
not new in each run. Its inputs may also be in memory.
"""

import inspect
from collections.abc import Mapping

from lineage_store.entities import Artifact
from lineage_store.fingerprints.code import value_digest
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.integrations.kedro.datasets import (
    Datasets,
    configuration_of,
    is_in_memory,
    is_kept,
    is_parameter,
    is_versioned,
)
from lineage_store.integrations.kedro.protocols import Catalog, Dataset, Node
from lineage_store.recording.artifacts import Inputs, as_list
from lineage_store.recording.steps import Step


def why_not(node: Node, catalog: Catalog) -> str | None:
    """Return why a node can't be skipped whatever goes into it; None: it can."""
    if not node.outputs:
        return "it has no outputs"
    if node.confirms:
        return "it confirms datasets"
    if inspect.isgeneratorfunction(node.func):
        return "it saves its outputs in parts"
    outputs = (_why_no_output(name, catalog.get(name)) for name in node.outputs)
    inputs = (_why_no_input(name, catalog.get(name)) for name in node.inputs)
    return next(filter(None, (*outputs, *inputs)), None)


def _why_no_output(name: str, dataset: Dataset | None) -> str | None:
    if is_in_memory(dataset):
        return f"its output {name} is only in memory"
    if not is_kept(dataset):
        return f"its output {name} is no file of this machine"
    return f"its output {name} is another file in each run" if is_versioned(dataset) else None


def _why_no_input(name: str, dataset: Dataset | None) -> str | None:
    if is_parameter(name) or is_in_memory(dataset) or is_kept(dataset):
        return None
    return f"its input {name} would have to be loaded to be known"


def inputs_of(node: Node, catalog: Catalog) -> dict[str, object]:
    """Return the inputs of a node, as far as they are known without loading them from disk."""
    return {
        name: catalog.load(name) if _needs_loading(name, catalog) else None for name in node.inputs
    }


def _needs_loading(name: str, catalog: Catalog) -> bool:
    return is_parameter(name) or is_in_memory(catalog.get(name))


def binding_of(
    node: Node, catalog: Catalog, inputs: Mapping[str, object], files: list[WatchedFile]
) -> dict[str, object]:
    """Return the parts of a node's key beside its function and its files.

    That is which argument each input is bound to, which output each returned value goes to, how
    the datasets are configured, but not where they are, and the values in memory, with classes.

    Args:
        node: Of Kedro.
        catalog: That of its run.
        inputs: The result of `inputs_of`.
        files: Takes the files whose content counts, and their states.

    Raises:
        NoFingerprint: One of these can't be told from others.
    """
    values_in_memory = {
        name: value for name, value in inputs.items() if _needs_loading(name, catalog)
    }
    datasets = {
        name: configuration_of(catalog.get(name))
        for name in sorted({*node.inputs, *node.outputs})
        if not is_parameter(name)
    }
    return {
        "inputs": node._inputs,  # noqa: SLF001 - in public there are names without arguments
        "outputs": node._outputs,  # noqa: SLF001
        "datasets": value_digest(datasets, "datasets"),
        "values": value_digest(values_in_memory, "inputs", files),
    }


def take_over(step: Step, node: Node, catalog: Catalog, datasets: Datasets) -> bool:
    """Return whether the hit of a step stands for the files that its node would write now."""
    expected_ids = {
        name: datasets.artifact(name, catalog.get(name), None, is_saved=True).external_id
        for name in node.outputs
    }
    if _external_ids(step.outputs) == expected_ids:
        return True
    step.reject_hit("its outputs are not where it would write them")
    return False


def _external_ids(outputs: Inputs) -> dict[str, str | None]:
    external_ids: dict[str, str | None] = {}
    for name, several in outputs.items():
        for artifact in as_list(several):
            external_ids[name] = artifact.external_id if isinstance(artifact, Artifact) else None
    return external_ids
