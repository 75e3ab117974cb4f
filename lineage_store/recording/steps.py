"""One attempt at one step of a run."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lineage_store.cache.keys import Key
from lineage_store.client.cache_answers import Hit, Miss
from lineage_store.client.records import Publication
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.entities.values import PropertyValue
from lineage_store.recording.artifacts import (
    DEFAULT_TYPE,
    Given,
    as_output,
    as_properties,
    copy_of,
    input_places,
)
from lineage_store.recording.diagnostics import complain, harmless
from lineage_store.recording.gaps import Gaps
from lineage_store.recording.naming import INDEX
from lineage_store.recording.outcomes import (
    Fault,
    begun,
    error_properties,
    now_ms,
    outcome_of,
    times,
)
from lineage_store.recording.secrets import hide
from lineage_store.recording.step_caching import StepCaching
from lineage_store.recording.step_spec import StepDescription
from lineage_store.recording.values import as_number, as_property, clean, named

if TYPE_CHECKING:
    from lineage_store.recording.runs import Run

_around: ContextVar[tuple[str, ...]] = ContextVar("lineage_store_steps", default=())
"""The keys of the steps that this code runs in."""


class Step:
    """A step that runs; made by `Run.step`, and recorded by `with`, or by `begin` and `end`.

    What was begun in another process can be ended in this one.

    No method raises because of the store: what goes wrong is logged, once per kind.

    Attributes:
        inputs: The artifacts that it reads.
        outputs: The artifacts that it wrote, or those of the hit, in lists by name.
        results: Metrics and other values that it put out, or those of the hit, by name.
        gaps: What of the step could not be recorded; it is recorded that something is missing.
    """

    def __init__(self, run: "Run", description: StepDescription) -> None:
        self.inputs: list[StepArtifact] = []
        self.outputs: dict[str, list[Artifact]] = {}
        self.results: dict[str, PropertyValue] = {}
        self.gaps = Gaps(f"step {description.name} of run {run.id}", complain)
        self._run = run
        self._recorder = run.recorder
        self._described = description
        self._skipped: str | None = None
        caching = description.caching
        self._cache = None if caching is None else StepCaching(run.recorder, description, caching)
        self._is_told = False
        self._started = 0
        self._ticks = 0.0
        self._told_inputs = 0
        self._copies: list[StepArtifact] = []
        self._token: Token[tuple[str, ...]] | None = None

    @property
    def name(self) -> str:
        """The name of the step."""
        return self._described.name

    @property
    def key(self) -> str:
        """What the step is called in the store: the external id of its execution."""
        return self._described.key

    @property
    def hit(self) -> Hit | None:
        """What the cache has of this step, whose body need not run then; None: run it."""
        return None if self._cache is None else self._cache.hit

    @property
    def miss(self) -> Miss | None:
        """Why there is no hit, if the store was asked and answered."""
        return None if self._cache is None else self._cache.miss

    @property
    def cache_key(self) -> Key | None:
        """What stands for the step and all that goes into it; None: it is not cached."""
        return None if self._cache is None else self._cache.key

    @property
    def decision(self) -> str:
        """One line on what the cache said."""
        return "NOT_CACHED" if self._cache is None else self._cache.decision

    def __enter__(self) -> Self:
        self.begin()
        self._token = _around.set((*_around.get(), self.key))
        self.gaps.enter()
        return self

    @harmless(None)
    def begin(self, *, at: int | None = None) -> None:
        """Record that the step has begun, now or at a time in ms since the epoch.

        With `cache`, ask first whether it need not run; then see `hit`.
        """
        self._started, self._ticks = begun(at)
        if self._cache is not None:
            self._cache.watch_inputs()
        self.inputs = input_places(self._recorder, self._described.inputs, self.gaps)
        if self._cache is not None:
            self._ask(self._cache)
        if self.hit is None:
            self._run_it()
        else:
            self.outputs = dict(self.hit.outputs)
            self.results = dict(self.hit.output_parameters)

    def _run_it(self) -> None:
        self._record(ExecutionState.RUNNING, self._beginning(), inputs=self.inputs)
        self._told_inputs, self._is_told = len(self.inputs), True
        self._recorder.begin(self)

    @harmless(None)
    def _ask(self, cache: StepCaching) -> None:
        cache.ask(self.inputs, _around.get())

    @harmless(None)
    def peek(self) -> Hit | Miss | None:
        """Return what the cache says of the step now, without beginning it or claiming its key.

        None: it is not cached, it runs elsewhere, or the store does not answer.
        """
        if self._cache is None:
            return None
        return self._cache.peek(input_places(self._recorder, self._described.inputs))

    def why_uncached(self) -> str | None:
        """Return why the step has no key; None: it has one, or does not use the cache."""
        if self._cache is None:
            return None
        return self._cache.why_uncached(input_places(self._recorder, self._described.inputs))

    def _beginning(self) -> dict[str, PropertyValue]:
        known = self._described
        found: dict[str, PropertyValue] = {
            **as_properties(known.properties),
            **named(
                "parameters",
                hide(known.parameters, known.secret),
                partial(self.gaps.add, "parameter"),
            ),
            **named("environment", known.environment, partial(self.gaps.add, "environment value")),
            INDEX: known.index,
            "attempt_id": known.attempt,
        }
        if self._started:
            found["started_at"] = self._started
        texts = {"version": known.version, "code_digest": known.code, "image": known.image}
        texts["step"] = None if known.name == known.type else known.name
        found |= {name: as_property(text) for name, text in texts.items() if text is not None}
        if known.command is not None:
            found["command"] = as_property(list(known.command))
        if self._cache is not None:
            found |= self._cache.properties()
        if self.hit is not None:
            self.gaps.inherit(self.hit.source)
        return found | self.gaps.properties()

    def _record(
        self,
        state: ExecutionState,
        properties: Mapping[str, PropertyValue],
        *,
        inputs: Sequence[StepArtifact] = (),
        outputs: Sequence[StepArtifact] = (),
        publication: Publication | None = None,
    ) -> None:
        known = {**properties, **self.gaps.properties()}
        record = self._run.record_of(self._described, state, known, inputs, outputs, publication)
        if not self.gaps.watch(lambda: self._recorder.record(record, self._run.surroundings)):
            bare = self._run.record_of(self._described, state, self.gaps.properties())
            self._recorder.record(bare, self._run.surroundings)

    @harmless(None)
    def _finish_hit(self, hit: Hit, error: Fault | None) -> None:
        """Record that the step was served from the cache, unless it failed all the same."""
        ending = self._beginning() | times(self._started, self._ticks, None)
        ending |= named("outputs", self.results)
        if error is not None:
            ending |= error_properties(error)
            self._record(outcome_of(error), ending, inputs=self.inputs)
            return
        record = self._run.record_of(self._described, ExecutionState.CACHED, ending, self.inputs)
        self._recorder.record_cached(record, hit.entry_id, self._run.surroundings, self._copies)

    @harmless(None)
    def record_copy(self, name: str, path: Path, index: int = 0) -> None:
        """Say that an output of the hit was copied to a path: the copy is an output as well."""
        copy = copy_of(self._recorder, self.outputs[name][index], path)
        self._copies.append(StepArtifact(artifact=copy, name=name, index=index))

    @harmless(None)
    def input(self, name: str, given: Given | Sequence[Given]) -> None:
        """Say what the step reads, where that is known only while it runs; no part of its key."""
        known = sum(place.name == name for place in self.inputs)
        for place in input_places(self._recorder, {name: given}, self.gaps):
            self.inputs.append(replace(place, index=place.index + known))

    def output(
        self,
        name: str,
        payload: Given | None = None,
        *,
        uri: str | None = None,
        type: str = DEFAULT_TYPE,  # noqa: A002 - the field of an artifact has this name
        digest: str | None = None,
        version: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Artifact | None:
        """Say what the step wrote; return the artifact, to be given to the next step.

        Several outputs may have one name; they are told apart by their order.

        Args:
            name: Of the output.
            payload: A file or directory as a Path, which is hashed; or an Artifact.
            uri: Where it is, if it is not on this machine.
            type: The type of the artifact.
            digest: Of its content, "sha256:…", if it is known and the payload is no Path.
            version: Of what is at the uri.
            properties: What else is known of it.

        Returns:
            None if it can't be recorded, which is logged, and noted in `gaps`.
        """
        name, given = clean(name), payload if payload is not None else uri
        known = {"digest": digest, "version": version}
        place = f"{self.key}#{name}/{len(self.outputs.get(name, ()))}"
        try:
            more = {k: v for k, v in known.items() if v is not None} | dict(properties or {})
            artifact = as_output(self._recorder, given, type, more, place)
        except Exception as error:
            self.gaps.add("output", name, error)
            self.dont_publish(f"its output {name} can't be recorded")
            return None
        self.outputs.setdefault(name, []).append(artifact)
        self._recorder.remember(artifact)
        return artifact

    @harmless(None)
    def metric(self, name: str, value: float) -> None:
        """Record a number that tells how good the outcome is; NaN is one.

        What is no number is not recorded, and noted in `gaps`.
        """
        number = as_number(value, partial(self.gaps.add, "metric", name))
        if number is not None:
            self.result(name, number)

    @harmless(None)
    def result(self, name: str, value: Any) -> None:
        """Record a value that the step put out; a hit has it in `results`."""
        self.results[clean(name)] = as_property(value, partial(self.gaps.add, "result", name))

    def skip(self, why: str) -> None:
        """Say that there was nothing to do: the step ends as CANCELED, and publishes nothing."""
        self._skipped = why

    @harmless(None)
    def beat(self) -> None:
        """Record that the step still runs, and what it has read; called now and then."""
        told, known = self._told_inputs, len(self.inputs)
        self._told_inputs = known
        untold = self.inputs[told:known]
        self._record(ExecutionState.RUNNING, {"updated_at": now_ms()}, inputs=untold)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with suppress(ValueError):  # a generator that is closed in another context
                _around.reset(self._token)
            self._token = None
        self.end(error)
        self.gaps.leave()

    @harmless(None)
    def end(
        self,
        error: Fault | None = None,
        *,
        state: ExecutionState | None = None,
        at: int | None = None,
    ) -> None:
        """Record that the step has ended, and what it wrote.

        Args:
            error: What it failed with.
            state: How it ended; None: COMPLETE, or by the error FAILED or CANCELED.
            at: When, in ms since the epoch; None: now.
        """
        if self.hit is None:
            self._finish(error, state, at)
        else:
            self._finish_hit(self.hit, error)

    def _finish(self, error: Fault | None, state: ExecutionState | None, at: int | None) -> None:
        self._recorder.end(self)
        state = state or outcome_of(error)
        ending = times(self._started, self._ticks, at)
        ending |= error_properties(error) | named("outputs", self.results)
        if self._skipped is not None and error is None:
            state, ending = ExecutionState.CANCELED, ending | {"skip_reason": self._skipped}
        is_good = state is ExecutionState.COMPLETE
        outputs = self._output_places()
        publication = self._publication() if is_good else None
        ending |= {} if self._cache is None else self._cache.changes()
        if not self._started:  # by this process
            known = input_places(self._recorder, self._described.inputs, self.gaps)
            self.inputs = [*known, *self.inputs]
        if not self._is_told:
            ending = self._beginning() | ending
        inputs = self.inputs[self._told_inputs :]
        self._record(state, ending, inputs=inputs, outputs=outputs, publication=publication)
        if self._cache is not None:
            self._cache.let_go(is_published=is_good)

    def _output_places(self) -> list[StepArtifact]:
        """Return the outputs in their places; the store takes an artifact in one place only."""
        places: dict[int | str | None, StepArtifact] = {}
        for name, several in self.outputs.items():
            for at, artifact in enumerate(several):
                place = StepArtifact(artifact=artifact.id or artifact, name=name, index=at)
                known = places.setdefault(artifact.id or artifact.external_id, place)
                if known is not place:
                    if known.name != name:
                        self.gaps.add("output", name, f"it is the artifact of {known.name}, too")
                    self.dont_publish(f"its outputs {known.name} and {name} are one artifact")
        return list(places.values())

    def _publication(self) -> Publication | None:
        if self._cache is None:
            return None
        try:
            self._cache.check(self.inputs)
        except Exception as error:  # the step has ended whatever is wrong with its inputs
            self._cache.dont_publish(f"its inputs can't be looked at again: {error!r:.200}")
        return self._cache.publication(self.results)

    @harmless(None)
    def reject_hit(self, why: str) -> None:
        """Run the step after all, although the cache had it; to be said before the body runs."""
        if self._cache is not None:
            self._cache.reject(why)
        self.outputs, self.results, self._copies = {}, {}, []
        self._run_it()

    def dont_publish(self, why: str) -> None:
        """Leave the outcome out of the cache, whatever it is."""
        if self._cache is not None:
            self._cache.dont_publish(why)
