"""Records of steps: an execution with its inputs, outputs, contexts and cache entry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from lineage_store import errors
from lineage_store.cache.keys import Key
from lineage_store.client.cache import Cache
from lineage_store.client.cache_answers import Claim, component_messages
from lineage_store.client.calls import Calls
from lineage_store.client.step_artifacts import StepArtifact, artifacts_by_name
from lineage_store.entities import Artifact, Context, Execution
from lineage_store.entities.values import PropertyValue, text, to_value
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The entry that a step publishes.

    Attributes:
        key: The cache key of the step.
        scope: The scope in which the entry can be seen.
        output_parameters: The outputs of the step beside its artifacts, by name.
        claim: The claim that it ran under; None: it ran without, and nobody may hold one.
        time_to_live: When it is over the entry no longer hits; None: never.
    """

    key: Key
    scope: str = ""
    output_parameters: Mapping[str, PropertyValue] = field(default_factory=dict)
    claim: Claim | None = None
    time_to_live: timedelta | None = None

    def to_message(self) -> pb.CachePublication:
        """Return the publication as a v1 message.

        Raises:
            InvalidArgument: A value can't be kept.
        """
        message = pb.CachePublication(
            scope=self.scope, digest=self.key.digest, components=component_messages(self.key)
        )
        for name, value in self.output_parameters.items():
            name_ = text(name, "the name of an output parameter")
            message.output_parameters[name_].CopyFrom(to_value(value, f"output {name!r}"))
        if self.claim is not None:
            message.holder = self.claim.holder
            message.token = self.claim.token
        if self.time_to_live is not None:
            life = self.time_to_live / timedelta(milliseconds=1)
            message.time_to_live_milliseconds = round(life)
        return message


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One run of one step, or an addition to an earlier record of it.

    Attributes:
        key: Names the step among all steps, and becomes the external id of its execution. A record
            under a known key adds to that execution; the same record again adds nothing.
        execution: With the name of its type; a final state is never taken back.
        inputs: The artifacts that it read.
        outputs: The artifacts that it wrote.
        contexts: Those without id are found by type and name, or created.
        parents: For contexts, by their places in `contexts`: pairs of child and parent.
        publication: Needs the state COMPLETE.
        create_types: Types that are named and unknown are created.
    """

    key: str
    execution: Execution
    inputs: Sequence[StepArtifact] = ()
    outputs: Sequence[StepArtifact] = ()
    contexts: Sequence[Context | int] = ()
    parents: Sequence[tuple[int, int]] = ()
    publication: Publication | None = None
    create_types: bool = True

    def to_message(self) -> pb.Step:
        """Return the record as a v1 Step message.

        Raises:
            InvalidArgument: A field has a value that can't be kept.
        """
        cache = None if self.publication is None else self.publication.to_message()
        return pb.Step(
            key=text(self.key, "the key of a step"),
            execution=self.execution.to_message(),
            inputs=[step_artifact.to_message() for step_artifact in self.inputs],
            outputs=[step_artifact.to_message() for step_artifact in self.outputs],
            contexts=[_context(context) for context in self.contexts],
            parents=[pb.ContextParent(child_index=c, parent_index=p) for c, p in self.parents],
            cache=cache,
            create_types=self.create_types,
        )


def _context(context: Context | int) -> metadata_pb2.Context:
    if isinstance(context, int):
        return metadata_pb2.Context(id=context)
    message: metadata_pb2.Context = context.to_message()
    return message


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """The ids of a recorded step and its nodes, each list in the order of the record.

    Attributes:
        entry_id: The id of the entry that was published, if one was.
        is_repeated: The step was known, and nothing in the record was new.
    """

    execution_id: int
    input_ids: list[int]
    output_ids: list[int]
    context_ids: list[int]
    entry_id: int | None = None
    is_repeated: bool = False

    @classmethod
    def from_message(cls, message: pb.RecordStepResponse) -> "RecordedStep":
        """Return what a RecordStepResponse holds."""
        return cls(
            execution_id=message.execution_id,
            input_ids=list(message.input_ids),
            output_ids=list(message.output_ids),
            context_ids=list(message.context_ids),
            entry_id=message.entry_id if message.HasField("entry_id") else None,
            is_repeated=message.is_repeated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHit:
    """The record of a step that was served from the cache.

    Attributes:
        recorded: The ids.
        step_artifacts: The outputs, which are those of the entry.
        original_execution_id: The execution that really ran.
    """

    recorded: RecordedStep
    step_artifacts: Sequence[StepArtifact]
    original_execution_id: int

    @property
    def outputs(self) -> dict[str, list[Artifact]]:
        """The artifacts of each output, in the order of their indexes."""
        return artifacts_by_name(self.step_artifacts)


class RecordMethods(Calls):
    """Decide about steps, and record them with their cache entries."""

    @property
    def cache(self) -> Cache:
        """The cache: decisions whether steps may be skipped, claims and entries."""
        return Cache(self._transport)

    def record_step(self, step: StepRecord) -> RecordedStep:
        """Record a step, its artifacts, events, contexts and cache entry, all or nothing.

        A retry after a lost answer records nothing twice.

        Raises:
            InvalidArgument: A field has a value that can't be kept.
            FailedPrecondition: The claim of the publication is no longer held.
        """
        request = pb.RecordStepRequest(step=step.to_message())
        return RecordedStep.from_message(self._send("RecordStep", request))

    def record_steps(self, steps: Sequence[StepRecord]) -> list[RecordedStep | errors.LineageError]:
        """Record many steps in one call, each all or nothing.

        Returns:
            For each step its ids, or the error that it was refused with.
        """
        request = pb.RecordStepsRequest(steps=[step.to_message() for step in steps])
        return [result_of(result) for result in self._send("RecordSteps", request).results]

    def record_cached(
        self, step: StepRecord, entry: int, *, copies: Sequence[StepArtifact] = ()
    ) -> RecordedHit:
        """Record that a step was served from the cache.

        Args:
            step: Without outputs, which are those of the entry; its state becomes CACHED.
            entry: The id of the entry, as the lookup answered it.
            copies: Copies of outputs, as artifacts with external ids, each in the slot of the
                output that it is a copy of; they are outputs of this execution as well.

        Raises:
            NotFound: There is no such entry.
            InvalidArgument: The entry has no output in the slot of a copy.
        """
        request = cached_request(step, entry, copies)
        response = self._send("RecordCached", request)
        return RecordedHit(
            recorded=RecordedStep.from_message(response.recorded),
            step_artifacts=[StepArtifact.from_message(output) for output in response.outputs],
            original_execution_id=response.original_execution_id,
        )


def cached_request(
    step: StepRecord, entry: int, copies: Sequence[StepArtifact]
) -> pb.RecordCachedRequest:
    """Return a RecordCachedRequest; see `RecordMethods.record_cached`."""
    return pb.RecordCachedRequest(
        step=step.to_message(),
        entry_id=entry,
        copies=[copy.to_message() for copy in copies],
    )


def result_of(message: pb.RecordStepsResponse.Result) -> RecordedStep | errors.LineageError:
    """Return the ids of a recorded step, or the error, from a result of RecordSteps."""
    if not message.HasField("error_code"):
        return RecordedStep.from_message(message.recorded)
    return errors.from_status(message.error_code, message.error_message, message.error_reason)
