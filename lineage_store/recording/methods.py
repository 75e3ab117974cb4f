"""The methods of `LineageStore` that record runs."""

import os
import threading
from collections.abc import Mapping

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
        """Set the options of recording; of no effect on runs that have begun."""
        self._recording = options

    def run(
        self,
        name: str,
        *,
        pipeline: str | None = None,
        run_id: str | None = None,
        orchestrator: str = ORCHESTRATOR,
        project: str | None = None,
        properties: Mapping[str, object] | None = None,
    ) -> Run:
        """Return a run of a pipeline, to be begun by `with`; within another run, a part of that.

        A thread of its own sends its records. Nothing in it raises because of the store:
        while that is away, records wait on the local disk.

        Args:
            name: Its name.
            pipeline: The pipeline that it is a run of; None: that of the run it is in, else its
                own name.
            run_id: An id that no other run has; None: the name, the time and a random part.
            orchestrator: The tool that runs it; part of the keys of its steps.
            project: The project of the pipeline; None: that of the run it is in, else none.
            properties: Other properties to record.
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
        """Wait until all records of runs are sent or spooled; False: they are not, in time."""
        return self._recorder is None or self._recorder.flush()

    def _shared_recorder(self) -> Recorder:
        with self._recorder_lock:
            if self._recorder is None:
                self._recorder = Recorder(self.fail_fast_transport, self.url, self._recording)
                if os.getpid() != self.process_id:
                    self._recorder.after_fork()
            return self._recorder

    def close(self) -> None:
        """Send or spool the records of runs, and free the store's resources."""
        if self._recorder is not None:
            self._recorder.close()
        super().close()
