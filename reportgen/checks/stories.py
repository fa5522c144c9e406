"""Findings that share a cause become one story: the cause first, then what follows from it, in one place each.

A pure function over what the checks found, with a literal table of causes. A story says what hangs together, not what
is proven: it is told only when the cause itself was found, and at least one thing that follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reportgen.report.types import Evidence, Finding, Story
from reportgen.report.values import Missing
from reportgen.report.words import count, join_words, lower, number_text, shorten

WRONG = ("failed", "warned")


@dataclass(frozen=True, slots=True)
class Cause:
    """One finding that may lie behind others: its code, how it is told, and the codes of what it can lead to."""

    code: str
    because: str
    leads_to: tuple[str, ...]


NOTHING_LEARNED = (
    "plateau",
    "underfitting",
    "collapsed-predictions",
    "class-never-predicted",
    "worse-than-baseline",
    "history-and-batch-disagree",
)
BROKEN = ("non-finite-weights", "non-finite-activations", "diverging-loss", "exploding-gradient")
STUCK_LAYERS = ("dead-units", "saturated-activations", "vanishing-gradient", "untrained-layer")

LATE = ("miscalibrated", "duplicate-filters")
# In the order in which a person should look: a story takes its findings away from those further down.
CAUSES: tuple[Cause, ...] = (
    Cause(
        "input-range-mismatch",
        "a batch on another scale drives the layers out of their range and makes every answer look wrong",
        ("dead-units", "saturated-activations", "batch-norm-statistics-off", "miscalibrated", *NOTHING_LEARNED),
    ),
    Cause(
        "wrong-last-layer-for-loss",
        "what the last layer gives can never please the loss, so that training has nothing to follow",
        (*BROKEN, "miscalibrated", "oscillating-loss", "learning-rate-too-high", *STUCK_LAYERS, *NOTHING_LEARNED),
    ),
    Cause(
        "missing-output-activation",
        "the loss clips scores that are no probabilities, and behind the clip there is no gradient",
        (*BROKEN, "miscalibrated", "oscillating-loss", "learning-rate-too-high", *STUCK_LAYERS, *NOTHING_LEARNED),
    ),
    Cause(
        "softmax-on-logits-loss",
        "probabilities squeezed a second time give small gradients and unsure answers",
        ("miscalibrated", "still-improving", "learning-rate-too-low", *STUCK_LAYERS, *NOTHING_LEARNED),
    ),
    Cause(
        "learning-rate-too-high",
        "steps that are too large throw the weights about, where units die or saturate, or out of bounds altogether",
        (*BROKEN, "oscillating-loss", "miscalibrated", *STUCK_LAYERS, *NOTHING_LEARNED),
    ),
    Cause(
        "diverging-loss",
        "training ran away, and the file holds what was left",
        (*(code for code in BROKEN if code != "diverging-loss"), "oscillating-loss", *STUCK_LAYERS, *NOTHING_LEARNED),
    ),
    Cause(
        "non-finite-weights",
        "one number that is not finite spoils everything computed after it",
        ("non-finite-activations", "exploding-gradient", *NOTHING_LEARNED),
    ),
    Cause(
        "exploding-gradient",
        "gradients without bounds make steps without bounds",
        ("oscillating-loss", "still-improving", *NOTHING_LEARNED),
    ),
    Cause(
        "duplicate-filters",
        "units that start alike get the same gradient and stay alike, however wide the layer is",
        ("vanishing-gradient", "untrained-layer", *NOTHING_LEARNED),
    ),
    Cause(
        "dead-units",
        "no gradient passes a unit that never fires, so that it and the layers before it stop learning",
        ("vanishing-gradient", "untrained-layer", "duplicate-filters", *NOTHING_LEARNED),
    ),
    Cause(
        "saturated-activations",
        "hardly any gradient passes a unit at the flat end of its activation",
        ("vanishing-gradient", "untrained-layer", "learning-rate-too-low", *NOTHING_LEARNED),
    ),
    Cause(
        "vanishing-gradient",
        "the first layers hardly learn, so that the rest works on features that are nearly random",
        ("untrained-layer", "learning-rate-too-low", "still-improving", *NOTHING_LEARNED),
    ),
    Cause(
        "frozen-layer-untrained",
        "whatever comes after works on random features",
        ("untrained-layer", *NOTHING_LEARNED),
    ),
    Cause(
        "learning-rate-too-low",
        "with steps that small the run ended before the model was trained",
        ("still-improving", "untrained-layer", *NOTHING_LEARNED),
    ),
    Cause("untrained-layer", "layers that training did not reach hold the rest back", NOTHING_LEARNED),
    Cause(
        "batch-norm-statistics-off",
        "in use the layers are normalised by numbers that do not fit the data",
        ("miscalibrated", "still-improving", "collapsed-predictions", *NOTHING_LEARNED[3:]),
    ),
    Cause(
        "overfitting",
        "what was learned by heart is told with great confidence and does not hold on new samples",
        ("best-epoch-not-restored", "miscalibrated", "history-and-batch-disagree", "parameter-heavy-layer"),
    ),
    Cause("stacked-linear-layers", "the model is simpler than it looks", ("underfitting", "worse-than-baseline")),
    Cause(
        "still-improving",
        "training ended before the model was done",
        ("underfitting", "worse-than-baseline"),
    ),
    Cause(
        "collapsed-predictions",
        "one answer for everything is never better than guessing",
        ("class-never-predicted", "worse-than-baseline", "underfitting", "history-and-batch-disagree"),
    ),
    Cause(
        "class-imbalance-hides-failure",
        "a rare class weighs little in the loss and in the accuracy",
        ("class-never-predicted", "miscalibrated"),
    ),
)


@dataclass(frozen=True, slots=True)
class Refinement:
    """What a second finding about the same layers tells of a cause: another sentence, and another first step.

    `zero`: only where the cause's first number is exactly zero.
    """

    code: str
    beside: str
    because: str
    first: str
    zero: bool = False


REFINEMENTS: tuple[Refinement, ...] = (
    Refinement(
        "dead-units",
        "untrained-layer",
        "these layers are as initialised: their units never fired from the start on, and no gradient passes them",
        "Look at how the layers start (bias_initializer, kernel_initializer) and at the scale of the inputs: units "
        "that never fired from the start on are not saved by a lower learning rate; LeakyReLU or GELU would let a "
        "gradient through.",
    ),
    Refinement(
        "saturated-activations",
        "untrained-layer",
        "these layers are as initialised: their units sat at the flat end from the start on",
        "Look at how the layers start (kernel_initializer) and at the scale of the inputs: normalise the inputs and "
        "use the default initializer, then train again.",
    ),
    Refinement(
        "vanishing-gradient",
        "untrained-layer",
        "no gradient at all arrives there: something stops it, rather than depth that wears it down",
        "Look for what stops the gradient: stop_gradient, an operation that has none, or an output that the loss does "
        "not use; then train again.",
        zero=True,
    ),
)

SHOWS = {"training": "the curve", "layers": "the layers", "architecture": "the graph", "predictions": "the samples"}


def tell_stories(findings: tuple[Finding, ...]) -> tuple[Story, ...]:
    """Join findings that share a cause, in the order in which a person should look; each finding is in one story."""
    wrong = {finding.code: finding for finding in findings if finding.outcome in WRONG}
    taken: set[str] = set()
    stories = []
    for cause in CAUSES:
        if cause.code not in wrong or cause.code in taken:
            continue
        follows = [wrong[code] for code in _effects(cause, wrong) if code not in taken]
        if follows:
            stories.append(_tell(wrong[cause.code], cause, follows))
            taken |= {cause.code, *(finding.code for finding in follows)}
    return tuple(stories)


def _effects(cause: Cause, wrong: Mapping[str, Finding]) -> list[str]:
    """Return the codes that were found of what a cause leads to, and of what these lead to in turn."""
    further = {each.code: each for each in CAUSES}
    found: dict[str, None] = {}
    waiting = [cause]
    while waiting:
        led = [code for code in waiting.pop(0).leads_to if code in wrong and code not in found and code != cause.code]
        found.update(dict.fromkeys(led))
        waiting += [further[code] for code in led if code in further]
    return list(found)


def order_findings(findings: tuple[Finding, ...], stories: tuple[Story, ...]) -> tuple[Finding, ...]:
    """Return the findings of each story together, causes first, before what belongs to none; else in their order."""
    places = {code: place for place, code in enumerate(code for story in stories for code in story.codes)}
    return tuple(sorted(findings, key=lambda finding: places.get(finding.code, len(places))))


def _tell(root: Finding, cause: Cause, follows: list[Finding]) -> Story:
    """Write one story; what shows most comes first, what only follows from wrong answers last."""
    follows = sorted(follows, key=lambda finding: finding.code in LATE)
    told = _refine(root, follows) or Refinement(root.code, "", cause.because, root.fix)
    titles = join_words([lower(finding.title) for finding in follows], most=4)
    text = (
        f"{_first_sentence(root.text)} {told.because[:1].upper()}{told.because[1:]}. That would explain what "
        f"else was found: {titles}."
    )
    return Story(
        title=root.title,
        text=text,
        first=told.first,
        then=f"Then make the report again: {count(len(follows), 'other finding')} may go away with it.",
        codes=(root.code, *(finding.code for finding in follows)),
        places=_places((root, *follows)),
    )


def _refine(root: Finding, follows: list[Finding]) -> Refinement | None:
    """Return what another finding about one of the same layers adds to a cause."""
    beside = {finding.code for finding in follows if set(finding.layers) & set(root.layers)}
    zero = next((piece.value == 0 for piece in root.evidence), False)
    here = (one for one in REFINEMENTS if one.code == root.code and one.beside in beside)
    return next((one for one in here if zero or not one.zero), None)


def _first_sentence(text: str) -> str:
    """Return a text up to its first full stop that is followed by a new sentence."""
    head, stop, _ = text.partition(". ")
    return f"{head}." if stop else text


def _places(findings: tuple[Finding, ...]) -> tuple[Evidence, ...]:
    """Return where to look: one place in each of curve, graph, layers and samples, the cause's own first."""
    found: dict[str, Evidence] = {}
    for finding in findings:
        where = SHOWS.get(finding.section, "")
        if where and where not in found:
            found[where] = Evidence(where, _what(finding), None, _anchor(finding))
    return tuple(found.values())


def _what(finding: Finding) -> str:
    """Say in a few words what is to be seen there."""
    if finding.section == "training" and finding.epochs:
        return f"from epoch {finding.epochs[0]:,}"
    if finding.layers:
        more = f" and {len(finding.layers) - 2:,} more" if len(finding.layers) > 2 else ""
        return ", ".join(shorten(layer, 40) for layer in finding.layers[:2]) + more
    pieces = [piece for piece in finding.evidence if not isinstance(piece.value, Missing)]
    # A curve is told by where it began and where it went; elsewhere the first number says most.
    said = [_number(piece) for piece in pieces[: 2 if finding.section == "training" else 1]]
    return ", ".join(said) or lower(finding.title)


def _number(piece: Evidence) -> str:
    """Write one piece of evidence in a few words."""
    value = piece.value if isinstance(piece.value, str) else number_text(piece.value)
    return f"{piece.label}: {shorten(value, 60)}"


def _anchor(finding: Finding) -> str:
    """Return the first anchor in the evidence, else the finding's own."""
    return next((piece.anchor for piece in finding.evidence if piece.anchor), f"finding-{finding.code}")
