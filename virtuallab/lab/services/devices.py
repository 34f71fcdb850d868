"""Names of the devices on which subjects are trained."""

from __future__ import annotations

from virtuallab.errors import UserError, suggest

DEVICES = ("auto", "cpu", "cuda")
_OTHER_NAMES = {"gpu": "cuda", "nvidia": "cuda", "processor": "cpu"}


def device_name(name: str) -> str:
    """Return the name of a device as it is.

    Parameters
    ----------
    name : str

    Raises
    ------
    UserError
        If no device has this name, with the nearest one and all of them.
    """
    if name in DEVICES:
        return name
    family = name.partition(":")[0].casefold()  # cuda:0 of torch
    near = suggest(_OTHER_NAMES.get(family, family), DEVICES)
    raise UserError(f"no device is called {name!r}. {near}")
