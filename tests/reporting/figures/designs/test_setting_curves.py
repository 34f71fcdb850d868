from __future__ import annotations

from virtuallab.reporting.figures.designs.setting_curves import setting_curves
from virtuallab.reporting.style import setting_name


def test_names_that_vary_in_the_same_setting_share_a_panel(comparison):
    captions = [figure.caption for figure in setting_curves(comparison)]
    shared = [figure for figure in setting_curves(comparison) if "early" in figure.panels[0].alt]
    assert shared, captions
    assert all("sparse" in figure.panels[0].alt for figure in shared)
    assert "0.5" not in shared[0].caption.split("visits")[0]


def test_every_numeric_setting_has_its_curves(comparison):
    along = [figure.caption for figure in setting_curves(comparison)]
    for setting in ("units", "noise.snr", "visits"):
        assert any(setting_name(setting) in caption for caption in along), setting
