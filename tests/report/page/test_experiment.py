import re
import threading
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.report.synthetic import REASON, experiment
from virtuallab.report import build
from virtuallab.report.page.experiment import fates
from virtuallab.vocabulary import DIVERGED, DONE

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
    assert build(experiment(held_out=True, judged=True)) == page


def test_reports_made_at_once_do_not_disturb_one_another(page):
    made = []
    tree = experiment(held_out=True, judged=True)
    threads = [threading.Thread(target=lambda: made.append(build(tree))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [page, page]


def test_the_page_shows_question_verdict_and_protocol_as_they_are(page):
    assert "Can 40 noisy units tell backprop from &lt;feedback alignment&gt;?" in page
    assert "of them identify the rule" in page
    assert "# Which recording could tell?" in page
    assert page.count("<feedback alignment>") == 0


def test_a_hostile_label_cannot_leave_its_figure():
    tree = experiment(classifiers=("random_forest",))
    subjects = tree["subjects"].to_dataset()
    names = subjects["rule"].to_numpy().copy()
    names[names == "adam"] = '<b>"&$x^{$\\1'
    tree["subjects"] = subjects.assign(rule=("subject", names))
    text = build(tree)
    assert Page(text).open == []
    assert "<b>" not in text


def test_before_decoding_the_page_shows_what_was_learned():
    text = build(experiment(decoded=False, recorded=False, pending=5))
    assert "Nothing is decoded yet" in text
    assert "5 of 48 subjects are not trained yet" in text
    assert "How the subjects learned" in text
    assert "Accuracy by probe and observable" not in text


def test_without_kept_recordings_the_page_says_why_there_are_none():
    text = build(experiment(recorded=False))
    assert "No probe kept its recordings" in text


def test_held_out_results_are_shown_where_there_are_some(page):
    assert ">architecture held out</th>" in page
    assert ">knet4</" in page
    assert "Groups held out of training" in page
    assert "held out" not in build(experiment())


def test_two_analyses_have_a_verdict_each_and_the_flattering_one_its_correction():
    text = build(experiment(published=True, classifiers=("random_forest",)))
    read = Page(text)
    assert len(read.ids) == len(set(read.ids))
    assert text.index("Verdict: main") < text.index("Verdict: as_published")
    assert text.count("by whole subjects") == 1


def test_a_failed_control_is_said_in_words_not_only_in_red():
    text = build(experiment(leaking="visit_0", classifiers=("random_forest",)))
    assert 'class="verdict control_failed"' in text
    assert text.count(">above chance</span>") == 11


def test_every_control_of_every_result_has_its_mark_and_the_mark_its_word():
    failing, absent = ("performance", "schedule_matched"), ("performance_matched",)
    one = ("random_forest",)
    text = build(experiment(judged=True, failing=failing, not_asked=absent, classifiers=one))
    table = text[text.index('<table class="marks"') :]
    table = table[: table.index("</table>")]
    assert table.count("✓") == table.count(">passed<") == 11 * 5
    assert table.count("✗") == table.count(">FAILED<") == 11 * 2
    assert table.count("not asked") == 11
    assert table.count('class="limit"') == 11 * 2
    assert 'class="failed"' not in table


def test_a_control_at_fault_and_one_that_limits_look_different():
    text = build(experiment(judged=True, failing=("metadata",), classifiers=("random_forest",)))
    table = text[text.index('<table class="marks"') :]
    table = table[: table.index("</table>")]
    assert table.count('class="failed"') == 11
    assert 'class="limit"' not in table


def test_why_a_control_was_not_asked_is_said_once_with_how_often():
    text = build(experiment(judged=True, not_asked=("schedule",), classifiers=("random_forest",)))
    assert f"not asked, schedule: {REASON} (11 of 11 results)" in text


def test_what_an_older_store_lacks_is_left_out_of_the_page():
    text = build(experiment(classifiers=("random_forest",)))
    for heading in ("Calibration", "Groups held out", "Rules left out of training"):
        assert heading not in text
    assert "Controls of the best of 11 results" in text
    assert "(Holm)" not in text


def test_the_page_stays_small(page):
    assert len(page.encode()) < 3_000_000


def test_fates_count_every_subject_once(tree):
    subjects = tree["subjects"].to_dataset()
    rules = ["adam", "feedback_alignment", "information_alignment", "sgdm"]
    found = fates(subjects, tree, rules)
    status = subjects["status"].to_numpy()
    assert sum(fate.done for fate in found) == (status == DONE).sum()
    assert sum(fate.diverged for fate in found) == (status == DIVERGED).sum()
    assert all(f.total == f.done + f.diverged + f.failed + f.pending for f in found)


def test_the_final_accuracy_is_that_of_the_subjects_that_are_done(tree):
    subjects = tree["subjects"].to_dataset()
    (fate,) = fates(subjects, tree, ["adam"])
    done = ((subjects["rule"] == "adam") & (subjects["status"] == DONE)).to_numpy()
    last = tree["truth/validation_accuracy"].to_numpy()[done, -1]
    assert fate.accuracy == pytest.approx(tuple(np.percentile(last, (25, 50, 75))))
