"""Generates the messages of lineage_store.v1 from the schema, whenever the project is built."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GenerateMessages(BuildHookInterface):
    """Runs protoc over proto/lineage_store; an sdist carries the schema and generates again."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write messages, stubs and their types beside lineage_store/v1/__init__.py."""
        root = Path(self.root)
        if version == "editable":
            startup = root / "lineage_store" / "integrations" / "startup.pth"
            build_data["force_include_editable"][str(startup)] = "lineage_store_hooks.pth"
        schema = sorted(str(path) for path in (root / "proto").rglob("*.proto"))
        plugin = Path(sys.executable).with_name("protoc-gen-mypy_grpc")
        subprocess.run(  # noqa: S603 - our own schema, by our own interpreter
            [
                *(sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={root / 'proto'}"),
                *(f"--python_out={root}", f"--pyi_out={root}", f"--grpc_python_out={root}"),
                *([f"--mypy_grpc_out={root}", f"--plugin={plugin}"] if plugin.exists() else []),
                *schema,
            ],
            check=True,
        )
