"""Figure "Expected accuracy": expected accuracy along each open setting."""

from __future__ import annotations

from virtuallab.decoder.power_result import PowerResult
from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.figures.designs.setting_curves import SettingCurve, draw
from virtuallab.reporting.results.power import PowerQuestion, design_text
from virtuallab.reporting.style import observable_look, pretty, setting_name
from virtuallab.text import percent


def expected_accuracy_figure(found: PowerResult, asked: PowerQuestion) -> CaptionedFigure:
    """Expected accuracy along each open setting, with a panel for each."""
    panels = []
    look = observable_look(asked.observable)
    for each in found.along:
        name = setting_name(each.setting)
        curve = SettingCurve(
            pretty(asked.observable), each.x, each.value, each.low, each.high, look
        )
        figure = draw([curve], chance=found.chance, axis=name, target=found.target)
        span = f"from {each.value.min():.2f} to {each.value.max():.2f}"
        panels.append(Panel(figure, f"Expected accuracy along {name}: {span}."))
    held = found.chosen or found.dearest.values
    others = f", with the others at {design_text(held)}" if len(found.along) > 1 else ""
    caption = (
        f"Expected balanced accuracy along each open setting{others}: a monotone response surface "
        f"fitted to all evaluated designs, with {percent(found.confidence)} intervals over "
        "subjects."
    )
    return CaptionedFigure(tuple(panels), caption)
