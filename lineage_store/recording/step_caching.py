"""One step's use of the cache: the decision before it runs, and the publication after."""

from collections.abc import Collection, Mapping, Sequence

from lineage_store.cache.keys import Key
from lineage_store.client.cache_answers import Claim, Hit, Miss
from lineage_store.client.records import Publication
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities.values import PropertyValue
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.diagnostics import warn_once
from lineage_store.recording.input_watch import InputWatch
from lineage_store.recording.lookups import decide, key_of
from lineage_store.recording.naming import CACHE_DECISION, CACHE_KEY, REFRESH
from lineage_store.recording.options import Caching
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.step_spec import StepSpec


class StepCaching:
    """Asks the cache about one step, and publishes its outcome.

    Attributes:
        hit: The cached outcome of the step; None: it runs.
        miss: The reason why there is none, if the store was asked and answered.
        key: The cache key: the step and all that goes into it; None: it is not cached.

    Args:
        recorder: Asks the store.
        description: The step.
        caching: The options of the cache.
    """

    def __init__(self, recorder: Recorder, spec: StepSpec, caching: Caching) -> None:
        self.hit: Hit | None = None
        self.miss: Miss | None = None
        self.key: Key | None = None
        self._recorder = recorder
        self._spec = spec
        self._caching = caching
        self._claim: Claim | None = None
        self._reason: str | None = None
        self._watch: InputWatch | None = None
        self._files: tuple[WatchedFile, ...] = ()
        self._inputs: list[StepArtifact] = []

    def watch_inputs(self) -> None:
        """Remember the states of the input files, before they are hashed."""
        self._watch = InputWatch(self._spec)

    def ask(self, inputs: Sequence[StepArtifact], enclosing: Collection[str]) -> None:
        """Ask the cache; hold the claim if it is a miss.

        Args:
            inputs: The inputs of the step.
            enclosing: The keys of the steps that it runs in.
        """
        self._reason = "NOT_CACHED: its key can't be made"
        key_or_reason = key_of(self._spec, inputs, self._caching)
        if isinstance(key_or_reason, str):
            self._refuse(key_or_reason)
            return
        self._reason = REFRESH if self._caching.refresh else None
        self.key, self._files, self._inputs = key_or_reason.key, key_or_reason.files, list(inputs)
        holder = self._spec.key
        decision = decide(self._recorder, self.key, holder, self._caching, enclosing)
        self._claim, self.miss, self.hit = decision.claim, decision.miss, decision.hit

    def peek(self, inputs: Sequence[StepArtifact]) -> Hit | Miss | None:
        """Return the present decision of the cache, without a claim; None: there is none."""
        if self._recorder.is_child or self._caching.refresh:
            return None
        key_or_reason = key_of(self._spec, inputs, self._caching)
        return (
            None
            if isinstance(key_or_reason, str)
            else self._recorder.decisions.peek(key_or_reason.key, self._caching)
        )

    def why_uncached(self, inputs: Sequence[StepArtifact]) -> str | None:
        """Return the reason why the step has no key; None: it has one."""
        key_or_reason = key_of(self._spec, inputs, self._caching)
        return key_or_reason if isinstance(key_or_reason, str) else None

    @property
    def decision(self) -> str:
        """The decision of the cache, in one line."""
        if self.hit is not None:
            return f"HIT: from execution {self.hit.original_execution_id}"
        if self._reason is not None:
            return self._reason
        if self.miss is not None:
            return f"{self.miss.reason}: {self.miss.detail}".rstrip(": ")
        return "NO_DECISION" if self.key is not None else "NOT_CACHED"

    def properties(self) -> dict[str, PropertyValue]:
        """Return the properties to record when the step begins."""
        properties: dict[str, PropertyValue] = {CACHE_DECISION: self.decision}
        return properties if self.key is None else {**properties, CACHE_KEY: self.key.hex}

    def changes(self) -> dict[str, PropertyValue]:
        """Return the properties to record when the step ends: a reason to run that came later."""
        return {} if self._reason is None else {CACHE_DECISION: self._reason}

    def reject(self, why: str) -> None:
        """Do not use the hit: the step runs."""
        name = self._spec.name
        warn_once(f"{name} {why}", "the hit of the step %s is not used: %s", name, why)
        self.hit, self._reason = None, f"REJECTED: {why}"

    def dont_publish(self, why: str) -> None:
        """Leave the outcome out of the cache, whatever it is."""
        if self.key is not None:
            self._refuse(why)
        self.key = None

    def _refuse(self, why: str) -> None:
        name = self._spec.name
        warn_once(f"{name} {why}", "the step %s is not cached: %s", name, why)
        self._reason = f"NOT_CACHED: {why}"

    def check(self, inputs: Sequence[StepArtifact]) -> None:
        """Leave the outcome out of the cache if anything in the key has changed since."""
        if self._watch is None or self.key is None:
            return
        changed = self._watch.changed(inputs, self._files)
        if changed is not None:
            self.dont_publish(f"its {changed} changed while it ran")
        elif self._has_another_key():
            self.dont_publish("it changed its parameters, which a hit would not do")

    def _has_another_key(self) -> bool:
        key_or_reason = key_of(self._spec, self._inputs, self._caching)
        return isinstance(key_or_reason, str) or key_or_reason.key != self.key

    def publication(self, results: Mapping[str, PropertyValue]) -> Publication | None:
        """Return the entry of the outcome; None: it has none."""
        if self.key is None:
            return None
        return Publication(
            key=self.key,
            scope=self._caching.scope,
            output_parameters=results,
            claim=self._claim,
            time_to_live=self._caching.time_to_live,
        )

    def let_go(self, *, is_published: bool) -> None:
        """Let go of the claim: the outcome is published, or others may run the same."""
        if self._claim is None:
            return
        if is_published and self.key is not None:
            self._recorder.claims.drop(self._claim)
        else:
            self._recorder.claims.give_up(self._claim)
            self._recorder.wake()
