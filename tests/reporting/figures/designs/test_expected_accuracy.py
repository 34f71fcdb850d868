from tests.reporting.designs import ASKED, answer
from virtuallab.reporting.figures.designs.expected_accuracy import expected_accuracy_figure


def test_each_open_setting_has_its_panel_with_the_target():
    figure = expected_accuracy_figure(answer(), ASKED)
    (panel,) = figure.panels
    assert panel.alt == "Expected accuracy along recorded units: from 0.20 to 0.80."
    assert "target 0.45" in [text.get_text() for text in panel.figure.axes[0].texts]
    assert "with 90 % intervals" in figure.caption
