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

# Plots import matplotlib and seaborn, which takes a second, when they are called.

P = ParamSpec("P")
R = TypeVar("R")


def _method(function: Callable[Concatenate[xr.Dataset, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Return a method of the accessor that calls a function of a recording."""

    @wraps(function)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(self._recording, *args, **kwargs)

    return method


@xr.register_dataset_accessor("lab")  # type: ignore[no-untyped-call]
class RecordingAccessor:
    """Methods that select from a recording, average it, measure its geometry, and plot it.

    ``recording.lab`` exists on every dataset once virtuallab has opened a store, or after
    ``import virtuallab.accessor``. Recordings may be of many subjects or of one (without the axis
    ``subject``), in memory, on disk or in dask arrays. Values on disk are read a few subjects at a
    time. Values that are not finite (a subject that diverged, or of another architecture) count as
    missing. All methods raise :class:`virtuallab.errors.UserError` if the recording lacks a
    variable that they need, or does not have what an argument names.

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

        Each unit's responses are z-scored over the stimuli. Missing values are grey.

        Parameters
        ----------
        subject : str, optional
            Name of the subject; by default the first that was recorded.
        visit : int, optional
            By default the last.
        ax : matplotlib.axes.Axes, optional
            Axes to plot into; by default those of a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from virtuallab.accessor.plots import heatmaps

        return heatmaps.activity(self._recording, subject=subject, visit=visit, ax=ax)

    def plot_tuning(
        self, *, subject: str | None = None, visit: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Plot one subject's mean responses to each class, units by layer and preferred class.

        Cross-validated: units are ordered by their preferred class in one half of the stimuli, and
        their means over the other half are shown. A diagonal shows tuning that generalises to
        stimuli not used for the order; noise does not give one. Each unit's means are z-scored over
        the classes. Means are missing, in grey, if only one stimulus of a class was shown.

        Parameters
        ----------
        subject : str, optional
            As in :meth:`plot_activity`.
        visit : int, optional
            As in :meth:`plot_activity`.
        ax : matplotlib.axes.Axes, optional
            As in :meth:`plot_activity`.

        Returns
        -------
        matplotlib.axes.Axes
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

        All panels share one colour scale. Missing values are grey.

        Parameters
        ----------
        subject : str, optional
            Name of the subject; by default the first that was recorded.
        visits : int or list of int, optional
            By default the first and the last.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`. Euclidean distances are divided by the largest of their layer.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from virtuallab.accessor.plots import heatmaps

        return heatmaps.rdm(self._recording, subject=subject, visits=visits, metric=metric)

    def plot_drift(self, *, reference: int | None = None, metric: str = "correlation") -> Figure:
        """Plot the similarity of each layer's dissimilarities to those of one visit, over visits.

        Curves are means over the subjects of each rule, with 95 % intervals by Student's t.

        Parameters
        ----------
        reference : int, optional
            Visit to compare with; by default the first.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`.

        Returns
        -------
        matplotlib.figure.Figure
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
