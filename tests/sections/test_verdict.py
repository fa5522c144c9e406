"""The verdict: contrasting cases must read differently, say n, and never praise what is not known."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from reportgen.analysis.evidence import Artifacts, Problem
from reportgen.checks import CheckSetting, run_checks
from reportgen.checks.gates import judge
from reportgen.report.types import Finding, Metric, Verdict
from reportgen.report.values import Missing
from reportgen.sections.metrics import metrics_of
from reportgen.sections.verdict import choose
from tests.evidence_builder import make_artifacts


@dataclass(frozen=True)
class Bounds:
    min: float | None = None
    max: float | None = None
    max_drop: float | None = None


def judged(artifacts: Artifacts, gates: dict[str, Bounds] | None = None, **settings: CheckSetting) -> Verdict:
    """Run the real metrics, checks and gates, as the pipeline does."""
    metrics = metrics_of(artifacts)
    findings = run_checks(artifacts, {code.replace("_", "-"): setting for code, setting in settings.items()})
    return choose(artifacts, metrics, findings, judge(metrics, gates or {}))


def with_last_weights(artifacts: Artifacts) -> Artifacts:
    """Record in the history that the file holds the weights of its last epoch."""
    assert artifacts.history is not None
    last = int(artifacts.history.curves[0].epochs[-1])
    return replace(artifacts, history=replace(artifacts.history, restored_epoch=last))


def labels_and_scores(truth: np.ndarray, said: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays for a classifier that says `said` with a confidence of 0.9."""
    scores = np.full((len(truth), classes), 0.1 / (classes - 1))
    scores[np.arange(len(truth)), said] = 0.9
    return truth, scores


