"""Numbers that were written with a unit."""

from __future__ import annotations

import pytest

from tests.protocol.texts import complaints, small

RATE = "learning_rate: {log_uniform: [0.01, 0.1]}"
PLAIN = "should be a number without a unit, found"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps: 100", "steps: 100 steps", f"17: subjects.steps: {PLAIN} '100 steps' (text). "
         "Write 100."),
        ("units: 20", "spikes: {window: 20 ms}", "21: probes.sparse.spikes.window: should be a "
         "number in s, without its unit, found '20 ms' (text). Write 0.02."),
        ("units: 20", "spikes: {rate: 5 kHz}", "21: probes.sparse.spikes.rate: should be a number "
         "in Hz, without its unit, found '5 kHz' (text). Write 5000."),
        ("units: 20", "calcium: {decay: 0.01 /s}", "21: probes.sparse.calcium.decay: should be a "
         "number in s, without its unit, found '0.01 /s' (text)."),
        ("units: 20", "device: {contacts: [[0 mm, 1]]}", "21: probes.sparse.device.contacts[0][0]: "
         "should be a number in um, without its unit, found '0 mm' (text). Write 0."),
        ("units: 20", "turnover: 20%", f"21: probes.sparse.turnover: {PLAIN} '20%' (text). Write "
         "0.2."),
        ("[digits]", "[{name: digits, train_images: 20%}]", "7: subjects.tasks[0].train_images: "
         "should be a number in images, without its unit, found '20%' (text)."),
        ("[digits]", "[{name: digits, train_images: 200 images}]",
         "7: subjects.tasks[0].train_images: should be a number in images, without its unit, "
         "found '200 images' (text). Write 200."),
        (RATE, "learning_rate: [1%, 0.1]", f"14: subjects.optimizer.learning_rate[0]: {PLAIN} "
         "'1%' (text). Write 0.01."),
        (RATE, "learning_rate: 1/20", "14: subjects.optimizer.learning_rate: should be a number, "
         "found '1/20' (text)."),
        (RATE, "learning_rate: 0,05", "14: subjects.optimizer.learning_rate: should be a number, "
         "found '0,05' (text). Write 0.05, with a point."),
    ],
)  # fmt: skip
def test_a_number_with_a_unit_is_refused_with_the_number_to_write(
    old: str, new: str, said: str
) -> None:
    assert complaints(small((old, new))) == [f"p.yaml:{said}"]
