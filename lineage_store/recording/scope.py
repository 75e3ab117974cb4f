"""The part of a run that its steps need: where they belong, and how they are recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lineage_store.client.records import Publication, StepRecord
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Context, Execution, ExecutionState
from lineage_store.entities.values import PropertyValue
from lineage_store.recording.naming import PIPELINE, PROJECT, RUN, bounded
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.step_spec import StepSpec
from lineage_store.v1 import cache_pb2 as pb


@dataclass(frozen=True, kw_only=True)
class RunScope:
    """A run as its steps see it; made by `Run`, taken by `Step`.

    Attributes:
        recorder: Brings the records to the store.
        orchestrator: The tool that runs the steps; part of their keys.
        id: The id of the run.
        pipeline: The pipeline that it is a run of.
        project: The project of the pipeline; None: it has none.
    """

    recorder: Recorder
    orchestrator: str
    id: str
    pipeline: str
    project: str | None = None

    def step_record(
        self,
        spec: StepSpec,
        state: ExecutionState,
        properties: Mapping[str, PropertyValue],
        inputs: Sequence[StepArtifact] = (),
        outputs: Sequence[StepArtifact] = (),
        publication: Publication | None = None,
    ) -> StepRecord:
        """Return the record of one of the run's steps, without the `common_fields`."""
        custom = {**properties, "run_id": self.id}
        return StepRecord(
            key=spec.key,
            execution=Execution(type=spec.type, state=state, custom_properties=custom),
            inputs=inputs,
            outputs=outputs,
            publication=publication,
        )

    @cached_property
    def common_fields(self) -> pb.Step:
        """The fields that the messages of all steps of the run have in common: their contexts."""
        contexts = self.contexts()
        return pb.Step(
            contexts=[context.to_message() for context in contexts],
            parents=[
                pb.ContextParent(child_index=c, parent_index=p) for c, p in parent_pairs(contexts)
            ],
        )

    def contexts(self) -> list[Context]:
        """Return the contexts of everything in the run, each but the last a child of the next."""
        contexts = [
            Context(type=RUN, name=bounded(self.id)),
            Context(type=PIPELINE, name=bounded(self.pipeline)),
        ]
        if self.project is not None:
            contexts.append(Context(type=PROJECT, name=bounded(self.project)))
        return contexts


def parent_pairs(contexts: Sequence[Context]) -> list[tuple[int, int]]:
    """Return the pairs that make each context a child of the next."""
    return [(at, at + 1) for at in range(len(contexts) - 1)]
