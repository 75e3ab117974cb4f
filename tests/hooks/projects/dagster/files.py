"""Keeps the outputs of ops and assets as JSON, where their metadata say."""

import json
from pathlib import Path

import dagster as dg

DATA = Path(__file__).parent / "data"


class Files(dg.IOManager):
    def handle_output(self, context, obj):
        path = DATA / context.definition_metadata["file"]
        path.write_text(json.dumps(obj))
        context.add_output_metadata({"path": dg.MetadataValue.path(str(path))})

    def load_input(self, context):
        return json.loads((DATA / context.upstream_output.definition_metadata["file"]).read_text())


class Text(dg.IOManager):
    def handle_output(self, context, obj):
        raise NotImplementedError("others write these files")

    def load_input(self, context):
        return Path(context.upstream_output.definition_metadata["path"]).read_text()


resources = {"files": Files(), "text": Text()}
