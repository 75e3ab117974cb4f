"""The questions of an audit, each answered by one call; you get them as `store.audit`."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.audit.answer import Audit
from lineage_store.audit.vocabulary import Role
from lineage_store.client.calls import id_of
from lineage_store.client.notation import NotationMethods, artifact_id_of
from lineage_store.client.transport import RevisionTransport
from lineage_store.client.walks import as_of_message, budget_message, limits_of, microseconds
from lineage_store.entities import Artifact, Context
from lineage_store.lineage.identity import parse_key
from lineage_store.lineage.verdict import Limit
from lineage_store.v1 import audit_pb2 as pb

ArtifactName = Artifact | int | str | Path
"""An artifact, its id, or its name, such as "Model/churn"."""


class AuditOptions(TypedDict, total=False):
    """The options of a question that walks; every one may be left out.

    Attributes:
        as_of: Only over events that had happened by then, by the clock of who recorded them: a
            time with a zone, or a text such as "2026-06-30T12:00+02:00".
        recorded_as_of: As the store had recorded everything by then; the same as to ask
            `store.at(…)`.
        max_nodes: The most nodes to walk.
        timeout: Seconds that the walk may take.
    """

    as_of: datetime | str | None
    recorded_as_of: datetime | str | None
    max_nodes: int | None
    timeout: float | None


class Audits:
    """The questions of an audit on one store.

    Each answers an `Audit`: a conclusion, the findings it rests on, all that is missing, the
    verdict of the walk and the revision that was read. To ask the store as it was, ask it of
    `store.at("2026-06-30T12:00+00:00")`.

    >>> answer = store.audit.independence("Model/churn")
    >>> print(answer)
    UNKNOWN: 1 artifact that trained it and 0 that tested it: the record does not prove …

    An artifact is given as itself, by its id, or by a name of the command line.

    Args:
        transport: Carries the requests.
    """

    def __init__(self, transport: RevisionTransport) -> None:
        self._transport = transport
        self._names = NotationMethods(transport)

    def origins(
        self,
        artifact: ArtifactName,
        roles: Iterable[Role | str] = (),
        **options: Unpack[AuditOptions],
    ) -> Audit:
        """Return the data, code, images and parameters that reached an artifact, and who ran it.

        Args:
            artifact: The artifact, as a rule a model.
            roles: Only data of these roles, such as "TRAINING"; empty: of all.
            **options: See `AuditOptions`.

        Raises:
            NotFound: There is no such artifact, or there was none then.
            InvalidArgument: There is no such role, or an option is not valid.
        """
        request = pb.OriginsRequest(roles=map(str, roles))
        return self._on(artifact, "Origins", request, options)

    def independence(
        self,
        model: ArtifactName,
        tests: Iterable[ArtifactName] = (),
        **options: Unpack[AuditOptions],
    ) -> Audit:
        """Return whether the training data and the test data of a model share content.

        Args:
            model: The model.
            tests: Artifacts that tested it, if the names of inputs and the property `split` do
                not say so.
            **options: See `AuditOptions`.

        Raises:
            NotFound: There is no such artifact, or there was none then.
            InvalidArgument: An option is not valid.
        """
        ids = [artifact_id_of(self._names, test) for test in tests]
        return self._on(
            model, "Independence", pb.IndependenceRequest(test_artifact_ids=ids), options
        )

    def recall(
        self,
        artifact: ArtifactName,
        stages: Iterable[str] = (),
        **options: Unpack[AuditOptions],
    ) -> Audit:
        """Return everything made from an artifact, models first, with their stages.

        Args:
            artifact: The artifact that is bad.
            stages: Only artifacts in these stages, such as "production"; empty: in any.
            **options: See `AuditOptions`.
        """
        return self._on(artifact, "Recall", pb.RecallRequest(stages=stages), options)

    def paths(
        self,
        source: ArtifactName,
        target: ArtifactName,
        *,
        max_paths: int = 10,
        **options: Unpack[AuditOptions],
    ) -> Audit:
        """Return the ways from one artifact to another, event by event."""
        request = pb.PathsRequest(
            source_artifact_id=artifact_id_of(self._names, source),
            target_artifact_id=artifact_id_of(self._names, target),
            max_paths=max_paths,
        )
        return self._ask("Paths", request, options, {Limit.MAX_PATHS})

    def differences(
        self, left: ArtifactName, right: ArtifactName, **options: Unpack[AuditOptions]
    ) -> Audit:
        """Return what differs between two artifacts and all that they were made from."""
        request = pb.DifferencesRequest(
            left_artifact_id=artifact_id_of(self._names, left),
            right_artifact_id=artifact_id_of(self._names, right),
        )
        return self._ask("Differences", request, options)

    def executed_or_cached(self, node: ArtifactName) -> Audit:
        """Return whether an artifact was made by an execution or served from the cache.

        Args:
            node: An artifact; or the name of an execution, such as "execution:7".
        """
        name = node if isinstance(node, str) else ""
        if name.startswith("execution:"):
            key = self._names.find_nodes(name).only(name)
            request = pb.ExecutedOrCachedRequest(execution_id=parse_key(key)[1])
        else:
            artifact_id = artifact_id_of(self._names, node)
            request = pb.ExecutedOrCachedRequest(artifact_id=artifact_id)
        return self._ask("ExecutedOrCached", request, {})

    def rerun_plan(self, artifact: ArtifactName, **options: Unpack[AuditOptions]) -> Audit:
        """Return the steps that make an artifact again, and what they need that is not there."""
        return self._on(artifact, "RerunPlan", pb.RerunPlanRequest(), options)

    def used_by(self, kind: Literal["commit", "image", "library"], value: str) -> Audit:
        """Return the executions that used a commit, an image or a version of a library.

        Args:
            kind: The kind of the value.
            value: A commit or the digest of an image, or 7 of its digits at least; the name of an
                image; a library as "numpy==1.26.4" or "numpy".

        Raises:
            InvalidArgument: The value is none of that kind.
        """
        return self._ask("UsedBy", pb.UsedByRequest(kind=_kind_number(kind), value=value), {})

    def third_party(self, artifact: ArtifactName, **options: Unpack[AuditOptions]) -> Audit:
        """Return what of others an artifact came from, and under which licences."""
        return self._on(artifact, "ThirdParty", pb.ThirdPartyRequest(), options)

    def labels(
        self,
        artifact: ArtifactName,
        labels: Iterable[str] = (),
        **options: Unpack[AuditOptions],
    ) -> Audit:
        """Return the labels, such as "personal", that an artifact inherits from its ancestors.

        Args:
            artifact: The artifact.
            labels: Only labels of these names or values, for a yes or no; empty: all.
            **options: See `AuditOptions`.
        """
        return self._on(artifact, "Labels", pb.LabelsRequest(labels=labels), options)

    def between(
        self, artifact: ArtifactName, after: datetime | str, until: datetime | str
    ) -> Audit:
        """Return everything that was recorded about an artifact after one time and until another.

        Raises:
            NotFound: There is no such artifact.
            InvalidArgument: A time has no zone, or the first is not before the second.
        """
        request = pb.BetweenRequest(
            artifact_id=artifact_id_of(self._names, artifact),
            after_microseconds=microseconds(after, "after"),
            until_microseconds=microseconds(until, "until"),
        )
        return self._ask("Between", request, {})

    def late_records(
        self, *, later_than: float = 3600.0, recorded_after: datetime | str | None = None
    ) -> Audit:
        """Return the events that were recorded long after they had happened.

        Args:
            later_than: Only those recorded so many seconds later.
            recorded_after: Only those recorded after this time.
        """
        if not 0 < later_than < MAX_SECONDS:
            raise errors.InvalidArgument(f"later_than must be positive, not {later_than}")
        request = pb.LateRecordsRequest(later_than_milliseconds=max(1, round(later_than * 1000)))
        if recorded_after is not None:
            request.recorded_after_microseconds = microseconds(recorded_after, "recorded_after")
        return self._ask("LateRecords", request, {})

    def gaps(
        self,
        artifact: ArtifactName | None = None,
        *,
        max_nodes: int | None = None,
        timeout: float | None = None,
    ) -> Audit:
        """Return the places where the record ends too early.

        Args:
            artifact: Only in the lineage upstream of this artifact; None: in the whole store.
            max_nodes: The most nodes of the lineage to look at.
            timeout: Seconds that the walk may take.
        """
        request = pb.GapsRequest()
        if artifact is None:
            return self._ask("Gaps", request, {})
        options = AuditOptions(max_nodes=max_nodes, timeout=timeout)
        return self._on(artifact, "Gaps", request, options)

    def learned_later(
        self,
        artifact: ArtifactName,
        moment: datetime | str,
        *,
        max_nodes: int | None = None,
        timeout: float | None = None,
    ) -> Audit:
        """Return what the store learned after a time about the origins of an artifact by then."""
        request = pb.LearnedLaterRequest(moment_microseconds=microseconds(moment, "moment"))
        options = AuditOptions(max_nodes=max_nodes, timeout=timeout)
        return self._on(artifact, "LearnedLater", request, options)

    def inventory(self, stages: Iterable[str] = ()) -> Audit:
        """Return all models with their stage, owner, risk tier, last validation and next due.

        Args:
            stages: Only models in these stages; empty: in any.
        """
        return self._ask("Inventory", pb.InventoryRequest(stages=stages), {})

    def monitoring(self, model: ArtifactName, **options: Unpack[AuditOptions]) -> Audit:
        """Return the records of quality that came after a model, and the data they compare with."""
        return self._on(model, "Monitoring", pb.MonitoringRequest(), options)

    def counts(self, context: Context | int | None = None) -> Audit:
        """Return the number of nodes and events of each type, in a context or in the store."""
        request = pb.CountsRequest()
        if context is not None:
            request.context_id = id_of(context)
        return self._ask("Counts", request, {})

    def _on(
        self, artifact: ArtifactName, method: str, request: Message, options: AuditOptions
    ) -> Audit:
        """Ask a question about an artifact."""
        message: Any = request
        message.artifact_id = artifact_id_of(self._names, artifact)
        return self._ask(method, message, options)

    def _ask(
        self,
        method: str,
        request: Message,
        options: AuditOptions,
        limits: Iterable[Limit] = (),
    ) -> Audit:
        unknown = options.keys() - AuditOptions.__annotations__.keys()
        if unknown:
            raise TypeError(f"{method} has no option {', '.join(sorted(unknown))}")
        message: Any = request
        max_nodes, timeout = options.get("max_nodes"), options.get("timeout")
        bound = as_of_message(options.get("as_of"), options.get("recorded_as_of"))
        if bound is not None:
            message.as_of.CopyFrom(bound)
        if max_nodes is not None or timeout is not None:
            message.budget.CopyFrom(budget_message(max_nodes, None, timeout))
        response: Any = self._transport.call(method, message)
        of_caller = limits_of(max_nodes=max_nodes, timeout=timeout) | frozenset(limits)
        return Audit.from_message(response.audit, of_caller)


MAX_SECONDS = 1e10
"""Seconds that an event may be late; more are none of this world."""


def _kind_number(kind: str) -> Any:  # noqa: ANN401 - the stubs tell Value as an int
    try:
        return pb.UsedByRequest.Kind.Value(kind.upper())
    except ValueError:
        raise errors.InvalidArgument(
            f"there is no kind {kind!r}; the kinds are commit, image, library"
        ) from None
