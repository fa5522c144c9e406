"""The gallery: the worst samples first, then a seeded choice, each with what the model said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from reportgen.analysis.metrics import score_samples
from reportgen.analysis.metrics.value import SampleScores
from reportgen.report.blocks import Card, FlatBlock, Gallery, SampleCard
from reportgen.report.values import number
from reportgen.sections.output_view import OutputView
from reportgen.sections.samples import (
    PRIVACY_WORDS,
    Content,
    has_pictures,
    kept_name,
    key_text,
    record_name,
    scale_words,
    show_content,
)
from reportgen.sections.words import count, number_text, percent, share_text

MOST_WITHOUT_CONTENT = 24
MOST_WORDS = 24  # cards of text or features are tall
Outcome = Literal["right", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one task says of one kept sample: words for truth and prediction, the outcome, further label/value pairs."""

    truth: str
    prediction: str
    outcome: Outcome
    details: tuple[tuple[str, str], ...] = ()


Say = Callable[[OutputView, SampleScores, int], Said]
Show = Callable[[OutputView, int, str], Content]


def show_inputs(view: OutputView, row: int, alt: str) -> Content:
    """Show the inputs of a kept sample: what most tasks want."""
    return show_content(view.artifacts, row, view.context, alt)


@dataclass(frozen=True, slots=True)
class Style:
    """How one task shows its samples: what is drawn, how the drawing reads, the reading, and how many at most."""

    show: Show = show_inputs
    legend: str = ""
    describe: Callable[[tuple[SampleCard, ...]], str] | None = None
    most: int = 0


