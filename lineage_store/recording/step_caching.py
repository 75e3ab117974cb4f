"""How one step uses the cache: what it is told before it runs, and what it may publish after."""

from collections.abc import Collection, Mapping, Sequence

from lineage_store.cache.keys import Key
from lineage_store.client.cache_answers import Claim, Hit, Miss
from lineage_store.client.records import Publication
from lineage_store.client.step_artifacts import StepArtifact
from lineage_store.entities.values import PropertyValue
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.diagnostics import complain
from lineage_store.recording.input_watch import InputWatch
from lineage_store.recording.lookups import decide, key_of
from lineage_store.recording.naming import CACHE_DECISION, CACHE_KEY, REFRESH
from lineage_store.recording.options import Caching
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.step_spec import StepDescription


class StepCaching:
    """The dealings of one step with the cache.

    Attributes:
        hit: What the cache has of the step; None: it runs.
        miss: Why not, if the store was asked and answered.
        key: What stands for the step and all that goes into it; None: it is not cached.

    Args:
        recorder: Asks the store.
        description: The step.
        caching: How it uses the cache.
    """

    def __init__(self, recorder: Recorder, description: StepDescription, caching: Caching) -> None:
        self.hit: Hit | None = None
        self.miss: Miss | None = None
        self.key: Key | None = None
        self._recorder = recorder
        self._description = description
        self._caching = caching
        self._claim: Claim | None = None
        self._reason: str | None = None
        self._watch: InputWatch | None = None
        self._files: tuple[WatchedFile, ...] = ()
        self._inputs: list[StepArtifact] = []

    def watch_inputs(self) -> None:
        """Remember what the input files are like, before they are hashed."""
        self._watch = InputWatch(self._description)

    def ask(self, inputs: Sequence[StepArtifact], around: Collection[str]) -> None:
        """Ask the cache; hold the claim if it is a miss.

        Args:
            inputs: What the step reads.
            around: The keys of the steps that it runs in.
        """
        self._reason = "NOT_CACHED: its key can't be made"
        made = key_of(self._description, inputs, self._caching)
        if isinstance(made, str):
            self._refuse(made)
            return
        self._reason = REFRESH if self._caching.refresh else None
        self.key, self._files, self._inputs = made.key, made.files, list(inputs)
        holder = self._description.key
        decision = decide(self._recorder, self.key, holder, self._caching, around)
        self._claim, self.miss, self.hit = decision.claim, decision.miss, decision.hit

    def peek(self, inputs: Sequence[StepArtifact]) -> Hit | Miss | None:
        """Return what the cache says now, without a claim; None: nothing, or it is not asked."""
        if self._recorder.is_child or self._caching.refresh:
            return None
        made = key_of(self._description, inputs, self._caching)
        return (
            None
            if isinstance(made, str)
            else self._recorder.decisions.peek(made.key, self._caching)
        )

    def why_uncached(self, inputs: Sequence[StepArtifact]) -> str | None:
        """Return why the step has no key; None: it has one."""
        made = key_of(self._description, inputs, self._caching)
        return made if isinstance(made, str) else None

    @property
    def decision(self) -> str:
        """One line on what the cache said."""
        if self.hit is not None:
            return f"HIT: from execution {self.hit.original_execution_id}"
        if self._reason is not None:
            return self._reason
        if self.miss is not None:
            return f"{self.miss.reason}: {self.miss.detail}".rstrip(": ")
        return "NO_DECISION" if self.key is not None else "NOT_CACHED"

    def properties(self) -> dict[str, PropertyValue]:
        """Return what is recorded of it when the step begins."""
        known: dict[str, PropertyValue] = {CACHE_DECISION: self.decision}
        return known if self.key is None else {**known, CACHE_KEY: self.key.hex}

    def changes(self) -> dict[str, PropertyValue]:
        """Return what is recorded of it when the step ends: a reason to run that came later."""
        return {} if self._reason is None else {CACHE_DECISION: self._reason}

    def reject(self, why: str) -> None:
        """Leave the hit alone: the step runs."""
        name = self._description.name
        complain(f"{name} {why}", "the hit of the step %s is not used: %s", name, why)
        self.hit, self._reason = None, f"REJECTED: {why}"

    def dont_publish(self, why: str) -> None:
        """Leave the outcome out of the cache, whatever it is."""
        if self.key is not None:
            self._refuse(why)
        self.key = None

    def _refuse(self, why: str) -> None:
        name = self._description.name
        complain(f"{name} {why}", "the step %s is not cached: %s", name, why)
        self._reason = f"NOT_CACHED: {why}"

    def check(self, inputs: Sequence[StepArtifact]) -> None:
        """Leave the outcome out of the cache if what the key was made of has changed since."""
        if self._watch is None or self.key is None:
            return
        changed = self._watch.changed(inputs, self._files)
        if changed is not None:
            self.dont_publish(f"its {changed} changed while it ran")
        elif self._has_another_key():
            self.dont_publish("it changed its parameters, which a hit would not do")

    def _has_another_key(self) -> bool:
        made = key_of(self._description, self._inputs, self._caching)
        return isinstance(made, str) or made.key != self.key

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
