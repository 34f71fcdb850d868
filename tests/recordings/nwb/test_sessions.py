"""NWB files of several visits, read into one recording."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from pynwb import NWBFile
from pynwb.ophys import DfOverF, Fluorescence

from tests.recordings.nwb.files import (
    DURATION,
    STIMULI,
    Fill,
    add_trials,
    experiment,
    imaged,
    notes,
    pair,
    refusal,
    session,
    slowly,
    spikes,
    with_units,
    write,
)
from virtuallab.recordings import read_recording


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


def test_one_file_alone_is_one_visit(tmp_path):
    files, _ = experiment(tmp_path, [[1, 2]])
    assert "one visit shows no change" in refusal(files[0])
    assert "of NWB, one file for each" in refusal(tmp_path)


def test_files_without_a_common_unit_are_refused(tmp_path):
    folder = pair(tmp_path, with_units(1, 2), with_units(3, 4))
    assert "no unit is in all 2 files; found 4 ids" in refusal(folder)


def test_files_with_other_stimuli_are_refused(tmp_path):
    folder = pair(tmp_path, with_units(1, 2), with_units(1, 2, shown=["left", "right", "down"]))
    assert "not the stimuli of 0.nwb: down, up shown in only one" in refusal(folder)


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