def flipped(share: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return a three-class problem of which `share` is answered rightly."""
    truth = np.arange(n) % 3
    wrong = np.arange(n) >= round(share * n)
    return labels_and_scores(truth, np.where(wrong, (truth + 1) % 3, truth), 3)


def rare_class() -> tuple[np.ndarray, np.ndarray]:
    """Return a problem with 2% of a rare class, which the model finds at the price of accuracy."""
    truth = np.where(np.arange(1000) % 50 == 0, 1, 0)
    said = np.where((truth == 1) | (np.arange(1000) % 12 == 1), 1, 0)
    return labels_and_scores(truth, said, 2)


def one_answer() -> tuple[np.ndarray, np.ndarray]:
    truth = np.arange(300) % 3
    return labels_and_scores(truth, np.zeros(300, int), 3)


def all_alike() -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros(200, int)
    return labels_and_scores(truth, truth, 3)


def nan_scores() -> tuple[np.ndarray, np.ndarray]:
    truth = np.arange(200) % 3
    return truth, np.full((200, 3), np.nan)


CASES: dict[str, tuple[Callable[[], Verdict], str, str, str]] = {
    # name: (how to get it, case, level, what it must say about n)
    "better": (lambda: judged(make_artifacts()), "better", "good", "200 samples"),
    "perfect": (
        lambda: judged(make_artifacts(arrays=flipped(1.0), classes=3)),
        "perfect",
        "good",
        "400 samples",
    ),
    "worse than the baseline": (
        lambda: judged(make_artifacts(arrays=flipped(0.05), classes=3)),
        "worse-than-baseline",
        "bad",
        "400 samples",
    ),
    "equal to the baseline": (
        lambda: judged(make_artifacts(arrays=flipped(0.33), classes=3)),
        "equal-to-baseline",
        "bad",
        "400 samples",
    ),
    "one answer to everything": (
        lambda: judged(make_artifacts(arrays=one_answer(), classes=3)),
        "collapsed",
        "bad",
        "300 samples",
    ),
    "rare class found": (
        lambda: judged(make_artifacts(arrays=rare_class(), classes=2, history=None)),
        "better-by-class-only",
        "caution",
        "1,000 samples",
    ),
    "all labels alike": (
        lambda: judged(make_artifacts(arrays=all_alike(), classes=3)),
        "one-kind-of-label",
        "unknown",
        "200 samples",
    ),
    "too few to tell from the baseline": (
        lambda: judged(make_artifacts(arrays=flipped(0.5, n=10), classes=3)),
        "too-few-samples",
        "unknown",
        "10 samples",
    ),
    "better but few": (lambda: judged(make_artifacts(n=12)), "better-but-few", "caution", "12 samples"),
    "no labels": (lambda: judged(make_artifacts(labels=False)), "no-labels", "unknown", "200 samples"),
    "NaN scores": (
        lambda: judged(make_artifacts(arrays=nan_scores(), classes=3)),
        "no-value",
        "unknown",
        "200 labelled samples",
    ),
    "NaN weights": (lambda: judged(make_artifacts(nan_weights="conv2")), "broken-weights", "bad", "200 samples"),
    "NaN activations": (
        lambda: judged(make_artifacts(nan_activations="conv2")),
        "better-but-failed",
        "bad",
        "200 samples",
    ),
    "overfitted": (
        lambda: judged(with_last_weights(make_artifacts(history="overfitting"))),
        "better-but-overfitted",
        "caution",
        "200 samples",
    ),
    "still improving": (
        lambda: judged(make_artifacts(history="improving")),
        "better-but-unfinished",
        "caution",
        "200 samples",
    ),
    "a warning": (
        lambda: judged(make_artifacts(dead={"conv2": 12})),
        "better-with-warnings",
        "caution",
        "200 samples",
    ),
    "still improving, with dead units": (
        lambda: judged(make_artifacts(history="improving", dead={"conv2": 12})),
        "better-with-warnings",
        "caution",
        "many units never fire and training stopped",
    ),
    "a warning made an error": (
        lambda: judged(make_artifacts(dead={"conv2": 12}), dead_units=CheckSetting(level="error")),
        "better-but-failed",
        "bad",
        "200 samples",
    ),
    "gate failed": (
        lambda: judged(make_artifacts(), {"accuracy": Bounds(min=0.99)}),
        "gate-failed",
        "bad",
        "200 samples",
    ),
    "gate of an unknown metric": (
        lambda: judged(make_artifacts(), {"acuracy": Bounds(min=0.9)}),
        "gate-unknown",
        "bad",
        "200 samples",
    ),
    "worker lost": (lambda: judged(make_artifacts(worker=False)), "no-model", "unknown", "any sample"),
    "cannot predict": (
        lambda: judged(
            make_artifacts(
                outputs=(), problems=(Problem("predict", "batch.npz: expected (n, 8, 8, 1), found (n, 9)."),)
            )
        ),
        "no-predictions",
        "unknown",
        "any sample",
    ),
    "no batch": (lambda: judged(make_artifacts(outputs=(), n_samples=0)), "no-batch", "unknown", "0 samples"),
    "regression better": (lambda: judged(make_artifacts("regression", classes=1)), "better", "good", "200 samples"),
    "regression worse": (
        lambda: judged(make_artifacts("regression", classes=1, quality=-3.0)),
        "worse-than-baseline",
        "bad",
        "200 samples",
    ),
    "two outputs better": (
        lambda: judged(make_artifacts(extra_outputs=(("parity", "binary"),))),
        "outputs-better",
        "good",
        "200 samples",
    ),
    "two outputs, both bad": (
        lambda: judged(make_artifacts(quality=0.0, extra_outputs=(("parity", "binary"),))),
        "outputs-bad",
        "bad",
        "200 samples",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_case_its_level_and_n(name: str) -> None:
    make, case, level, n = CASES[name]
    verdict = make()
    assert (verdict.case, verdict.level) == (case, level), verdict.sentence
    assert n in verdict.sentence


def test_no_two_cases_read_the_same() -> None:
    sentences = {name: make().sentence for name, (make, *_) in CASES.items()}
    for (a, one), (b, other) in itertools.combinations(sentences.items(), 2):
        assert one != other, (a, b)
        # Also without their numbers: "better" must not differ from "worse" in digits alone.
        same_case = CASES[a][1] == CASES[b][1]
        words = ["".join(c for c in text if not c.isdigit()) for text in (one, other)]
        assert same_case or words[0] != words[1], (a, b)


@pytest.mark.parametrize("name", CASES)
def test_a_sentence_is_one_plain_sentence(name: str) -> None:
    sentence = CASES[name][0]().sentence
    assert sentence.endswith(".") and ".." not in sentence and "\n" not in sentence and "  " not in sentence
    assert not sentence[0].islower() and "nan" not in sentence.lower().split() and "Missing" not in sentence


@pytest.mark.parametrize("name", [name for name, (_, _, level, _) in CASES.items() if level != "good"])
def test_only_good_cases_say_that_nothing_is_wrong(name: str) -> None:
    assert "no check found anything wrong" not in CASES[name][0]().sentence


def test_the_output_that_is_no_better_is_named_and_the_others_do_not_hide_it() -> None:
    good = make_artifacts(extra_outputs=(("parity", "binary"),))
    bad = make_artifacts(extra_outputs=(("parity", "binary"),), quality=0.0)
    assert good.worker is not None and bad.worker is not None
    mixed = replace(good, worker=replace(good.worker, outputs=(good.worker.outputs[0], bad.worker.outputs[1])))
    verdict = judged(mixed)
    assert verdict.case == "outputs-bad" and verdict.level == "bad"
    assert "1 of 2 outputs is" in verdict.sentence and "parity" in verdict.sentence


def test_an_output_without_labels_is_not_passed_over() -> None:
    both = make_artifacts(extra_outputs=(("parity", "binary"),))
    none = make_artifacts(extra_outputs=(("parity", "binary"),), labels=False)
    assert both.worker is not None and none.worker is not None
    mixed = replace(both, worker=replace(both.worker, outputs=(both.worker.outputs[0], none.worker.outputs[1])))
    verdict = judged(mixed)
    assert verdict.case == "outputs-unsure" and "parity" in verdict.sentence and verdict.level == "unknown"


def test_a_gate_that_failed_is_said_before_the_praise_and_broken_weights_before_the_gate() -> None:
    gate = {"accuracy": Bounds(min=0.99), "log_loss": Bounds(max=10.0)}
    assert judged(make_artifacts(), gate).sentence.startswith("1 of 2 gates did not hold: accuracy")
    assert judged(make_artifacts(nan_weights="dense"), gate).case == "broken-weights"


def test_a_gate_that_failed_on_a_collapsed_model_says_so() -> None:
    collapsed = make_artifacts(arrays=one_answer(), classes=3)
    sentence = judged(collapsed, {"accuracy": Bounds(min=0.9)}).sentence
    assert sentence.startswith("The gate did not hold") and "nearly one answer to everything" in sentence
    assert "answer" not in judged(make_artifacts(), {"accuracy": Bounds(min=0.99)}).sentence


def test_gates_that_hold_change_nothing() -> None:
    assert judged(make_artifacts(), {"accuracy": Bounds(min=0.5)}).case == "better"


def test_a_check_that_broke_is_mentioned() -> None:
    artifacts = make_artifacts()
    metrics = metrics_of(artifacts)
    broken = Finding("dead-units", "The check dead-units could not be completed", "error", "warn", "It failed.")
    assert choose(artifacts, metrics, (broken,), ()).case == "better-unchecked"


def test_a_metric_without_a_baseline_is_not_called_good() -> None:
    artifacts = make_artifacts()
    metrics = tuple(replace(metric, baseline=None, baseline_name="") for metric in metrics_of(artifacts))
    verdict = choose(artifacts, metrics, (), ())
    assert verdict.case == "no-baseline" and verdict.level == "unknown" and "200 samples" in verdict.sentence


def test_a_missing_headline_gives_its_reason() -> None:
    artifacts = make_artifacts()
    lost = Missing("every score is NaN")
    metrics: tuple[Metric, ...] = tuple(replace(m, value=lost, low=lost, high=lost) for m in metrics_of(artifacts))
    assert "every score is NaN" in choose(artifacts, metrics, (), ()).sentence


def test_hostile_names_stay_bounded() -> None:
    lost = make_artifacts(worker=False)
    long = replace(lost, problems=(Problem("worker", "x" * 5000),))
    assert len(judged(long).sentence) < 500


def test_a_log_loss_above_its_baseline_is_not_a_matter_of_a_rare_class() -> None:
    """Twelve equal classes, one answer to most of them, scores that lean the right way: nothing is rare here."""
    truth = np.arange(1200) % 12
    scores = np.full((1200, 12), 0.08)
    scores[:, 0] = 0.1
    scores[np.arange(1200), truth] += 0.015
    artifacts = make_artifacts(arrays=(truth, scores / scores.sum(axis=1, keepdims=True)), classes=12, history=None)
    verdict = judged(artifacts, collapsed_predictions=CheckSetting(level="off"))
    assert verdict.case == "better-by-class-only" and "rare class" not in verdict.sentence
    assert verdict.sentence.endswith("its scores know something, its answers do not.")
