from matplotlib.figure import Figure

from virtuallab.reporting import summary_figure
from virtuallab.reporting.render import inline_svg, png
from virtuallab.reporting.style import INK


def test_a_file_holds_the_same_bytes_each_time(tree):
    assert png(summary_figure(tree), dpi=60) == png(summary_figure(tree), dpi=60)


def test_inside_a_page_ink_takes_the_readers_colour():
    figure = Figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "word", color=INK)
    text = inline_svg(figure, "one", 'says "<word>"')
    assert text.startswith('<svg role="img"')
    assert 'aria-label="says &quot;&lt;word>&quot;"' in text
    assert INK not in text
    assert "currentColor" in text
    assert 'id="one-' in text
    assert "<metadata>" not in text
