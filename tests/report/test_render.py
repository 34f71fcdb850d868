from matplotlib.figure import Figure

from virtuallab.report.render import inline_svg, png, svg
from virtuallab.report.style import INK
from virtuallab.report.verdict_plates import summary_figure


def test_a_file_holds_the_same_bytes_each_time(tree):
    assert svg(summary_figure(tree)) == svg(summary_figure(tree))
    assert png(summary_figure(tree), dpi=60) == png(summary_figure(tree), dpi=60)


def test_a_file_is_a_document_of_its_own_on_white(tree):
    text = svg(summary_figure(tree))
    assert text.startswith("<?xml")
    assert "#ffffff" in text
    assert "<metadata>" not in text


def test_inside_a_page_ink_takes_the_readers_colour():
    figure = Figure(figsize=(2, 1))
    figure.text(0.5, 0.5, "word", color=INK)
    text = inline_svg(figure, "one", 'says "<word>"')
    assert text.startswith('<svg role="img"')
    assert 'aria-label="says &quot;&lt;word>&quot;"' in text
    assert INK not in text
    assert "currentColor" in text
    assert 'id="one-' in text
