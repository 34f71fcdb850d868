"""Explore recordings: ``recording.lab``, an accessor on every :class:`xarray.Dataset`.

Importing this package is what registers it; :func:`virtuallab.open` does.

>>> import xarray as xr
>>> import virtuallab.explore
>>> xr.Dataset().lab  # doctest: +ELLIPSIS
<virtuallab.explore.accessor.Lab object at ...>
"""

from virtuallab.explore.accessor import Lab

__all__ = ["Lab"]
