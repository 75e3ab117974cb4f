"""What every store holds before it is measured."""

from benchmarks.suite.requests import (
    TYPES,
    Requests,
    chance,
    declared_ids,
    declared_types,
    digest_of,
)
from benchmarks.suite.targets import Target
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

STEPS_OF_RUN, STEPS_OF_FINGERPRINT = 50, 3
LOOSE = 300
"""Artifacts that no step wrote."""


def loose_name(number: int) -> str:
    """Return the name of an artifact that no step wrote."""
    return f"loose-{number % LOOSE}"


class Fixture(Requests):
    """What one store holds.

    Args:
        target: The store, which must be empty.
        steps: How many steps it gets.

    Attributes:
        target: The store.
        artifacts: Ids of artifacts, those that no step wrote first.
        executions: Ids of executions, oldest first.
        runs: Ids of the contexts of runs, oldest first.
        fingerprints: Names of the contexts of cached steps, oldest first.
    """

    def __init__(self, target: Target, steps: int) -> None:
        super().__init__(declared_ids(target.call("PutTypes", declared_types())))
        self.target = target
        self.artifacts: list[int] = []
        self.executions: list[int] = []
        self._put_loose()
        self.fingerprints = [f"fingerprint-{n}" for n in range(steps // STEPS_OF_FINGERPRINT)]
        self._put_steps(len(self.fingerprints) * STEPS_OF_FINGERPRINT)
        self.runs = [self._run_id(f"run-{n}") for n in range(steps // STEPS_OF_RUN)]
        if target.variant.is_ours:
            self._publish()

    def _put_loose(self) -> None:
        request = service.PutArtifactsRequest()
        for number in range(LOOSE):
            request.artifacts.append(self.artifact(loose_name(number), chance("loose", number)))
        self.artifacts += self.target.call("PutArtifacts", request).artifact_ids

    def _put_steps(self, count: int) -> None:
        inputs = list(self.artifacts)
        for number in range(count):
            run = f"run-{number // STEPS_OF_RUN}"
            fingerprint = self.fingerprints[number // STEPS_OF_FINGERPRINT]
            request = self.step(f"seed-{number}", run, inputs, fingerprint)
            answer = self.target.call("PutExecution", request)
            self.executions.append(answer.execution_id)
            self.artifacts += answer.artifact_ids[3:]

    def _run_id(self, name: str) -> int:
        request = service.GetContextByTypeAndNameRequest(type_name=TYPES["run"], context_name=name)
        return int(self.target.call("GetContextByTypeAndName", request).context.id)

    def _publish(self) -> None:
        """Make the newest step of each fingerprint known to our own cache, too."""
        request = cache_pb2.RecordStepsRequest()
        newest = self.executions[STEPS_OF_FINGERPRINT - 1 :: STEPS_OF_FINGERPRINT]
        for execution_id, fingerprint in zip(newest, self.fingerprints, strict=True):
            step = request.steps.add()
            step.execution.id = execution_id
            step.execution.last_known_state = pb.Execution.COMPLETE
            step.cache.digest = digest_of(fingerprint)
        [[answer]] = self.target.answers([[("RecordSteps", request.SerializeToString())]])
        for result in cache_pb2.RecordStepsResponse.FromString(answer).results:
            if result.error_code:
                raise RuntimeError(f"{self.target.name} did not publish: {result.error_message}")
