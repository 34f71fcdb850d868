"""NWB files for the tests, as a laboratory would write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.file import Subject
from pynwb.ophys import DfOverF, ImageSegmentation, OpticalChannel, RoiResponseSeries

from virtuallab.errors import UserError
from virtuallab.recordings import read_recording

STIMULI = ("left", "right", "up")


DURATION = 0.5  # of a trial, in seconds


Fill = Callable[[NWBFile], None]


def session(day: int, *, mouse: str | None = None) -> NWBFile:
    start = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=day)
    made = NWBFile(
        session_description="a visit", identifier=f"visit {day}", session_start_time=start
    )
    if mouse is not None:
        made.subject = Subject(subject_id=mouse, species="Mus musculus", sex="U", age="P90D")
    return made


def write(contents: NWBFile, path: Path) -> Path:
    with NWBHDF5IO(str(path), "w") as io:
        io.write(contents)
    return path


def add_trials(
    contents: NWBFile,
    shown: Sequence[str],
    column: str = "stimulus",
    label: Callable[[str], str] | None = None,
) -> None:
    contents.add_trial_column(column, "what was shown")
    if label is not None:
        contents.add_trial_column("label", "its class")
    for place, name in enumerate(shown):
        more = {} if label is None else {"label": label(name)}
        contents.add_trial(
            start_time=float(place), stop_time=place + DURATION, **{column: name}, **more
        )


def spikes(rates: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Spike times of a unit with a rate in each trial, and others between trials."""
    times = [
        place + part + draw.random(draw.poisson(rate * DURATION)) * DURATION
        for place, rate in enumerate(rates)
        for part in (0.0, DURATION)
    ]
    return np.sort(np.concatenate(times))


def slowly(times: np.ndarray, trial: int) -> float:
    return sum(trial <= t < trial + DURATION for t in times) / DURATION


def experiment(
    folder: Path, ids: Sequence[Sequence[int]], repeats: int = 4, layer: str | None = None
) -> tuple[list[Path], list[dict[int, np.ndarray]]]:
    """Write visits in which the units of these ids fire at random rates."""
    draw = np.random.default_rng(1)
    shown = STIMULI * repeats
    files, fired = [], []
    for day, of_day in enumerate(ids):
        contents = session(day, mouse="m1")
        add_trials(contents, shown, label=lambda name: "flat" if name != "up" else "steep")
        if layer is not None:
            contents.add_unit_column(layer, "where it lies")
        fired.append({})
        for one in of_day:
            rate = np.tile(draw.gamma(2.0, 10.0, size=len(STIMULI)), repeats)
            fired[-1][one] = spikes(rate, draw)
            more = {} if layer is None else {layer: "CA1" if one % 2 else "CA3"}
            contents.add_unit(id=one, spike_times=fired[-1][one], **more)
        # Later visits get earlier names: the order is that of time.
        files.append(write(contents, folder / f"{9 - day}.nwb"))
    return files, fired


def add_imaging(
    contents: NWBFile, traces: np.ndarray, kind: type, ids: Sequence[int], **times: Any
) -> None:
    said = {"unit": "a", **times}
    channel = OpticalChannel(name="green", description="-", emission_lambda=510.0)
    plane = contents.create_imaging_plane(
        name="plane",
        optical_channel=channel,
        description="-",
        device=contents.create_device("microscope"),
        excitation_lambda=920.0,
        imaging_rate=10.0,
        indicator="GCaMP6s",
        location="V1 L2/3",
    )
    module = contents.create_processing_module("ophys", "-")
    segmentation = ImageSegmentation()
    module.add(segmentation)
    regions = segmentation.create_plane_segmentation(
        name="regions", description="-", imaging_plane=plane
    )
    for one in (99, *ids):
        regions.add_roi(id=one, pixel_mask=[(one, 0, 1.0)])
    chosen = regions.create_roi_table_region(
        region=list(range(1, len(ids) + 1)), description="all but the first"
    )
    if kind is RoiResponseSeries:
        module.add(RoiResponseSeries(name="traces", data=traces, rois=chosen, **said))
    else:
        container = kind()
        module.add(container)
        container.create_roi_response_series(name="traces", data=traces, rois=chosen, **said)


# What is refused


def refusal(path: Path | Sequence[Path]) -> str:
    with pytest.raises(UserError) as caught:
        read_recording(path)
    return str(caught.value)


def pair(folder: Path, *fills: Fill, days: Sequence[int] = (0, 1), mice: str = "mm") -> Path:
    for place, (fill, day, mouse) in enumerate(zip(fills, days, mice, strict=True)):
        contents = session(day, mouse=mouse)
        fill(contents)
        write(contents, folder / f"{place}.nwb")
    return folder


def with_units(*ids: int, shown: Sequence[str] = STIMULI, layer: str | None = None) -> Fill:
    def fill(contents: NWBFile) -> None:
        add_trials(contents, shown)
        if layer is not None:
            contents.add_unit_column("layer", "-")
        for one in ids:
            times = spikes(np.full(len(shown), 30.0), np.random.default_rng(one))
            contents.add_unit(id=one, spike_times=times, **({"layer": layer} if layer else {}))

    return fill


# What is in a file, but not as it seems


def notes(path: Path, **options: str) -> list[str]:
    return list(read_recording(path, **options).attrs.get("notes", []))


def imaged(kind: type = DfOverF, **said: Any) -> Fill:
    """Three regions, of known traces unless others are given."""

    def fill(contents: NWBFile) -> None:
        add_trials(contents, [*STIMULI, *STIMULI])
        given = {"traces": TRACES, "rate": 10.0, "ids": [1, 2, 3], **said}
        add_imaging(contents, given.pop("traces"), kind, given.pop("ids"), **given)

    return fill


TRACES = np.random.default_rng(7).gamma(2.0, size=(60, 3))


def firing(obs: Callable[[int], list[list[float]]] | None = None, last: float = 6.0) -> Fill:
    """Units that fire every 50 ms, as long as they are observed."""

    def fill(contents: NWBFile) -> None:
        add_trials(contents, [*STIMULI, *STIMULI])
        for one in range(3):
            times = np.arange(0.02 + one / 100, last, 0.05 * (one + 1))
            more: dict[str, Any] = {}
            if obs is not None:
                more["obs_intervals"] = obs(one)
                inside = [(times >= a) & (times < b) for a, b in more["obs_intervals"]]
                times = times[np.any(inside, axis=0)]
            contents.add_unit(id=one, spike_times=times, **more)

    return fill
