"""Files of Neurodata Without Borders, one for each visit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.file import Subject
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

from virtuallab.errors import UserError
from virtuallab.intake import read_recording
from virtuallab.probe import features

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
        module.add(RoiResponseSeries(name="traces", data=traces, rois=chosen, unit="a", **times))
    else:
        container = kind()
        module.add(container)
        container.create_roi_response_series(
            name="traces", data=traces, rois=chosen, unit="a", **times
        )


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
    assert "pip install virtuallab[nwb]" in refusal(files[0])


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
    assert "stimulus left has the labels flat and steep (1.nwb)" in refusal(folder)


def test_trials_that_say_too_little_are_refused(tmp_path):
    def no_trials(contents: NWBFile) -> None:
        contents.add_unit(spike_times=[0.1])

    def no_stimulus(contents: NWBFile) -> None:
        add_trials(contents, STIMULI, column="picture")

    def backwards(contents: NWBFile) -> None:
        add_trials(contents, STIMULI)
        contents.add_trial(start_time=9.0, stop_time=9.0, stimulus="up")

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
