"""One model output as the predictions section sees it: evidence, restored accumulator, names, block ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reportgen.analysis.evidence import Array, Artifacts, KeptSamples, OutputEvidence
from reportgen.analysis.metrics import ACCUMULATORS
from reportgen.sections.context import Context
from reportgen.sections.words import shorten


@dataclass(frozen=True, slots=True)
class OutputView:
    """What the builders of one task need. `prefix` starts every block id, so that several outputs do not collide."""

    artifacts: Artifacts
    context: Context
    output: OutputEvidence
    accumulator: Any
    prefix: str

    @property
    def labelled(self) -> bool:
        """Say whether any sample of this output has a label."""
        return self.output.n_labelled > 0

    @property
    def probabilistic(self) -> bool:
        """Say whether the output's numbers are, or were turned into, probabilities."""
        return self.output.scores in ("probabilities", "logits")

    @property
    def kept(self) -> KeptSamples | None:
        """The samples whose content may be shown, if their predictions for this output came back."""
        kept = self.artifacts.worker.kept if self.artifacts.worker else None
        return kept if kept is not None and self.output.name in kept.predictions and len(kept.positions) else None

    @property
    def kept_truth(self) -> Array | None:
        """The labels of the kept samples, or None."""
        return self.kept.targets.get(self.output.name) if self.kept and self.labelled else None

    def id(self, name: str) -> str:
        """Return the id of the block `name` of this output."""
        return f"{self.prefix}{name}"

    def class_name(self, index: float) -> str:
        """Return the name of a class, or its number; "not known" for NaN."""
        if index != index:
            return "not known"
        names = self.output.class_names
        return shorten(names[int(index)], 60) if 0 <= index < len(names) else f"class {int(index)}"


def make_view(artifacts: Artifacts, context: Context, place: int) -> OutputView:
    """Return the view of the output at `place`; raises ValueError or KeyError if its state cannot be restored."""
    if artifacts.worker is None:
        raise ValueError("there is no evidence of any output")
    outputs = artifacts.worker.outputs
    output = outputs[place]
    prefix = "predictions-" if len(outputs) == 1 else f"predictions-{place + 1}-"
    return OutputView(artifacts, context, output, ACCUMULATORS[output.task].from_state(output.state), prefix)
