"""Readers of unions, lists, names and dataclasses."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.protocol.texts import protocol, small
from tests.protocol.toys import Car, Wheel
from virtuallab.protocol import read_text
from virtuallab.protocol.messages.explain import faults_of
from virtuallab.protocol.settings.readers import DataclassReader, adapter


def test_a_dataclass_without_sweeps_is_built_as_it_is_written() -> None:
    car = DataclassReader(Car).read({"price": 2, "stops": ["a", "b"], "wheel": {"size": 3}})
    assert car == Car(price=2.0, stops=("a", "b"), wheel=Wheel(size=3.0))


def test_a_dataclass_without_sweeps_takes_no_sweep() -> None:
    with pytest.raises(ValidationError) as caught:
        DataclassReader(Car).read({"price": [1, 2], "wheel": {"size": -1, "sice": 1}})
    assert faults_of(caught.value) == [
        (("price",), "should be a number, found [1, 2]."),
        (("wheel", "size"), "should be greater than 0, found -1."),
        (("wheel", "sice"), "unknown key. Did you mean 'size'? Keys here: size."),
    ]


def test_a_number_is_not_read_from_text() -> None:
    with pytest.raises(ValidationError):
        adapter(float).validate_python("1e-3")


@pytest.mark.parametrize(
    ("alone", "listed"),
    [
        (("[knet4]", "knet4"), ("[knet4]", "[knet4]")),
        (("[knet4]", "{name: knet4, channels: 5}"), ("[knet4]", "[{name: knet4, channels: [5]}]")),
        (("[digits]", "digits"), ("[digits]", "[digits]")),
        (("amp: 0.02", "amp: {choice: 0.03}"), ("amp: 0.02", "amp: {choice: [0.03]}")),
        (("units: 20", "{layers: fc4, observables: weights}"),
         ("units: 20", "{layers: [fc4], observables: [weights]}")),
        (("[random_forest]", "linear_svm\n    observables: all\n    others: sgdm\n"
          "    probes: sparse"),
         ("[random_forest]", "[linear_svm]\n    observables: [all]\n    others: [sgdm]\n"
          "    probes: [sparse]")),
    ],
)  # fmt: skip
def test_a_value_alone_is_a_list_of_one(alone: tuple[str, str], listed: tuple[str, str]) -> None:
    assert protocol(alone).resolved() == protocol(listed).resolved()


def test_a_count_of_visits_stays_a_count() -> None:
    assert protocol(("visits: 5", "visits: 4")).subjects.visits == 4
    assert protocol(("units: 20", "visits: 4")).probes["sparse"].visits == 4


def test_an_override_reaches_into_a_list_that_is_written_as_its_only_entry() -> None:
    text = small(("[knet4]", "knet4"))
    made = read_text(text, overrides=["subjects.architectures[0].kernel=5"])
    assert made.resolved()["subjects"]["architectures"][0]["kernel"] == 5
