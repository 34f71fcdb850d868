import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser

import pytest

from tests.reporting.synthetic import REASON, experiment
from virtuallab.reporting import experiment_page

CHROMIUM = shutil.which("chromium")
VOID = {"meta", "br", "img", "link", "hr"}


class Page(HTMLParser):
    """Collects what tests ask for, and fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.labels, self.figures = [], [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids.append(found["id"])
        if found.get("role") == "img":
            self.labels.append(found.get("aria-label"))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.ids += [value for name, value in attributes if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_no_two_things_share_an_id(page):
    read = Page(page)
    assert read.open == []
    assert len(read.ids) == len(set(read.ids))


def test_the_page_needs_no_network_and_no_script(page):
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "<script" not in page
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_references_inside_figures_find_their_target(page):
    targets = set(Page(page).ids)
    used = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert used
    assert used <= targets


def test_every_figure_says_what_it_shows(page):
    labels = Page(page).labels
    # accuracy and controls by classifier; confusion, reliability, groups held out and rules left
    # out by probe; accuracy and loss by architecture; angles and sizes by architecture (of all
    # rules, of those with backward weights); rules
    assert len(labels) == 2 + 2 + 3 + 3 * 3 + 2 * 2 + 2 * (2 + 2) + 4
    assert all(len(label) > 30 for label in labels)


def test_the_same_tree_gives_the_same_page(page):
    assert experiment_page(experiment(held_out=True, judged=True)) == page


@pytest.mark.slow
def test_reports_made_at_once_do_not_disturb_one_another(page):
    made = []
    tree = experiment(held_out=True, judged=True)
    threads = [
        threading.Thread(target=lambda: made.append(experiment_page(tree))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [page, page]


def test_the_page_shows_question_verdict_and_protocol_as_they_are(page):
    assert "Can 40 noisy units tell backprop from &lt;feedback alignment&gt;?" in page
    assert "Corrected for 22 comparisons, all identify the rule" in page
    assert "# Which recording could tell?" in page
    assert page.count("<feedback alignment>") == 0


def test_a_hostile_label_cannot_leave_its_figure():
    tree = experiment(classifiers=("random_forest",))
    subjects = tree["subjects"].to_dataset()
    names = subjects["rule"].to_numpy().copy()
    names[names == "adam"] = '<b>"&$x^{$\\1'
    tree["subjects"] = subjects.assign(rule=("subject", names))
    text = experiment_page(tree)
    assert Page(text).open == []
    assert "<b>" not in text


def test_before_decoding_the_page_shows_what_was_learned():
    text = experiment_page(experiment(decoded=False, recorded=False, pending=5))
    assert "Nothing is decoded yet" in text
    assert "5 of 48 subjects are not trained yet" in text
    assert "Learning curves" in text
    assert "Accuracy by probe and observable" not in text


def test_without_kept_recordings_the_page_says_why_there_are_none():
    text = experiment_page(experiment(recorded=False))
    assert "No probe stores its recordings" in text


def test_held_out_results_are_shown_where_there_are_some(page):
    assert ">held-out architecture</th>" in page
    assert ">knet4</" in page
    assert "Generalisation to held-out groups" in page
    assert "held-out" not in experiment_page(experiment())


def test_references_are_compared_where_there_are_some(page):
    assert "Held-out groups with references" in page
    row = page[page.index('<th scope="row">its own rule</th>') :].split("</tr>")[0]
    assert row.count("<td>") == 4
    assert row.index("<td>\u2013</td>") < row.index("0.")
    assert "references" not in experiment_page(experiment())


def test_two_analyses_have_a_verdict_each_and_the_published_one_its_correction():
    text = experiment_page(experiment(published=True, classifiers=("random_forest",)))
    read = Page(text)
    assert len(read.ids) == len(set(read.ids))
    assert text.index("Verdict: main") < text.index("Verdict: as_published")
    assert text.count("whole subjects</th>") == 1


def test_a_failed_control_is_said_in_words_not_only_in_red():
    text = experiment_page(experiment(leaking="visit_0", classifiers=("random_forest",)))
    assert 'class="verdict control_failed"' in text
    assert text.count(">above chance</span>") == 11


def test_every_control_of_every_result_has_its_mark_and_the_mark_its_word():
    failing, absent = ("performance", "schedule_matched"), ("performance_matched",)
    one, few = ("random_forest",), ("learning_rate",)
    text = experiment_page(
        experiment(
            judged=True, failing=failing, undecided=few, not_evaluated=absent, classifiers=one
        )
    )
    table = text[text.index('<table class="marks"') :]
    table = table[: table.index("</table>")]
    assert table.count("✓") == table.count(">passed<") == 11 * 4
    assert table.count("✗") == table.count(">FAILED: ") == 11 * 2
    assert table.count(">?<") == table.count(">undecided: too few subjects<") == 11
    assert table.count("not evaluated") == 11
    assert table.count('class="limit"') == 11 * 3
    assert 'class="failed"' not in table


def test_a_control_at_fault_and_one_that_limits_look_different():
    text = experiment_page(
        experiment(judged=True, failing=("metadata",), classifiers=("random_forest",))
    )
    table = text[text.index('<table class="marks"') :]
    table = table[: table.index("</table>")]
    assert table.count('class="failed"') == 11
    assert 'class="limit"' not in table


def test_reasons_of_controls_that_were_not_evaluated_are_counted():
    text = experiment_page(
        experiment(judged=True, not_evaluated=("schedule",), classifiers=("random_forest",))
    )
    assert f"schedule is not evaluated: {REASON} (all 11 results)." in text


def test_what_was_not_measured_is_left_out_of_the_page():
    text = experiment_page(experiment(classifiers=("random_forest",)))
    for heading in ("Calibration", "Generalisation", "Detection of unknown rules"):
        assert heading not in text
    assert "Controls of the best of 11 results" in text


def test_the_page_stays_small(page):
    assert len(page.encode()) < 3_000_000


def test_the_page_explains_the_correction_of_controls_for_multiple_tests(page):
    assert "so the 88 controls are tested together (Holm correction)" in page


FITS = """<script>addEventListener("load", () => {
  const box = document.querySelector(".marks").parentElement;
  document.title = [box.scrollWidth <= box.clientWidth, box.scrollWidth, box.clientWidth].join();
})</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no browser")
def test_the_table_of_all_controls_fits_a_window_of_1200_pixels(tmp_path):
    one = ("random_forest",)
    tree = experiment(judged=True, not_evaluated=("performance_matched",), classifiers=one)
    wide = tree["decoding/main"].to_dataset()
    names = ["visit_0", "signal_removed", *wide["control"].values[1:], "step_matched"]
    wide = wide.isel(control=[0, *range(len(wide["control"])), -1]).assign_coords(control=names)
    tree["decoding/main"] = wide
    page = re.sub(r"<meta http-equiv[^>]*>", FITS, experiment_page(tree))  # it forbids scripts
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,800")
    done = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", f"file://{tmp_path}/page.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert re.search(r"<title>(.*?)</title>", done.stdout)[1].startswith("true")


def test_in_a_narrow_window_the_table_of_all_controls_scrolls_beside_its_names(page):
    assert re.search(r'<div class="wide" tabindex="0">\s*<table class="marks"', page)
    assert re.search(r"\.wide \{ overflow-x: auto; \}", page)
    assert re.search(r'\.marks th\[scope="row"\] \{ position: sticky; left: 0;', page)
