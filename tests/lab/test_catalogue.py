"""What ``virtuallab list`` says of plug-ins."""

from __future__ import annotations

import dataclasses
import re

import pytest

from virtuallab.errors import UnknownName, UserError
from virtuallab.lab.catalogue import KINDS, described, listing, page
from virtuallab.registry import NULL_MODELS

PLUGINS = [(kind, name) for kind, plugins in KINDS.items() for name in plugins]

OWN = {  # without a source
    *("mlp", "convnet", "gaussian", "frozen", "readout_only", "weight_walk"),
    *("shuffled", "constant", "image_folder", "images", "wav_folder"),
}


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_names_are_never_cut(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    words = listing().split()
    assert all(name in words for _, name in PLUGINS)


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_a_page_says_what_every_setting_means(kind: str, name: str) -> None:
    plugin = KINDS[kind][name]
    text = page(kind, name)
    for field in dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ():
        assert field.metadata["doc"]
        assert f"  {field.name} (default " in text or f"  {field.name} (required" in text
    _, equations, _, sources = described(plugin.__doc__)
    if kind in ("rules", "optimizers"):
        assert equations, "it has an equation"
        assert equations[0].splitlines()[0] in text
    if name not in OWN:
        assert sources, "it names its source"


def test_the_page_of_a_device_says_how_many_units_it_isolates_and_from_how_far() -> None:
    assert "Isolates 110 units, each within 50 um of a contact." in page("devices", "neuropixels_1")
    assert "Isolates 1 unit, each within 20 um of a contact." in page("devices", "patch_clamp")
    assert "Isolates" not in page("devices", "fmri")


def test_the_page_of_weight_mirror() -> None:
    text = page("rules", "weight_mirror")
    assert r"\Delta B \propto \alpha\, W^\top C - 2\gamma B, \qquad C = \tfrac1N X^\top X" in text
    assert 'Akrout et al. 2019, "Deep Learning without Weight Transport".' in text
    assert "  alternate (default 1; unit: training steps)" in text
    assert "Local: partly." in text
    assert "How the error returns: learned backward weights." in text
    assert "What the hidden layers improve: supervised loss." in text
    assert "phases in which noise drives every layer" in text


def test_null_models_are_listed_with_what_each_is() -> None:
    text = listing("null_models")
    assert text.splitlines()[0] == "null_models"
    assert [line.split()[0] for line in text.splitlines()[1:] if line[2] != " "] == sorted(
        NULL_MODELS
    )
    assert "Gains of units that walk at random" in " ".join(text.split())
    assert "Schoonover et al. 2021" in page("null_models", "tuning_drift")
    assert "Settings\n  none" in page("null_models", "frozen")


@pytest.mark.parametrize(
    ("kind", "name", "source"),
    [("curricula", "easy_to_hard", "Bengio et al. 2009"), ("schedules", "steps", "Kunin et al")],
)
def test_curricula_and_schedules_are_listed_with_their_sources(
    kind: str, name: str, source: str
) -> None:
    lines = listing(kind).splitlines()
    assert lines[0] == kind
    assert any(line.startswith(f"  {name} ") for line in lines[1:])
    assert source in page(kind, name)


def test_a_name_that_nobody_has_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'weight_mirror'"):
        page("rules", "weight_miror")
    with pytest.raises(UnknownName, match="Did you mean 'rules'"):
        listing("ruls")
    with pytest.raises(UserError, match=r"described by `virtuallab list tasks contrastive`\.$"):
        listing("contrastive")


@pytest.mark.parametrize(("kind", "name"), PLUGINS)
def test_a_page_has_no_section_for_programmers(kind: str, name: str) -> None:
    text = page(kind, name)
    assert not re.search(r"Raises|Parameters|Returns|---", text)
