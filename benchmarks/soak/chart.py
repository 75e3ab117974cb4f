"""The chart of a soak: latencies, memory and threads over time, with the planned restarts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from benchmarks.suite.charts import MARK, OURS, THEIRS

WINDOW_SECONDS = 10.0
MIB = 1024 * 1024


def draw(
    path: Path,
    latencies: Sequence[tuple[float, float]],
    samples: Sequence[tuple[float, int, int]],
    stops: Sequence[tuple[float, float]],
) -> None:
    """Write an SVG.

    Args:
        path: The file.
        latencies: Of the readers: when each call ended, and its seconds.
        samples: Of the server: time, resident bytes and threads.
        stops: When each planned stop began, and its seconds.
    """
    start = samples[0][0]
    figure, (slow, memory, threads) = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    for share, colour in ((0.5, OURS), (0.99, THEIRS)):
        slow.plot(*_windows(latencies, start, share), color=colour, label=f"p{share * 100:g}")
    slow.set(ylabel="readers, ms", ylim=(0, None))
    slow.legend(frameon=False, loc="upper left")
    minutes = [(at - start) / 60 for at, _, _ in samples]
    memory.plot(minutes, [size / MIB for _, size, _ in samples], color=OURS)
    memory.set(ylabel="memory, MiB", ylim=(0, None))
    threads.plot(minutes, [count for _, _, count in samples], color=OURS)
    threads.set(ylabel="threads", xlabel="minutes; dotted: planned restarts", ylim=(0, None))
    for axes in (slow, memory, threads):
        for at, _ in stops:
            axes.axvline((at - start) / 60, color=MARK, linewidth=0.8, linestyle=":")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _windows(
    latencies: Sequence[tuple[float, float]], start: float, share: float
) -> tuple[list[float], list[Any]]:
    """Return the minutes of windows, and how many ms that share of their calls took at most."""
    windows: dict[int, list[float]] = {}
    for at, seconds in latencies:
        windows.setdefault(int((at - start) / WINDOW_SECONDS), []).append(seconds)
    places = sorted(windows)
    taken = [sorted(windows[place])[int(share * (len(windows[place]) - 1))] for place in places]
    return [place * WINDOW_SECONDS / 60 for place in places], [s * 1000 for s in taken]
