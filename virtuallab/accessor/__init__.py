"""``recording.lab``: selection, averages, measures and plots of any recording.

An accessor of every :class:`xarray.Dataset`, which is registered by importing this package;
:func:`virtuallab.open` imports it.

>>> import xarray as xr
>>> import virtuallab.accessor
>>> xr.Dataset().lab  # doctest: +ELLIPSIS
<virtuallab.accessor.recording_accessor.RecordingAccessor object at ...>
"""

from virtuallab.accessor.recording_accessor import ExperimentAccessor, RecordingAccessor

__all__ = ["ExperimentAccessor", "RecordingAccessor"]
