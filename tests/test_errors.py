"""Errors cross from worker processes as they were raised there."""

from __future__ import annotations

import pickle

import pytest

from virtuallab import errors

RAISED = [
    errors.UserError("change it"),
    errors.StoreError("no such store"),
    errors.MissingLibrary("pynwb", "to read NWB files", "virtuallab[nwb]"),
    errors.UnknownName("rule", "adm", ["adam", "sgd"]),
    errors.BrokenPlugin("rule", "mine", "its module is missing"),
    errors.ProtocolError([errors.Fault("a.yaml", 3, "seed", "missing key.")]),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error: errors.VirtuallabError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.exit_code == error.exit_code


def test_every_error_is_tried() -> None:
    def below(kind: type) -> set[type]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    ours = {k for k in below(errors.VirtuallabError) if k.__module__ == "virtuallab.errors"}
    own_constructor = {k for k in ours if "__init__" in vars(k)}
    assert own_constructor <= {type(error) for error in RAISED}