def gallery_blocks(view: OutputView, say: Say, style: Style = Style()) -> tuple[FlatBlock, ...]:
    """Return the gallery of one output: from the kept samples, else from the records (no content then)."""
    kept = view.kept
    if kept is None:
        return _gallery_of_records(view)
    truth = view.kept_truth
    scores = score_samples(view.output.task, truth, kept.predictions[view.output.name], view.output.scores)
    said = [say(view, scores, row) for row in range(len(kept.positions))]
    worst, best, seeded = _order(view, scores, said)
    most = style.most or (0 if has_pictures(kept) else MOST_WORDS)
    if most:
        worst = worst[: most - min(len(best) + len(seeded), most // 3)]
        seeded = seeded[: max(most - len(worst) - len(best), 0)]
    cards = []
    for row in (*worst, *best, *seeded):
        name = kept_name(kept, row, view.artifacts.privacy)
        cards.append(_card(view, row, said[row], scores, style.show(view, row, _alt(name, said[row]))))
    if not cards:
        return ()
    content = style.legend or scale_words(view.artifacts)
    if view.artifacts.privacy not in ("show", "blur"):
        content = ""
    parts = (_rule(view, len(worst), len(best), len(seeded)), content, PRIVACY_WORDS.get(view.artifacts.privacy, ""))
    title = "Samples, worst first" if worst else "Samples"
    reading = (style.describe or describe_gallery)(tuple(cards))
    rule = " ".join(part for part in parts if part)
    return (Gallery(view.id("samples"), title, view.output.name, rule, tuple(cards), reading),)


def _order(view: OutputView, scores: SampleScores, said: list[Said]) -> tuple[list[int], list[int], list[int]]:
    """Return rows of the kept samples: the worst (mistakes first, by loss), the best, the seeded ones in batch order.

    The best are shown where outputs are compared with targets by eye; a best sample among the worst counts there.
    """
    kept = view.kept
    if kept is None:
        return [], [], []
    loss = np.nan_to_num(np.asarray(scores.loss, dtype=np.float64), nan=-np.inf, posinf=np.inf)
    known = ~np.isnan(np.asarray(scores.loss, dtype=np.float64))
    worst = [i for i, reason in enumerate(kept.reasons) if "worst" in reason and known[i]]
    worst.sort(key=lambda i: (said[i].outcome != "wrong", -loss[i], int(kept.positions[i])))
    best = [i for i, reason in enumerate(kept.reasons) if "best" in reason and i not in worst]
    best.sort(key=lambda i: (loss[i], int(kept.positions[i])))
    if view.output.task != "reconstruction":
        best = []
    seeded = [i for i, reason in enumerate(kept.reasons) if reason != "best" and i not in (*worst, *best)]
    return worst, best, sorted(seeded, key=lambda i: int(kept.positions[i]))


def _rule(view: OutputView, worst: int, best: int, seeded: int) -> str:
    """Say how the samples were chosen."""
    seed = f"drawn with seed {view.artifacts.seed} from {count(view.output.n, 'sample')}"
    if not worst:
        return f"{count(seeded, 'sample')} {seed}."
    first = f"First the {count(worst, 'sample')} with the largest loss"
    first += f"; then the {best:,} with the smallest" if best else ", mistakes before right answers"
    return f"{first}; then {count(seeded, 'sample')} {seed}." if seeded else f"{first}."


def _alt(name: str, said: Said) -> str:
    """Return the text alternative of a sample's picture."""
    return f"{name}: label {said.truth}, predicted {said.prediction}"


def _card(view: OutputView, row: int, said: Said, scores: SampleScores, content: Content) -> SampleCard:
    """Return the card of one kept sample."""
    kept = view.kept
    if kept is None:
        raise ValueError("no sample was kept")
    confidence, loss = float(scores.confidence[row]), float(scores.loss[row])
    return SampleCard(
        key=key_text(int(kept.keys[row])),
        label=kept_name(kept, row, view.artifacts.privacy),
        truth=said.truth,
        prediction=said.prediction,
        outcome=said.outcome,
        confidence=number(confidence) if view.probabilistic and np.isfinite(confidence) else None,
        loss=number(loss) if np.isfinite(loss) else None,
        image=content.image,
        text=content.text,
        details=(*said.details, *content.features),
        features=len(content.features),
    )


def _gallery_of_records(view: OutputView) -> tuple[FlatBlock, ...]:
    """Return cards without content from the sample records, or why there are none."""
    records = view.output.records
    if not len(records.keys):
        return (Card("info", "No samples", "No sample of this output came back from the model run."),)
    loss = np.nan_to_num(records.loss.astype(np.float64), nan=-np.inf)
    order = np.lexsort((records.positions, -loss))[:MOST_WITHOUT_CONTENT]
    classes = view.output.task in ("multiclass", "binary")
    cards = []
    for row in order.tolist():
        truth, prediction = float(records.truth[row]), float(records.prediction[row])
        write = view.class_name if classes else number_text
        known = classes and truth == truth
        confidence = float(records.confidence[row])
        cards.append(
            SampleCard(
                key=key_text(int(records.keys[row])),
                label=record_name(records, row, view.artifacts.privacy),
                truth=write(truth) if truth == truth else "no label",
                prediction=write(prediction),
                outcome="unknown" if not known else "right" if truth == prediction else "wrong",
                confidence=number(confidence) if view.probabilistic and np.isfinite(confidence) else None,
                loss=number(float(records.loss[row])) if np.isfinite(records.loss[row]) else None,
            )
        )
    rule = f"The {count(len(cards), 'sample')} with the largest loss. {PRIVACY_WORDS.get(view.artifacts.privacy, '')}"
    reading = describe_gallery(tuple(cards))
    return (Gallery(view.id("samples"), "Samples, worst first", view.output.name, rule.strip(), tuple(cards), reading),)


def describe_gallery(cards: tuple[SampleCard, ...]) -> str:
    """Say in one sentence how many of the shown samples are wrong, and which mistake is the surest."""
    wrong = [card for card in cards if card.outcome == "wrong"]
    known = [card for card in cards if card.outcome != "unknown"]
    if not known:
        return describe_losses(cards)
    if not wrong:
        return f"No mistake among the {count(len(known), 'shown sample')}, the hardest ones included."
    first = f"{share_text(len(wrong), len(known), 'shown sample')} {'is' if len(wrong) == 1 else 'are'} wrong"
    sure = [card for card in wrong if isinstance(card.confidence, (int, float))]
    if not sure:
        return f"{first}; the worst is {wrong[0].label}, {wrong[0].truth} called {wrong[0].prediction}."
    surest = max(sure, key=_confidence_of)
    called = f"{surest.truth} called {surest.prediction} with {percent(surest.confidence)} confidence"
    return f"{first}; the surest mistake is {surest.label}: {called}."


def describe_losses(cards: tuple[SampleCard, ...], name: str = "loss") -> str:
    """Say in one sentence which shown sample is worst, and how far it stands from the middle one."""
    losses = sorted((card for card in cards if isinstance(card.loss, (int, float))), key=_loss_of)
    if not losses:
        return f"{count(len(cards), 'sample')} without labels: what the model says, not whether it is right."
    worst, middle = losses[-1], losses[len(losses) // 2]
    first = (
        f"The worst of {count(len(losses), 'shown sample')} is {worst.label} with a {name} of {number_text(worst.loss)}"
    )
    return f"{first}; the middle one has {number_text(middle.loss)}." if len(losses) > 2 else f"{first}."


def _loss_of(card: SampleCard) -> float:
    """Return the loss of a card, 0 when it has none."""
    return float(card.loss) if isinstance(card.loss, (int, float)) else 0.0


def _confidence_of(card: SampleCard) -> float:
    """Return the confidence of a card, 0 when it has none."""
    return float(card.confidence) if isinstance(card.confidence, (int, float)) else 0.0
