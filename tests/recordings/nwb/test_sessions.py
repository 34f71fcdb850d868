"""Files of Neurodata Without Borders, one for each visit."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.epoch import TimeIntervals
from pynwb.file import Subject
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries
from typer.testing import CliRunner

from virtuallab.cli import app
from virtuallab.errors import MissingLibrary, UserError
from virtuallab.probe.features import features
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


def test_responses_are_rates_in_trials_averaged_over_repeats(tmp_path):
    ids = [[3, 4, 8], [8, 3, 4]]
    _, fired = experiment(tmp_path, ids, layer="layer")
    found = read_recording(tmp_path)
    assert found["activity"].dims == ("visit", "stimulus", "unit")
    assert found["layer"].values.tolist() == ["CA1", "CA3"]
    assert found["unit_layer"].values.tolist() == ["CA1", "CA3", "CA3"]
    for visit in range(2):
        for stimulus in range(3):
            for place, one in enumerate((3, 4, 8)):
                trials = range(stimulus, 12, 3)
                wanted = np.mean([slowly(fired[visit][one], trial) for trial in trials])
                got = float(found["activity"][visit, stimulus, place])
                assert got == pytest.approx(wanted, rel=1e-6)
    assert found["stimulus_label"].values.tolist() == [0, 0, 1]
    assert found["stimulus_label"].attrs["flag_meanings"] == "flat steep"
    assert found.attrs["repeats"] == 4
    assert found.attrs["dropped_units"] == 0
    assert np.isfinite(features(found)["change"].sel(change_name="act_separation")).all()


def test_repeats_tell_the_ratio_that_known_rates_and_poisson_noise_have(tmp_path):
    draw = np.random.default_rng(0)
    names = [f"image {number}" for number in range(40)]
    shown = names * 6
    rates = draw.gamma(4.0, 5.0, size=(2, 10, len(names)))  # (visit, unit, stimulus)
    for day in range(2):
        contents = session(day)
        add_trials(contents, shown)
        for one in range(10):
            contents.add_unit(spike_times=spikes(np.tile(rates[day, one], 6), draw))
        write(contents, tmp_path / f"{day}.nwb")
    noise = rates.mean((1, 2)) / DURATION / 6  # variance of a mean of counts over their duration
    planted = np.sqrt(np.mean(rates.var((1, 2)) / noise))
    assert read_recording(tmp_path).attrs["snr"] == pytest.approx(planted, rel=0.1)


def test_stimuli_may_be_shown_in_another_order_and_number_at_each_visit(tmp_path):
    draw = np.random.default_rng(0)
    orders = [["b", "a", "b", "c"], ["c", "a", "a", "a", "b"]]
    times = []
    for day, shown in enumerate(orders):
        contents = session(day)
        add_trials(contents, shown, column="condition")
        times.append([spikes(np.full(len(shown), 20.0), draw) for _ in range(2)])
        for of_unit in times[-1]:
            contents.add_unit(spike_times=of_unit)
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)["activity"]
    for visit, shown in enumerate(orders):
        for place, name in enumerate("bac"):  # as they first come
            trials = [trial for trial, other in enumerate(shown) if other == name]
            wanted = np.mean([slowly(times[visit][1], trial) for trial in trials])
            assert float(found[visit, place, 1]) == pytest.approx(wanted, rel=1e-6)


def test_units_that_are_not_in_all_files_are_dropped_and_counted(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2, 3, 4], [2, 3, 4, 5], [4, 3, 2]])
    found = read_recording(tmp_path)
    assert found.sizes["unit"] == 3
    assert found.attrs["dropped_units"] == 2
    two = read_recording(files[:2])
    np.testing.assert_array_equal(two["activity"], found["activity"][:2])


def test_layers_are_those_of_electrode_groups_where_no_column_names_them(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        device = contents.create_device("probe")
        groups = [
            contents.create_electrode_group(name, description="-", location=name, device=device)
            for name in ("V1", "LM")
        ]
        draw = np.random.default_rng(day)
        for place in range(4):
            times = spikes(np.full(3, 30.0), draw)
            contents.add_unit(spike_times=times, electrode_group=groups[place // 2])
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["unit_layer"].values.tolist() == ["V1", "V1", "LM", "LM"]


def test_layers_are_those_of_electrodes_and_in_the_order_of_a_depth(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        device = contents.create_device("probe")
        group = contents.create_electrode_group("g", description="-", location="V1", device=device)
        for name in ("L5", "L2"):
            contents.add_electrode(group=group, location=name)
        contents.add_unit_column("depth", "um")
        draw = np.random.default_rng(day)
        for place in range(4):
            times = spikes(np.full(3, 30.0), draw)
            contents.add_unit(spike_times=times, electrodes=[place // 2], depth=500.0 - 100 * place)
        write(contents, tmp_path / f"{day}.nwb")
    assert read_recording(tmp_path)["layer"].values.tolist() == ["L2", "L5"]


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


@pytest.mark.parametrize("kind", [Fluorescence, DfOverF, RoiResponseSeries])
def test_fluorescence_is_averaged_over_the_frames_of_each_trial(tmp_path, kind):
    shown = [*STIMULI, *STIMULI]
    times = 0.03 + np.arange(60) / 10
    traces = [np.random.default_rng(day).random((60, 3)) for day in range(2)]
    for day, (ids, said) in enumerate(
        [([5, 6, 7], {"rate": 10.0, "starting_time": 0.03}), ([7, 6, 4], {"timestamps": times})]
    ):
        contents = session(day)
        add_trials(contents, shown)
        add_imaging(contents, traces[day], kind, ids, **said)
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["layer"].values.tolist() == ["V1 L2/3"]
    assert found.attrs["dropped_units"] == 2
    for visit, columns in enumerate([(1, 2), (1, 0)]):  # of units 6 and 7
        for stimulus in range(3):
            inside = [(times >= t) & (times < t + 0.5) for t in (stimulus, stimulus + 3)]
            wanted = np.mean([traces[visit][one].mean(0) for one in inside], axis=0)
            got = found["activity"][visit, stimulus]
            np.testing.assert_allclose(got, wanted[list(columns)], rtol=1e-6)


def test_units_of_several_planes_are_told_apart_and_lie_in_the_layers_of_these(tmp_path):
    for day in range(2):
        contents = session(day)
        add_trials(contents, STIMULI)
        module = contents.create_processing_module("ophys", "-")
        segmentation, traces = ImageSegmentation(), Fluorescence()
        module.add([segmentation, traces])
        microscope = contents.create_device("microscope")
        for place, where in enumerate(("L2/3", "L5")):
            plane = contents.create_imaging_plane(
                name=f"plane {place}",
                optical_channel=OpticalChannel(name="o", description="-", emission_lambda=510.0),
                description="-",
                device=microscope,
                excitation_lambda=920.0,
                indicator="GCaMP6s",
                location=where,
            )
            regions = segmentation.create_plane_segmentation(
                name=f"regions {place}", description="-", imaging_plane=plane
            )
            for one in range(2 - place):
                regions.add_roi(id=one, pixel_mask=[(one, 0, 1.0)])
            traces.create_roi_response_series(
                name=f"traces {place}",
                # Of a single region the file leaves out the axis.
                data=np.arange(60.0) if place else np.random.default_rng(day).random((60, 2)),
                rois=regions.create_roi_table_region(
                    region=list(range(2 - place)), description="all"
                ),
                unit="a",
                rate=10.0,
            )
        write(contents, tmp_path / f"{day}.nwb")
    found = read_recording(tmp_path)
    assert found["unit_layer"].values.tolist() == ["L2/3", "L2/3", "L5"]
    assert found["activity"].values[0, :, 2].tolist() == [2.0, 12.0, 22.0]


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


def test_one_file_alone_is_one_visit(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2]])
    assert "one visit shows no change" in refusal(files[0])
    assert "of NWB, one file for each" in refusal(tmp_path)


def test_without_pynwb_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    files, _ = experiment(tmp_path, [[1, 2]])
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(MissingLibrary, match=r"pynwb is not installed.*virtuallab\[nwb\]"):
        read_recording(files[0])


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "bad.nwb"
    path.write_bytes(b"no HDF5")
    assert "cannot be read as an NWB file" in refusal(path)
    files, _ = experiment(tmp_path, [[1, 2]])
    path.write_bytes(files[0].read_bytes()[:20_000])
    assert str(path) in refusal(path)


def test_files_without_a_common_unit_are_refused(tmp_path):
    folder = pair(tmp_path, with_units(1, 2), with_units(3, 4))
    assert "no unit is in all 2 files; found 4 ids" in refusal(folder)


def test_files_with_other_stimuli_are_refused(tmp_path):
    folder = pair(tmp_path, with_units(1, 2), with_units(1, 2, shown=["left", "right", "down"]))
    assert "not the stimuli of 0.nwb: down, up shown in only one" in refusal(folder)


def test_files_of_two_subjects_or_of_one_time_are_refused(tmp_path):
    fills = with_units(1, 2), with_units(1, 2)
    assert "of 2 subjects, a, b" in refusal(pair(tmp_path, *fills, mice="ab"))
    assert "1.nwb have the same session_start_time" in refusal(pair(tmp_path, *fills, days=(3, 3)))


def test_a_unit_that_moves_between_layers_or_whose_id_is_another_ones_is_refused(tmp_path):
    folder = pair(tmp_path, with_units(1, 2, layer="L2"), with_units(1, 2, layer="L5"))
    assert "unit 1 is in several layers, L2, L5" in refusal(folder)
    folder = pair(tmp_path, with_units(1, 2), with_units(1, 1))
    assert "1 ids stand for several units: 1" in refusal(folder)


def test_a_stimulus_of_two_classes_is_refused(tmp_path):
    def fill(label: str) -> Fill:
        def of(contents: NWBFile) -> None:
            add_trials(contents, STIMULI, label=lambda _: label)
            contents.add_unit(spike_times=[0.1, 0.2, 1.3])

        return of

    folder = pair(tmp_path, fill("flat"), fill("steep"))
    assert "1.nwb: stimulus left has the labels flat and steep." in refusal(folder)


def test_trials_that_say_too_little_are_refused(tmp_path):
    def no_trials(contents: NWBFile) -> None:
        contents.add_unit(spike_times=[0.1])

    def no_stimulus(contents: NWBFile) -> None:
        add_trials(contents, STIMULI, column="picture")
        contents.add_unit(spike_times=[0.1])

    def backwards(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        contents.add_trial(start_time=9.0, stop_time=9.0, stimulus="up")
        contents.add_unit(spike_times=[0.1])

    def no_units(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)

    def no_frames(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        add_imaging(contents, np.ones((15, 2)), Fluorescence, [1, 2], rate=10.0)

    for fill, said in (
        (no_trials, "there are no trials. Add them"),
        (no_stimulus, "found the columns start_time, stop_time, picture. Add a column stimulus or"),
        (backwards, "trial 3 (counted from 0) does not stop after it starts"),
        (no_units, "neither units with spike_times nor a RoiResponseSeries"),
        (no_frames, "trial 2 (counted from 0) has no frame of traces, of 0 to 1.4 s"),
    ):
        contents = session(0)
        fill(contents)
        assert said in refusal(write(contents, tmp_path / "one.nwb"))


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


def test_numbers_are_scaled_and_shifted_as_the_file_says(tmp_path):
    stored = np.round((TRACES - 0.5) / 1e-3).astype(np.int16)
    packed = imaged(traces=stored, conversion=1e-3, offset=0.5)
    found = read_recording(pair(tmp_path, imaged(), packed))["activity"]
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)


def test_other_quantities_are_reconciled_or_refused(tmp_path):
    assert "do not hold the same quantity: 0.nwb has DfOverF, 1.nwb Fluorescence" in refusal(
        pair(tmp_path, imaged(), imaged(Fluorescence))
    )
    assert "1.nwb: responses are in 'percent', and in 'a' in 0.nwb" in refusal(
        pair(tmp_path, imaged(), imaged(unit="percent"))
    )

    def both(contents: NWBFile) -> None:
        imaged(Fluorescence)(contents)
        traces = contents.processing["ophys"]["Fluorescence"]["traces"]
        container = DfOverF()
        contents.processing["ophys"].add(container)
        regions = contents.processing["ophys"]["ImageSegmentation"]["regions"]
        again = regions.create_roi_table_region(region=[1, 2, 3], description="-")
        container.create_roi_response_series(
            name="relative", data=traces.data[:] + 5, rois=again, unit="a", rate=10.0
        )

    folder = pair(tmp_path, imaged(Fluorescence), both)
    found = read_recording(folder)
    np.testing.assert_array_equal(found["activity"][0], found["activity"][1])
    assert found.attrs["notes"] == [
        "Fluorescence was read, not DfOverF of 1.nwb: it is not in all files."
    ]
    (tmp_path / "two").mkdir()
    found = read_recording(pair(tmp_path / "two", both, both))
    np.testing.assert_allclose(
        found["activity"][0], read_recording(folder)["activity"][0] + 5, rtol=1e-6
    )
    assert found.attrs["notes"] == [
        "DfOverF was read, not Fluorescence, which every file holds too."
    ]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"conversion": float("nan")}, "the conversion of "),
        ({"conversion": float("inf")}, "the conversion of "),
        ({"conversion": 0.0}, "the conversion of "),
        ({"offset": float("-inf")}, "the offset of "),
    ],
)
def test_a_scale_by_which_nothing_can_be_read_is_refused(tmp_path, said, words):
    found = refusal(pair(tmp_path, imaged(), imaged(**said)))
    assert words in found
    assert f"is {next(iter(said.values())):g};" in found


@pytest.mark.filterwarnings("ignore:RoiResponseSeries")  # pynwb, as the file is written
def test_exchanged_axes_are_named(tmp_path):
    message = refusal(pair(tmp_path, imaged(), imaged(traces=TRACES.T)))
    assert "1.nwb: the data of traces have the shape (3, 60): their axes are exchanged" in message
    message = refusal(pair(tmp_path, imaged(), imaged(traces=TRACES[:, :2])))
    assert "have the shape (60, 2), expected time by region, for 3 regions" in message


def test_a_trial_with_a_frame_that_is_missing_is_missing(tmp_path):
    gaps = TRACES.copy()
    gaps[2] = np.nan
    gaps[33, 1] = np.nan
    found = read_recording(pair(tmp_path, imaged(), imaged(traces=gaps)))
    assert "observed" in found
    assert not found["observed"][0, 1]  # shown in trials 0 and 3
    wanted = TRACES[30:35].mean(0)
    np.testing.assert_allclose(found["activity"][1, 0, [0, 2]], wanted[[0, 2]], rtol=1e-6)
    assert "1.nwb: 4 of 18 responses in single trials are missing" in found.attrs["notes"][0]


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


def test_outside_of_its_intervals_a_unit_is_missing_not_silent(tmp_path):
    # Unit 0 until the middle of trial 3: 3 of its 6 trials; intervals that touch are one.
    half = firing(lambda one: [[0.0, 3.25]] if one == 0 else [[0.0, 2.2], [2.2, 6.0]])
    found = read_recording(pair(tmp_path, firing(), half))
    np.testing.assert_allclose(found["activity"][1, :, 0], 20.0)
    np.testing.assert_allclose(found["activity"][1], found["activity"][0])
    assert found.attrs["notes"] == [
        "1.nwb: 3 of 18 responses in single trials are missing: the unit was not observed "
        "throughout the trial, or a value of it is NaN."
    ]


def test_trials_in_invalid_times_are_left_out_and_counted(tmp_path):
    def invalid(contents: NWBFile) -> None:
        firing(last=3.2)(contents)  # from then on nothing was recorded
        contents.add_invalid_time_interval(start_time=3.1, stop_time=9.0)

    found = read_recording(pair(tmp_path, firing(), invalid))
    np.testing.assert_allclose(found["activity"][1, :, 0], 20.0)
    assert found.attrs["notes"] == ["1.nwb: 3 of 6 trials overlap invalid_times and were left out."]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_order_of_visits_is_the_same_in_every_time_zone(tmp_path, monkeypatch, zone):
    folder = pair(tmp_path, with_units(1, 2), with_units(1, 2), days=(1, 1.1))
    before = read_recording(folder)["activity"]
    with h5py.File(folder / "1.nwb", "r+") as stored:
        del stored["session_start_time"]
        stored["session_start_time"] = "2024-03-02T02:24:00"  # as it was, without its zone
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        found = read_recording(folder)
    finally:
        monkeypatch.undo()
        time.tzset()
    np.testing.assert_array_equal(found["activity"], before)
    assert (
        "session_start_time of 1.nwb names no time zone and was taken as UTC"
        in (found.attrs["notes"][0])
    )


def test_units_are_matched_by_name_where_there_is_one(tmp_path):
    def named(names: str) -> Fill:
        def fill(contents: NWBFile) -> None:
            add_trials(contents, STIMULI)
            contents.add_unit_column("unit_name", "-")
            for place, name in enumerate(names):
                times = spikes(np.full(3, 30.0), np.random.default_rng(ord(name)))
                contents.add_unit(id=place, spike_times=times, unit_name=name)

        return fill

    found = read_recording(pair(tmp_path, named("abcd"), named("cbda")))
    np.testing.assert_array_equal(found["activity"][0], found["activity"][1])
    assert found.attrs["notes"] == [
        "units are matched by the column unit_name; by their ids, 3 units would be matched with "
        "another."
    ]
    assert notes(pair(tmp_path, named("abcd"), named("abcd"))) == []
    found = read_recording(pair(tmp_path, named("abcd"), named("cbaa")))
    assert (found["activity"][0, :, 0] != found["activity"][1, :, 0]).any()
    assert (
        "units are matched by their ids: in the column unit_name names are missing or"
        in (found.attrs["notes"][0])
    )


def test_it_is_said_where_only_some_files_name_their_units(tmp_path):
    def named(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        contents.add_unit_column("unit_name", "-")
        for place in range(3):
            times = spikes(np.full(3, 30.0), np.random.default_rng(place))
            contents.add_unit(id=place, spike_times=times, unit_name=f"u{place}")

    def unnamed(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        for place in range(3):
            times = spikes(np.full(3, 30.0), np.random.default_rng(place))
            contents.add_unit(id=place, spike_times=times)

    said = "units are matched by their ids: {} has no column unit_name, unlike the other files."
    assert notes(pair(tmp_path, named, unnamed)) == [said.format("1.nwb")]
    assert notes(pair(tmp_path, unnamed, named)) == [said.format("0.nwb")]
    assert notes(pair(tmp_path, unnamed, unnamed)) == []


def test_presentations_without_a_stimulus_are_left_out_and_counted(tmp_path):
    def blank(contents: NWBFile) -> None:
        with_units(1, 2, shown=["left", "nan", "right", "up", ""])(contents)

    folder = pair(tmp_path, with_units(1, 2), blank)
    assert read_recording(folder).sizes["stimulus"] == 3
    assert notes(folder) == ["1.nwb: 2 presentations of 5 without a stimulus were left out."]

    def unlabelled(contents: NWBFile) -> None:
        add_trials(contents, STIMULI, label=lambda name: {"left": "a", "right": "b"}.get(name, ""))
        contents.add_unit(spike_times=[0.1, 0.2, 1.3])

    found = read_recording(pair(tmp_path, unlabelled, unlabelled))
    assert found["stimulus_label"].values.tolist() == [0, 1, -1]


def test_what_other_programs_left_in_a_folder_is_passed_over(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2], [1, 2]])
    wanted = read_recording(files)
    for name in ("._9.nwb", ".DS_Store", "Thumbs.db", "10.nwb.tmp", "~8.nwb"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    assert read_recording(tmp_path).identical(wanted)
    assert read_recording([*files, tmp_path / "._9.nwb", tmp_path / "Thumbs.db"]).identical(wanted)
    shutil.copy(files[0], tmp_path / "9 (Eva's conflicted copy 2024-03-05).nwb")
    assert (
        "conflicted copy 2024-03-05).nwb, a sync client's copy, was passed over"
        in (notes(tmp_path)[0])
    )


def test_files_in_capitals_and_in_folders_are_found(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2], [1, 2]])
    wanted = read_recording(files)
    for place, file in enumerate(files):
        inside = tmp_path / "all" / "sub-1" / f"ses-{place}"
        inside.mkdir(parents=True)
        file.rename(inside / f"{place}.NWB")
    assert read_recording(tmp_path / "all").identical(wanted)
    assert read_recording(tmp_path / "all" / "sub-1").identical(wanted)


def test_a_whole_disk_is_not_searched(tmp_path, monkeypatch):
    monkeypatch.setattr("virtuallab.recordings.file_search._MANY", 5)
    for place in ("a", "b", "c"):
        (tmp_path / "home" / place / "deep").mkdir(parents=True)
    message = "no NWB file lies in this folder itself, and those in it hold more than 5 files"
    assert message in refusal(tmp_path)
    assert "no recording is in this folder" in refusal(tmp_path / "home" / "a")


def test_an_nwb_file_in_a_zarr_folder_is_refused_plainly(tmp_path):
    for name in ("day1.nwb", "day1.nwb.zarr"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / ".zgroup").write_text("{}")
        assert f"{folder}: is an NWB file in a zarr folder" in refusal(folder)
        assert "is an NWB file in a zarr folder, which is not read here. Export" in refusal(
            tmp_path
        )
        shutil.rmtree(folder)


# Tables of intervals


def one_of_all(contents: NWBFile) -> None:
    """Two blocks of presentations in a table of their own, and trials that are something else."""
    add_trials(contents, ["go", "no go"], column="choice")
    table = TimeIntervals(name="image_presentations", description="-")
    table.add_column("stimulus_name", "-")
    contents.add_time_intervals(table)
    for place, name in enumerate([*STIMULI, "gray", *STIMULI]):
        table.add_interval(start_time=float(place), stop_time=place + DURATION, stimulus_name=name)
    contents.add_epoch(0.0, 2.9, ["early"])
    contents.add_epoch(4.0, 5.6, ["late"])
    contents.add_epoch(5.9, 9.0, ["late"])
    for one in range(2):
        # A unit that fires as fast again in the second block.
        times = np.concatenate([np.arange(0.01, 4, 0.1 + one), np.arange(4.01, 8, 0.05 + one / 2)])
        contents.add_unit(spike_times=times)


def test_visits_and_stimuli_are_those_of_the_tables_that_are_named(tmp_path):
    contents = session(0)
    one_of_all(contents)
    file = write(contents, tmp_path / "one.nwb")
    chosen = {"stimuli_table": "image_presentations", "visits_from": "epochs"}
    found = read_recording(file, **chosen)
    assert found["activity"].sizes == {"visit": 2, "stimulus": 3, "unit": 2}
    np.testing.assert_allclose(found["activity"][:, :, 0], [[10.0] * 3, [20.0] * 3])
    assert found.attrs["notes"] == [
        "one.nwb: 1 of 7 trials lie in no interval of epochs and were left out."
    ]
    assert (
        "Or choose another table of intervals with --stimuli-table: epochs, image_presentations."
    ) in refusal(file)
    for options, said in (
        ({"stimuli_table": "image_presentation"}, "Did you mean 'image_presentations'?"),
        ({**chosen, "visits_from": "epoch"}, "--visits-from: there is no table of intervals"),
        ({**chosen, "visits_from": "trials"}, "visit 1: not the stimuli of one.nwb, visit 0"),
    ):
        with pytest.raises(UserError) as caught:
            read_recording(file, **options)
        assert said in str(caught.value), caught.value


def test_the_command_takes_the_tables(tmp_path):
    contents = session(0)
    one_of_all(contents)
    file = write(contents, tmp_path / "one.nwb")
    words = ["identify", str(tmp_path / "none.decoder"), str(file)]
    tables = ["--stimuli-table", "image_presentations", "--visits-from", "epoch"]
    done = CliRunner().invoke(app, [*words, *tables])
    assert "--visits-from: there is no table of intervals 'epoch'" in str(done.exception)


def test_visits_that_alternate_are_refused(tmp_path):
    contents = session(0)
    one_of_all(contents)
    contents.add_epoch(10.0, 11.0, ["early"])
    file = write(contents, tmp_path / "one.nwb")
    with pytest.raises(UserError, match="the visits early and late of epochs overlap or alternate"):
        read_recording(file, stimuli_table="image_presentations", visits_from="epochs")


# A bug, a file of another kind, and one that may not be read


def test_a_bug_is_no_damage(tmp_path, monkeypatch):
    def bug(*_: object) -> None:
        raise AttributeError("a bug of ours")

    files, _ = experiment(tmp_path, [[1, 2], [1, 2]])
    monkeypatch.setattr("virtuallab.recordings.nwb.sessions.read_units", bug)
    with pytest.raises(AttributeError, match="a bug of ours"):
        read_recording(tmp_path)
    with h5py.File(files[0], "w") as stored:
        stored["something"] = 1
    assert "cannot be read as an NWB file" in refusal(files[0])
