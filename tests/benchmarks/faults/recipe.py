"""A recipe says all that makes a case: data, model, training, and what is wrong with it. Its hash names its folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields

FORMAT = 1  # raised when a recipe's words come to mean something else: every case is then made again

TUNING_KINDS = ("mlp", "cnn", "recurrent")
HELD_OUT_KINDS = ("residual", "attention", "autoencoder")
KINDS = TUNING_KINDS + HELD_OUT_KINDS


@dataclass(frozen=True, slots=True)
class Recipe:
    """One case. Knobs that keep their default are not part of the hash, so that new knobs leave old cases valid.

    Model: `depth` counts hidden layers (blocks), `head` is the width of the dense layer before the output (0: none).
    `init` is "" (Keras's own) or an initializer as in `models.INITIALIZERS`, for the layers that `init_layers` names
    ("all", "first", "middle", "head"); `bias` likewise is a constant for the biases of `bias_layers`.
    Training: `lr` scales with `schedule` ("", "decay", "growing", "spike", "dying"); `samples` bounds the training
    part; `stop` is the patience of EarlyStopping (0: none), `restore` its restore_best_weights.
    """

    kind: str
    data: str
    seed: int
    fault: str = ""
    way: str = ""
    width: int = 32
    depth: int = 2
    head: int = 32
    activation: str = "relu"
    cell: str = "GRU"
    code: int = 16
    norm: str = ""
    momentum: float = 0.9
    dropout: float = 0.0
    noise: float = 0.0
    l2: float = 0.0
    activity: float = 0.0
    shortcut: bool = True
    init: str = ""
    init_layers: str = "all"
    bias: float = 0.0
    bias_layers: str = "first"
    front: str = ""
    stop_gradient: bool = False
    linear: str = ""
    last: str = ""
    loss: str = ""
    logits: bool = False
    frozen: str = ""
    unfreeze: bool = False
    optimizer: str = "Adam"
    lr: float = 3e-3
    optimizer_momentum: float = 0.0
    schedule: str = ""
    epochs: int = 40
    batch: int = 64
    samples: int = 0
    stop: int = 8
    restore: bool = True
    shuffle: bool = True
    scale: float = 1.0
    target_scale: float = 1.0
    spoil: str = ""
    label_noise: float = 0.0
    class_weight: float = 0.0
    batch_part: str = "test"
    edit: str = ""

    @property
    def held_out(self) -> bool:
        """Tell whether thresholds were not allowed to look at this case."""
        return self.kind in HELD_OUT_KINDS

    def to_json(self) -> str:
        """Return the canonical text: what differs from the defaults, sorted."""
        left = {f.name: f.default for f in fields(self) if f.default is not MISSING}
        known = {name: value for name, value in asdict(self).items() if name not in left or value != left[name]}
        return json.dumps(known, sort_keys=True)

    def digest(self) -> str:
        """Return the name of the case's folder."""
        return hashlib.sha256(f"{FORMAT}:{self.to_json()}".encode()).hexdigest()[:20]
