"""Explore recordings: ``recording.lab``, an accessor on every :class:`xarray.Dataset`.

Importing this package is what registers it; :func:`virtuallab.open` does.

>>> import xarray as xr
>>> import virtuallab.accessor
>>> xr.Dataset().lab  # doctest: +ELLIPSIS
<virtuallab.accessor.recording_accessor.Lab object at ...>
"""

from virtuallab.accessor.recording_accessor import Lab

__all__ = ["Lab"]
