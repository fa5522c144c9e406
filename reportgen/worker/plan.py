"""The plan: what the parent asks of the worker. Plain dataclasses of JSON types; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field

# The modules of keras.applications whose `preprocess_input` a configuration may name.
PREPROCESSES = (
    "convnext",
    "densenet",
    "efficientnet",
    "efficientnet_v2",
    "imagenet_utils",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
)

AUTO = -1


def samples_of(setting: int | str) -> int:
    """Return a number of samples, `AUTO`, or 0 for "none"."""
    return setting if isinstance(setting, int) else AUTO if setting == "auto" else 0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Where the model is: its absolute path and its format by content.

    "keras", "h5", "savedmodel" (a folder), "builder" (a function makes it, `path` holds its weights, "" for none), or
    "none" without a model.

    `safe_mode` is Keras's; False only where the command line said `--trust=lambda`. `builder` is `module:function`;
    `custom_objects` maps names in the file to `module:Name`. Modules are looked for in `root` first. `notes` are told.
    """

    path: str
    format: str
    safe_mode: bool = True
    builder: str = ""
    custom_objects: dict[str, str] = field(default_factory=dict)
    root: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NormalizeSpec:
    """What is done to one input: times `scale`, minus `mean`, divided by `std`.

    `mean` and `std` are one number, or one a channel of the last axis; or, alone, the `preprocess_input` of one of
    PREPROCESSES.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    preprocess: str = ""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One feature of a TFRecord: "float32", "int64" or "string" as stored, a sample's shape, how bytes are decoded."""

    dtype: str
    shape: tuple[int, ...]
    decode: str = ""


@dataclass(frozen=True, slots=True)
class BatchSpec:
    """Where the batch is. `x` maps model input names to array names ("" for the only input), `y` output names likewise.

    An empty `y` means no labels. `ids` names an array of sample ids, if any. `classes` maps output name ("" for all) to
    names. `columns` are a table's columns by the array name that stands for them in `x` and `y`; `features` name the
    columns of an input. `size` is (height, width) of pictures and `color` their kind, where given; `shapes` is what the
    model takes (0: open), filled in by the worker. `records` are a TFRecord's features. `root` is where
    `module:function` is looked for.
    """

    path: str
    format: str
    x: dict[str, str]
    y: dict[str, str]
    ids: str = ""
    weights: str = ""
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    features: dict[str, tuple[str, ...]] = field(default_factory=dict)
    normalize: dict[str, NormalizeSpec] = field(default_factory=dict)
    records: dict[str, FeatureSpec] = field(default_factory=dict)
    size: tuple[int, ...] = ()
    color: str = ""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    root: str = ""


@dataclass(frozen=True, slots=True)
class PredictionsSpec:
    """Predictions made elsewhere: `y_pred` maps output names ("" for the only one) to array names of the batch.

    The batch's `x` then holds both these arrays and, under the names of `inputs`, what may be shown of the samples.
    """

    y_pred: dict[str, str]
    inputs: dict[str, str] = field(default_factory=dict)
    logits: bool = False


@dataclass(frozen=True, slots=True)
class EarlierSpec:
    """What an earlier run made of each sample, as base64: keys (<u8), losses (<f4), whether these may grow, fall (u1).

    The samples that moved most are kept for the comparison.
    """

    keys: str
    losses: str
    may_grow: str
    may_fall: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the worker.

    `tasks` maps output name ("" for all) to a task or "auto"; `keep_worst` and `keep_seeded` bound the samples whose
    content comes back; `map_samples` and `map_layers` bound the activation maps; `layers_named` are layers to show
    whatever the rule says.
    `statistics` is "auto" (two tiers), "all" or "off"; `statistics_samples` bounds the samples they stand on (0: all).
    `gradients` is the number of labelled samples that gradients and the training-mode pass stand on, `saliency` that of
    the shown samples with a saliency map (0: none, AUTO: what is usual, fewer where a sample is costly).
    `chunk` is the number of samples a step (0: from the estimate of activation bytes).
    """

    model: ModelSpec
    batch: BatchSpec | None
    tasks: dict[str, str] = field(default_factory=dict)
    keep_worst: int = 24
    keep_seeded: int = 24
    map_samples: int = 4
    map_layers: int = 12
    layers_named: tuple[str, ...] = ()
    statistics: str = "auto"
    statistics_samples: int = 0
    gradients: int = AUTO
    saliency: int = AUTO
    chunk: int = 0
    seed: int = 0
    record_limit: int = 20_000
    privacy: str = "show"
    key_salt: str = ""
    predictions: PredictionsSpec | None = None
    earlier: EarlierSpec | None = None
