"""One attempt at one step of a run."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from lineage_store.cache.keys import Key
from lineage_store.client.cache_answers import Hit, Miss
from lineage_store.client.records import Publication
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities import Artifact, ExecutionState
from lineage_store.entities.tables import html_fields
from lineage_store.entities.values import PropertyValue
from lineage_store.recording.artifacts import (
    DEFAULT_TYPE,
    ArtifactLike,
    as_output,
    as_properties,
    copy_of,
    input_places,
)
from lineage_store.recording.diagnostics import never_raises
from lineage_store.recording.naming import INDEX
from lineage_store.recording.outcomes import ErrorLike, now_ms, outcome_of
from lineage_store.recording.scope import RunScope
from lineage_store.recording.secrets import hide
from lineage_store.recording.step_caching import StepCaching
from lineage_store.recording.step_spec import StepSpec
from lineage_store.recording.timed import Timed
from lineage_store.recording.values import as_number, as_property, clean, named

_enclosing_steps: ContextVar[tuple[str, ...]] = ContextVar("lineage_store_steps", default=())
"""The keys of the steps that this code runs in."""


class Step(Timed):
    """A step that runs; made by `Run.step`, and recorded by `with`, or by `begin` and `end`.

    A step that began in another process can end in this one.

    No method raises because of the store: errors are logged, once per kind.

    Attributes:
        inputs: The artifacts that it reads.
        outputs: The artifacts that it wrote, or those of the hit, in lists by name.
        results: Metrics and other values that it put out, or those of the hit, by name.
        gaps: The parts of the step that could not be recorded; its record says so.
    """

    def __init__(self, scope: RunScope, spec: StepSpec) -> None:
        super().__init__(f"step {spec.name} of run {scope.id}")
        self.inputs: list[StepArtifact] = []
        self.outputs: dict[str, list[Artifact]] = {}
        self.results: dict[str, PropertyValue] = {}
        self._scope = scope
        self._recorder = scope.recorder
        self._spec = spec
        self._skip_reason: str | None = None
        caching = spec.caching
        self._cache = None if caching is None else StepCaching(scope.recorder, spec, caching)
        self._is_recorded = False
        self._recorded_inputs = 0
        self._copies: list[StepArtifact] = []

    def __repr__(self) -> str:
        return f"<step {self.name} of run {self._scope.id}: {self.decision}>"

    def _repr_html_(self) -> str:
        artifacts = {
            "inputs": [place.name for place in self.inputs],
            "outputs": sorted(self.outputs),
        }
        names = {noun: ", ".join(dict.fromkeys(names)) for noun, names in artifacts.items()}
        fields = {"step": self.name, "run": self._scope.id, "decision": self.decision}
        return html_fields({**fields, **names, **self.results})

    @property
    def name(self) -> str:
        """The name of the step."""
        return self._spec.name

    @property
    def key(self) -> str:
        """The external id of the step's execution in the store."""
        return self._spec.key

    @property
    def hit(self) -> Hit | None:
        """The cached outcome of this step, whose body need not run then; None: run it."""
        return None if self._cache is None else self._cache.hit

    @property
    def miss(self) -> Miss | None:
        """The reason why there is no hit, if the store was asked and answered."""
        return None if self._cache is None else self._cache.miss

    @property
    def cache_key(self) -> Key | None:
        """The key of the step and all that goes into it; None: it is not cached."""
        return None if self._cache is None else self._cache.key

    @property
    def decision(self) -> str:
        """The decision of the cache, in one line."""
        return "NOT_CACHED" if self._cache is None else self._cache.decision

    def _activate(self) -> Callable[[], None]:
        token = _enclosing_steps.set((*_enclosing_steps.get(), self.key))
        self.gaps.enter()
        return lambda: _enclosing_steps.reset(token)

    @never_raises(None)
    def begin(self, *, at: int | None = None) -> None:
        """Record that the step has begun, now or at a time in ms since the epoch.

        With `cache`, ask first whether it need not run; then see `hit`.
        """
        self._start_clock(at)
        if self._cache is not None:
            self._cache.watch_inputs()
        self.inputs = input_places(self._recorder, self._spec.inputs, self.gaps)
        if self._cache is not None:
            self._ask(self._cache)
        if self.hit is None:
            self._run_it()
        else:
            self.outputs = dict(self.hit.outputs)
            self.results = dict(self.hit.output_parameters)

    def _run_it(self) -> None:
        self._record(ExecutionState.RUNNING, self._beginning(), inputs=self.inputs)
        self._recorded_inputs, self._is_recorded = len(self.inputs), True
        self._recorder.begin(self)

    @never_raises(None)
    def _ask(self, cache: StepCaching) -> None:
        cache.ask(self.inputs, _enclosing_steps.get())

    @never_raises(None)
    def peek(self) -> Hit | Miss | None:
        """Return the cache's decision now, without beginning the step or claiming its key.

        None: it is not cached, it runs elsewhere, or the store does not answer.
        """
        if self._cache is None:
            return None
        return self._cache.peek(input_places(self._recorder, self._spec.inputs))

    def why_uncached(self) -> str | None:
        """Return the reason why the step has no key; None: it has one, or uses no cache."""
        if self._cache is None:
            return None
        return self._cache.why_uncached(input_places(self._recorder, self._spec.inputs))

    def _beginning(self) -> dict[str, PropertyValue]:
        spec = self._spec
        properties: dict[str, PropertyValue] = {
            **as_properties(spec.properties),
            **named(
                "parameters",
                hide(spec.parameters, spec.secret),
                partial(self.gaps.add, "parameter"),
            ),
            **named("environment", spec.environment, partial(self.gaps.add, "environment value")),
            INDEX: spec.index,
            "attempt_id": spec.attempt,
        }
        if self._started_at:
            properties["started_at"] = self._started_at
        texts = {"version": spec.version, "code_digest": spec.code, "image": spec.image}
        texts["step"] = None if spec.name == spec.type else spec.name
        properties |= {name: as_property(text) for name, text in texts.items() if text is not None}
        if spec.command is not None:
            properties["command"] = as_property(list(spec.command))
        if self._cache is not None:
            properties |= self._cache.properties()
        if self.hit is not None:
            self.gaps.inherit(self.hit.source)
        return properties | self.gaps.properties()

    def _record(
        self,
        state: ExecutionState,
        properties: Mapping[str, PropertyValue],
        *,
        inputs: Sequence[StepArtifact] = (),
        outputs: Sequence[StepArtifact] = (),
        publication: Publication | None = None,
    ) -> None:
        properties = {**properties, **self.gaps.properties()}
        record = self._scope.step_record(
            self._spec, state, properties, inputs, outputs, publication
        )
        if not self.gaps.watch(lambda: self._recorder.record(record, self._scope.common_fields)):
            bare = self._scope.step_record(self._spec, state, self.gaps.properties())
            self._recorder.record(bare, self._scope.common_fields)

    @never_raises(None)
    def _finish_hit(self, hit: Hit, error: ErrorLike | None) -> None:
        """Record that the step was served from the cache, unless it failed all the same."""
        ending = self._beginning() | self._end_properties(error, None)
        ending |= named("outputs", self.results)
        if error is not None:
            self._record(outcome_of(error), ending, inputs=self.inputs)
            return
        record = self._scope.step_record(self._spec, ExecutionState.CACHED, ending, self.inputs)
        self._recorder.record_cached(record, hit.entry_id, self._scope.common_fields, self._copies)

    @never_raises(None)
    def record_copy(self, name: str, path: Path, index: int = 0) -> None:
        """Record that an output of the hit was copied to a path: the copy is an output as well."""
        copy = copy_of(self._recorder, self.outputs[name][index], path)
        self._copies.append(StepArtifact(artifact=copy, name=name, index=index))

    @never_raises(None)
    def input(self, name: str, payload: ArtifactLike | Sequence[ArtifactLike]) -> None:
        """Record an input that is known only while the step runs; no part of its key."""
        count = sum(place.name == name for place in self.inputs)
        for place in input_places(self._recorder, {name: payload}, self.gaps):
            self.inputs.append(replace(place, index=place.index + count))

    def output(
        self,
        name: str,
        payload: ArtifactLike | None = None,
        *,
        uri: str | None = None,
        type: str = DEFAULT_TYPE,  # noqa: A002 - the field of an artifact has this name
        digest: str | None = None,
        version: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Artifact | None:
        """Record an output; return its artifact, which you can pass to the next step.

        Several outputs may have one name; their order distinguishes them.

        Args:
            name: Of the output.
            payload: A file or directory as a Path, which is hashed; or an Artifact.
            uri: Its location, if it is not on this machine.
            type: The type of the artifact.
            digest: Of its content, "sha256:…", if it is known and the payload is no Path.
            version: Of the content at the uri.
            properties: Its other properties.

        Returns:
            None if it can't be recorded, which is logged, and noted in `gaps`.
        """
        name, source = clean(name), payload if payload is not None else uri
        identity = {"digest": digest, "version": version}
        external_id = f"{self.key}#{name}/{len(self.outputs.get(name, ()))}"
        try:
            custom = {k: v for k, v in identity.items() if v is not None} | dict(properties or {})
            artifact = as_output(self._recorder, source, type, custom, external_id)
        except Exception as error:
            self.gaps.add("output", name, error)
            self.dont_publish(f"its output {name} can't be recorded")
            return None
        self.outputs.setdefault(name, []).append(artifact)
        self._recorder.remember(artifact)
        return artifact

    @never_raises(None)
    def metric(self, name: str, value: float) -> None:
        """Record a number that tells how good the outcome is; NaN is one.

        A value that is no number is not recorded, and noted in `gaps`.
        """
        number = as_number(value, partial(self.gaps.add, "metric", name))
        if number is not None:
            self.result(name, number)

    @never_raises(None)
    def result(self, name: str, value: Any) -> None:
        """Record a value that the step put out; a hit has it in `results`."""
        self.results[clean(name)] = as_property(value, partial(self.gaps.add, "result", name))

    def skip(self, why: str) -> None:
        """Record that there was nothing to do: the step ends as CANCELED, and publishes nothing."""
        self._skip_reason = why

    @never_raises(None)
    def heartbeat(self) -> None:
        """Record that the step still runs, with its new inputs; called now and then."""
        start, end = self._recorded_inputs, len(self.inputs)
        self._recorded_inputs = end
        new_inputs = self.inputs[start:end]
        self._record(ExecutionState.RUNNING, {"updated_at": now_ms()}, inputs=new_inputs)

    def _finish(
        self, error: ErrorLike | None, state: ExecutionState | None, at: int | None
    ) -> None:
        if self.hit is None:
            self._finish_run(error, state, at)
        else:
            self._finish_hit(self.hit, error)

    def _finish_run(
        self, error: ErrorLike | None, state: ExecutionState | None, at: int | None
    ) -> None:
        """Record the end of a step that ran."""
        self._recorder.end(self)
        state = state or outcome_of(error)
        ending = self._end_properties(error, at) | named("outputs", self.results)
        if self._skip_reason is not None and error is None:
            state, ending = ExecutionState.CANCELED, ending | {"skip_reason": self._skip_reason}
        is_good = state is ExecutionState.COMPLETE
        outputs = self._output_places()
        publication = self._publication() if is_good else None
        ending |= {} if self._cache is None else self._cache.changes()
        if not self._started_at:  # by this process
            spec_inputs = input_places(self._recorder, self._spec.inputs, self.gaps)
            self.inputs = [*spec_inputs, *self.inputs]
        if not self._is_recorded:
            ending = self._beginning() | ending
        inputs = self.inputs[self._recorded_inputs :]
        self._record(state, ending, inputs=inputs, outputs=outputs, publication=publication)
        if self._cache is not None:
            self._cache.let_go(is_published=is_good)

    def _output_places(self) -> list[StepArtifact]:
        """Return the outputs in their places; the store takes an artifact in one place only."""
        places: dict[int | str | None, StepArtifact] = {}
        for name, several in self.outputs.items():
            for at, artifact in enumerate(several):
                place = StepArtifact(artifact=artifact.id or artifact, name=name, index=at)
                first = places.setdefault(artifact.id or artifact.external_id, place)
                if first is not place:
                    if first.name != name:
                        self.gaps.add("output", name, f"it is the artifact of {first.name}, too")
                    self.dont_publish(f"its outputs {first.name} and {name} are one artifact")
        return list(places.values())

    def _publication(self) -> Publication | None:
        if self._cache is None:
            return None
        try:
            self._cache.check(self.inputs)
        except Exception as error:  # the step has ended whatever is wrong with its inputs
            self._cache.dont_publish(f"its inputs can't be looked at again: {error!r:.200}")
        return self._cache.publication(self.results)

    @never_raises(None)
    def reject_hit(self, why: str) -> None:
        """Run the step after all, although the cache had it; call this before the body runs."""
        if self._cache is not None:
            self._cache.reject(why)
        self.outputs, self.results, self._copies = {}, {}, []
        self._run_it()

    def dont_publish(self, why: str) -> None:
        """Leave the outcome out of the cache, whatever it is."""
        if self._cache is not None:
            self._cache.dont_publish(why)
