from matplotlib.figure import Figure

from virtuallab.reporting.figures.common.captioned import CaptionedFigure, Panel
from virtuallab.reporting.page.template import render, verbatim


def page(**changed):
    values = {
        "title": "t",
        "question": "",
        "sections": [],
        "counts": [],
        "measure": "accuracy",
        "differences": [],
        "provenance": {},
        "why_none": "Nothing is decoded yet.",
    }
    figures = dict.fromkeys(("learning", "angles", "sizes", "activity"))
    more = {"unfinished": 0, "n_subjects": 0, "protocol": verbatim("")}
    return render("experiment.html.jinja", **{**values, **figures, **more, **changed})


def test_text_cannot_leave_its_place_and_a_number_stays_beside_its_per_cent():
    text = page(title="<b> \x1b[31m", question="of 95 % of subjects")
    assert "<h1>&lt;b&gt; \\x1b[31m</h1>" in text
    assert "of 95\u00a0% of subjects" in text


def test_a_protocol_is_shown_as_it_is():
    assert "noise: 5 % # &lt;b&gt;" in page(protocol=verbatim("noise: 5 % # <b>"))


def test_a_figure_has_its_text_alternative_and_its_caption():
    figure = CaptionedFigure((Panel(Figure(figsize=(1, 1)), "what it shows"),), "said", True)
    text = page(learning=figure)
    assert 'aria-label="what it shows"' in text
    assert '<div class="panels full">' in text
    assert "<figcaption>said</figcaption>" in text
