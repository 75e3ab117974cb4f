"""Runs: what `LineageStore` offers to record them."""

import os
import threading
from collections.abc import Mapping
from typing import Any

from lineage_store.client.store import ClientStore
from lineage_store.recording.options import RecordingOptions
from lineage_store.recording.recorder import Recorder
from lineage_store.recording.runs import ORCHESTRATOR, Run, current_run


class RecordingMethods(ClientStore):
    """Record runs of pipelines, never in their way."""

    _recorder: Recorder | None = None
    _recording = RecordingOptions()
    _recorder_lock = threading.Lock()

    def set_recording(self, options: RecordingOptions) -> None:
        """Say how runs are recorded; of no effect on runs that have begun."""
        self._recording = options

    def run(
        self,
        name: str,
        *,
        pipeline: str | None = None,
        run_id: str | None = None,
        orchestrator: str = ORCHESTRATOR,
        project: str | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> Run:
        """Return a run of a pipeline, to be begun by `with`; within another run, a part of that.

        What it records is sent by a thread of its own. Nothing in it raises because of the store:
        while that is away, records wait on the local disk.

        Args:
            name: What it is called.
            pipeline: The pipeline that it is a run of; None: that of the run it is in, else its
                own name.
            run_id: What tells it from all other runs; None: the name, the time and a random part.
            orchestrator: Who runs it; part of the keys of its steps.
            project: What the pipeline belongs to; None: that of the run it is in, else nothing.
            properties: What else is recorded of it.
        """
        recorder = self._shared_recorder()
        outer = current_run()
        is_inner = outer is not None and outer.recorder is recorder
        return Run(
            recorder,
            name,
            pipeline=pipeline,
            run_id=run_id,
            parent=outer if is_inner else None,
            orchestrator=orchestrator,
            project=project,
            properties=properties,
        )

    def flush_recording(self) -> bool:
        """Return when all that runs recorded is sent or spooled; False: it is not, in time."""
        return self._recorder is None or self._recorder.flush()

    def _shared_recorder(self) -> Recorder:
        with self._recorder_lock:
            if self._recorder is None:
                self._recorder = Recorder(self.hasty_transport, self.url, self._recording)
                if os.getpid() != self.process_id:
                    self._recorder.after_fork()
            return self._recorder

    def close(self) -> None:
        """Send or spool what runs recorded, and free what the store holds."""
        if self._recorder is not None:
            self._recorder.close()
        super().close()
