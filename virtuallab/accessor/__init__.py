"""``recording.lab``: select, average, measure and plot any recording.

An accessor on every :class:`xarray.Dataset`. Importing this package registers it;
:func:`virtuallab.open` does so.

>>> import xarray as xr
>>> import virtuallab.accessor
>>> xr.Dataset().lab  # doctest: +ELLIPSIS
<virtuallab.accessor.recording_accessor.RecordingAccessor object at ...>
"""

from virtuallab.accessor.recording_accessor import ExperimentAccessor, RecordingAccessor

__all__ = ["ExperimentAccessor", "RecordingAccessor"]
