"""The system types, which every store holds, to annotate types with as their `base_type`."""

from lineage_store.mlmd import errors
from lineage_store.v1 import metadata_pb2 as pb

_ARTIFACT_TYPES = {
    pb.ArtifactType.DATASET: "mlmd.Dataset",
    pb.ArtifactType.MODEL: "mlmd.Model",
    pb.ArtifactType.METRICS: "mlmd.Metrics",
    pb.ArtifactType.STATISTICS: "mlmd.Statistics",
}
_EXECUTION_TYPES = {
    pb.ExecutionType.TRAIN: "mlmd.Train",
    pb.ExecutionType.TRANSFORM: "mlmd.Transform",
    pb.ExecutionType.PROCESS: "mlmd.Process",
    pb.ExecutionType.EVALUATE: "mlmd.Evaluate",
    pb.ExecutionType.DEPLOY: "mlmd.Deploy",
}


class _SystemType:
    """A type that every store holds.

    Attributes:
        name: The name of the type in the store.
    """

    def __init__(self, name: str | None, system_type: int) -> None:
        if name is None:
            raise errors.NotFoundError(f"there is no system type number {system_type}")
        self.name = name


class ArtifactType(_SystemType):
    """A system type of artifacts.

    Args:
        system_type: Its number, to be set as the `base_type` of an artifact type.

    Raises:
        NotFoundError: No system type has this number.
    """

    def __init__(self, system_type: pb.ArtifactType.SystemDefinedBaseType) -> None:
        super().__init__(_ARTIFACT_TYPES.get(system_type), system_type)
        self.system_type = system_type


class ExecutionType(_SystemType):
    """A system type of executions.

    Args:
        system_type: Its number, to be set as the `base_type` of an execution type.

    Raises:
        NotFoundError: No system type has this number.
    """

    def __init__(self, system_type: pb.ExecutionType.SystemDefinedBaseType) -> None:
        super().__init__(_EXECUTION_TYPES.get(system_type), system_type)
        self.system_type = system_type


class Dataset(ArtifactType):
    """Data that a model learns from or is judged by."""

    def __init__(self) -> None:
        super().__init__(pb.ArtifactType.DATASET)


class Model(ArtifactType):
    """A trained model."""

    def __init__(self) -> None:
        super().__init__(pb.ArtifactType.MODEL)


class Metrics(ArtifactType):
    """Figures that say how good a model is."""

    def __init__(self) -> None:
        super().__init__(pb.ArtifactType.METRICS)


class Statistics(ArtifactType):
    """Figures that describe a dataset."""

    def __init__(self) -> None:
        super().__init__(pb.ArtifactType.STATISTICS)


class Train(ExecutionType):
    """Makes a model of data."""

    def __init__(self) -> None:
        super().__init__(pb.ExecutionType.TRAIN)


class Transform(ExecutionType):
    """Makes data of data."""

    def __init__(self) -> None:
        super().__init__(pb.ExecutionType.TRANSFORM)


class Process(ExecutionType):
    """Any other work on artifacts."""

    def __init__(self) -> None:
        super().__init__(pb.ExecutionType.PROCESS)


class Evaluate(ExecutionType):
    """Judges a model."""

    def __init__(self) -> None:
        super().__init__(pb.ExecutionType.EVALUATE)


class Deploy(ExecutionType):
    """Puts a model to work."""

    def __init__(self) -> None:
        super().__init__(pb.ExecutionType.DEPLOY)
