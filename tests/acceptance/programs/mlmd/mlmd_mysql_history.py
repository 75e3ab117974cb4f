"""Records the root of a run in the real ML Metadata on MySQL, as Kubeflow Pipelines does.

    python mlmd_mysql_history.py --port PORT

The database is `metadb`, of the user `root`, who has no password: as Kubeflow Pipelines installs
it. Prints {"execution": ID}.
"""

import argparse
import json

import ml_metadata
from ml_metadata.proto import metadata_store_pb2 as pb

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, required=True)
config = pb.ConnectionConfig()
config.mysql.host, config.mysql.port = "127.0.0.1", parser.parse_args().port
config.mysql.database, config.mysql.user = "metadb", "root"
store = ml_metadata.MetadataStore(config)
contexts = []
for type_name, name in (("system.Pipeline", "churn"), ("system.PipelineRun", "before")):
    type_id = store.put_context_type(pb.ContextType(name=type_name))
    contexts.append(pb.Context(type_id=type_id, name=name))
execution = pb.Execution(
    type_id=store.put_execution_type(pb.ExecutionType(name="system.DAGExecution")),
    name="run/before",
    last_known_state=pb.Execution.CACHED,
)
execution.custom_properties["display_name"].string_value = ""
execution_id, _, context_ids = store.put_execution(execution, [], contexts)
edge = pb.ParentContext(child_id=context_ids[1], parent_id=context_ids[0])
store.put_parent_contexts([edge])
print(json.dumps({"execution": execution_id}))
