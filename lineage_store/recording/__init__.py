"""Runs and steps of plain Python programs, recorded without being in their way.

`LineageStore.run` begins a run, `Run.step` a step in it, and `step` makes a function one.
"""

from lineage_store.recording.functions import StepFunction, step
from lineage_store.recording.options import Caching, RecordingOptions
from lineage_store.recording.runs import Run, current_run
from lineage_store.recording.steps import Step

__all__ = [
    "Caching",
    "RecordingOptions",
    "Run",
    "Step",
    "StepFunction",
    "current_run",
    "step",
]
