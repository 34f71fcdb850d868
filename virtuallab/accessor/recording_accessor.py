"""The methods of ``recording.lab``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import pandas as pd
import xarray as xr

from virtuallab.accessor import layer_measures, selection, stimulus_averages, tidy, zscore

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Plots need matplotlib and seaborn, a second to import: only who plots waits for them.

P = ParamSpec("P")
R = TypeVar("R")


def _method(function: Callable[Concatenate[xr.Dataset, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return a function of a recording as a method of the accessor, with its documentation."""

    @wraps(function)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(self._recording, *args, **kwargs)

    return method


@xr.register_dataset_accessor("lab")  # type: ignore[no-untyped-call]
class RecordingAccessor:
    """Select from a recording, average it, measure its geometry, and plot it.

    ``recording.lab`` exists on every dataset once virtuallab has opened a store, or after
    ``import virtuallab.accessor``. It takes the recordings of many subjects, or of one (without the
    axis ``subject``), in memory, on disk or in dask arrays. Values on disk are read a few subjects
    at a time. Values that are not finite (a subject that diverged, or of another architecture)
    count as missing. All methods raise :class:`virtuallab.errors.UserError` if the recording lacks
    what they need, or an argument names nothing in it.

    Parameters
    ----------
    recording : xr.Dataset
        ``activity`` with dims ([subject], [visit], stimulus, unit) and the coordinate
        ``unit_layer`` (unit).
    """

    def __init__(self, recording: xr.Dataset) -> None:
        self._recording = recording

    select = _method(selection.select)
    zscore = _method(zscore.zscore)
    tuning = _method(stimulus_averages.tuning)
    trial_average = _method(stimulus_averages.trial_average)
    participation_ratio = _method(layer_measures.participation_ratio)
    rdm = _method(layer_measures.rdm)
    rdm_similarity = _method(layer_measures.rdm_similarity)
    to_frame = _method(tidy.tidy)

    def plot_activity(
        self, *, subject: str | None = None, visit: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Plot one subject's responses at one visit: stimuli by class against units by layer.

        Each unit's responses are z-scored over the stimuli. Grey is missing.

        Parameters
        ----------
        subject : str, optional
            The first that was recorded unless named.
        visit : int, optional
            The last unless given.
        ax : matplotlib.axes.Axes, optional
            Where to plot; a new figure unless given.
        """
        from virtuallab.accessor.plots import heatmaps

        return heatmaps.activity(self._recording, subject=subject, visit=visit, ax=ax)

    def plot_tuning(
        self, *, subject: str | None = None, visit: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Plot one subject's mean responses to each class, units by layer and preferred class.

        Cross-validated: units are ordered by the class that they prefer in one half of the stimuli,
        and their means over the other half are shown. A diagonal is tuning that generalises to
        stimuli not used for ordering; noise gives none. Each unit's means are z-scored over the
        classes. Grey is missing: no second stimulus of a class was shown.

        Parameters
        ----------
        subject, visit, ax
            As in :meth:`plot_activity`.
        """
        from virtuallab.accessor.plots import heatmaps

        return heatmaps.tuning(self._recording, subject=subject, visit=visit, ax=ax)

    def plot_rdm(
        self,
        *,
        subject: str | None = None,
        visits: int | Sequence[int] | None = None,
        metric: str = "correlation",
    ) -> Figure:
        """Plot one subject's dissimilarities, a row for each visit and a column for each layer.

        All panels share one colour scale. Grey is missing.

        Parameters
        ----------
        subject : str, optional
            The first that was recorded unless named.
        visits : int or list of int, optional
            The first and the last unless given.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`. Euclidean distances are shown relative to their layer's largest.
        """
        from virtuallab.accessor.plots import heatmaps

        return heatmaps.rdm(self._recording, subject=subject, visits=visits, metric=metric)

    def plot_drift(self, *, reference: int | None = None, metric: str = "correlation") -> Figure:
        """Plot the similarity of each layer's dissimilarities to those of one visit, over visits.

        Mean over the subjects of each rule, with its 95 % interval by Student's t.

        Parameters
        ----------
        reference : int, optional
            Visit to compare with; the first unless given.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`.
        """
        from virtuallab.accessor.plots import drift

        return drift.draw(self._recording, reference=reference, metric=metric)


@xr.register_datatree_accessor("lab")  # type: ignore[no-untyped-call]
class ExperimentAccessor:
    """``tree.lab``: the results of an experiment as a table.

    Parameters
    ----------
    tree : xr.DataTree
        As :func:`virtuallab.open` returns it.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        self._tree = tree

    def to_frame(self) -> pd.DataFrame:
        """Return the results of all analyses, as :func:`virtuallab.accessor.tidy.tidy_analyses`."""
        return tidy.tidy_analyses(self._tree)
