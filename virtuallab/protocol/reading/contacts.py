"""Contacts of a device, from a probeinterface file that a protocol names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from virtuallab.errors import Fault, ProtocolError
from virtuallab.protocol.messages.places import Place, SourceLines

SECTIONS = ("probes", "compare", "power")  # that may name devices
_TO_UM = {"um": 1.0, "mm": 1e3, "m": 1e6}


def inline_contacts(data: Any, folder: Path, source: SourceLines) -> None:
    """Replace ``device: FILE.json`` by the contacts in the file; the document is changed in place.

    The stored protocol is then complete without the file.

    Parameters
    ----------
    data : dict
        The document.
    folder : Path
        Base of relative paths.
    source : SourceLines
        For the faults' lines.

    Raises
    ------
    ProtocolError
        With every file that cannot be read, or has no planar probe.
    """
    faults: list[Fault] = []
    for section in SECTIONS:
        for holder, key, place in list(device_files(data.get(section), (section,))):
            try:
                holder[key] = {"contacts": _contacts(folder / holder[key])}
            except ValueError as error:
                faults.append(source.fault(place, f"{holder[key]}: {error}"))
    if faults:
        raise ProtocolError(faults)


def device_files(at: Any, place: Place) -> Iterator[tuple[Any, Any, Place]]:
    """Yield each device that is given as a file: its container, its key in it, and its place.

    Parameters
    ----------
    at : object
        Part of a document.
    place : tuple
        Its place.
    """
    entries = at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()
    for key, value in entries:
        here = (*place, key)
        if isinstance(value, str) and value.endswith(".json") and "device" in here[-3:]:
            yield at, key, here
        else:
            yield from device_files(value, here)


def _contacts(path: Path) -> list[list[float]]:
    """Return the positions of the wired contacts of all probes in a file, (contact, 2), in um.

    Raises
    ------
    ValueError
        If the file has none, or cannot be read.
    """
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError("there is no such file beside the protocol.") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"cannot be read as JSON: {error}.") from None
    except RecursionError:
        raise ValueError("is nested too deeply to be a probeinterface file.") from None
    if not isinstance(described, dict) or described.get("specification") != "probeinterface":
        raise ValueError("is no probeinterface file ('specification: probeinterface' is missing).")
    import probeinterface

    found: list[list[float]] = []
    try:
        for each in described["probes"]:
            probe = probeinterface.Probe.from_dict(each)
            wired = np.ones(probe.get_contact_count(), dtype=bool)
            if probe.device_channel_indices is not None:
                wired = np.asarray(probe.device_channel_indices) >= 0
            if probe.ndim != 2:
                raise ValueError("is a probe in three dimensions. Project it to its plane first.")  # noqa: TRY301
            scale = _TO_UM[probe.si_units]
            found += (np.asarray(probe.contact_positions)[wired] * scale).tolist()
    except ValueError:
        raise
    except Exception as error:
        # The exceptions of probeinterface differ between versions.
        raise ValueError(f"holds no probe that probeinterface can read: {error}.") from None
    if not found:
        raise ValueError("holds no contact that is wired.")
    return found
