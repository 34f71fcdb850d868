from virtuallab.reporting.figures import left_out


def test_each_rule_has_its_bar_and_its_number():
    axes = left_out.draw({"adam": 0.9, "oja": 0.55}).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Adam", "Oja"]
    assert [bar.get_width() for bar in axes.patches] == [0.9, 0.55]
    assert {"0.90", "0.55", "guessing 0.50"} <= {text.get_text() for text in axes.texts}


def test_the_dashed_line_is_that_of_guessing():
    axes = left_out.draw({"adam": 0.9}).axes[0]
    assert [line.get_xdata()[0] for line in axes.lines] == [0.5]
