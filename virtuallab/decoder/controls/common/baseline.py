"""Comparison of a recording with a baseline that needs no recording."""

from __future__ import annotations

from virtuallab.decoder.controls.common.control import ControlResult
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.task import DecodingTask
from virtuallab.decoder.uncertainty.comparison import difference
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval


def compared_with_baseline(name: str, task: DecodingTask, baseline: Samples) -> ControlResult:
    """Result of a baseline that the recording must be better than, in the same subjects.

    Both choose their settings in the same way and in the same draws of the folds. The baseline has
    one sample a subject.
    """
    recording = task.solved()
    result = task.decode_settings(baseline, select=True, draws=task.analysis.repeats)
    mean, low, high = difference(
        recording.correct,
        result.correct,
        task.labels,
        task.confidence,
        repeats=task.analysis.repeats,
        pairs=task.samples.pairs,
    )
    bounds = interval(
        result.confusion,
        task.confidence,
        repeats=task.analysis.repeats,
        effect=result.pair_effect,
    )
    return ControlResult(
        name=name,
        kind="beat",
        accuracy=balanced_accuracy(result.confusion),
        low=bounds[0],
        high=bounds[1],
        passed=low > 0,
        n_subjects=len(task.labels),
        note=f"accuracy of the recording minus this one: {mean:+.2f} [{low:+.2f}, {high:+.2f}]",
        difference=(mean, low, high),
    )
