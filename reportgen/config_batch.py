"""What a configuration may say about data: the test batch, how it is prepared and shown, predictions made elsewhere."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from reportgen.config_values import Classes, FilePath, Name, Names, Number, Part, Sources, Whole
from reportgen.worker.plan import PREPROCESSES

Preprocess = Literal[PREPROCESSES]  # type: ignore[valid-type]
Decode = Literal["", "image", "float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"]


def _fraction(value: Any) -> Any:
    """Read `1/255` as people write it; other texts are left to the number's own reader."""
    if isinstance(value, str) and value.count("/") == 1:
        above, below = value.split("/")
        try:
            return float(above) / float(below)
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"must be a number or a fraction such as 1/255, not `{value}`") from None
    return value


def _several(value: Any) -> Any:
    """Take one number where one a channel may stand."""
    return value if isinstance(value, (list, tuple)) else [value]


Fraction = Annotated[Number, BeforeValidator(_fraction, json_schema_input_type=float | str)]
PerChannel = Annotated[
    tuple[Fraction, ...], BeforeValidator(_several, json_schema_input_type=list[float | str] | float | str)
]


class Normalize(Part):
    """What is done to one input before the model: times `scale`, minus `mean`, divided by `std`; or `preprocess`."""

    scale: Fraction = Field(default=1.0, description="Values are multiplied by this, such as 1/255.")
    mean: PerChannel = Field(default=(), description="Then this is subtracted: a number, or one a channel.")
    std: PerChannel = Field(default=(), description="Then they are divided by this: a number, or one a channel.")
    preprocess: Preprocess | None = Field(
        default=None, description="Instead: the preprocess_input of this module of keras.applications."
    )

    @model_validator(mode="before")
    @classmethod
    def _take_name(cls, data: Any) -> Any:
        """Take `normalize: resnet50` for `normalize: {preprocess: resnet50}`."""
        return {"preprocess": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _check_sense(self) -> Normalize:
        """Refuse what cannot be done, or would be done twice."""
        if self.preprocess and (self.scale != 1.0 or self.mean or self.std):
            raise ValueError("takes either `preprocess` or numbers (scale, mean, std), not both")
        if any(value == 0 for value in self.std):
            raise ValueError("divides by a `std` of 0")
        if not all(math.isfinite(value) for value in (self.scale, *self.mean, *self.std)):
            raise ValueError("needs finite numbers")
        return self


class Display(Part):
    """How one input becomes a picture again: times `std`, plus `mean`, then black and white at the ends of `range`."""

    range: tuple[Number, Number] | None = Field(default=None, description="The values drawn black and white: [-1, 1].")
    mean: PerChannel = Field(default=(), description="Added before drawing: a number, or one a channel.")
    std: PerChannel = Field(default=(), description="Multiplied by before that: a number, or one a channel.")
    channels: Literal["rgb", "bgr"] = Field(default="rgb", description="The order of the colours.")

    @model_validator(mode="after")
    def _check_sense(self) -> Display:
        """Refuse a range without length."""
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("needs a `range` of two numbers, the lower one first")
        return self


class Feature(Part):
    """One feature of a TFRecord: what it is decoded to, and the shape of one sample."""

    dtype: Literal["float32", "int64", "string"] = Field(default="float32", description="How it is stored.")
    shape: tuple[Whole, ...] = Field(default=(), description="The shape of one sample; [] for a single value.")
    decode: Decode = Field(
        default="", description="For bytes: image, or the number type of raw bytes such as uint8. Left out: text."
    )


def _by_input(kind: type[Part], value: Any) -> Any:
    """Take the settings of the only input where a mapping by input name is meant."""
    if not isinstance(value, dict) or set(value) & set(kind.model_fields):
        return {"": value}
    return value


Normalizes = Annotated[dict[str, Normalize], BeforeValidator(lambda value: _by_input(Normalize, value))]
Displays = Annotated[dict[str, Display], BeforeValidator(lambda value: _by_input(Display, value))]


class Batch(Part):
    """The test batch: where it is, and what in it goes in and should come out."""

    path: FilePath = Field(
        description="NPZ, HDF5, CSV, Parquet or TFRecord file; folder of NPY files, of images by class, or a saved "
        "tf.data dataset; or module:function."
    )
    x: Sources = Field(
        default={},
        description="The array (or columns) with the inputs; for several inputs a mapping {model input: array}.",
    )
    y: Sources = Field(
        default={}, description="The array (or columns) with the labels; a mapping {model output: array} for several."
    )
    classes: Classes = Field(
        default={},
        description="Class names: a list, a text file with one a line, or a mapping {model output: list or file}.",
    )
    ids: str = Field(default="", description="The array with a name for each sample, shown wherever the sample is.")
    features: Names = Field(default=(), description="Names for the columns of a two-dimensional input.")
    size: tuple[Whole, Whole] | None = Field(
        default=None, description="Height and width of images from files; left out: the model's."
    )
    color: Literal["", "rgb", "grayscale", "rgba"] = Field(
        default="", description="Channels of images from files; left out: the model's."
    )
    tfrecord: dict[Name, Feature] = Field(default={}, description="The features of a TFRecord by name.")
    vocabulary: Classes = Field(default={}, description="Words by token number: a list, or a text file, one a line.")
    normalize: Normalizes = Field(default={}, description="What is done to an input before the model sees it.")
    display: Displays = Field(default={}, description="How an input is turned back into a picture.")


class Predictions(Part):
    """How many samples the prediction grid shows; and predictions that were made elsewhere, where there is no model."""

    worst: Whole = Field(default=24, ge=0, le=1000, description="The samples with the largest loss.")
    seeded: Whole = Field(default=24, ge=0, le=1000, description="Samples drawn by the seed, whatever their loss.")
    path: FilePath | None = Field(
        default=None, description="Without a model: the file with predictions from any framework (as batch.path)."
    )
    y_pred: Sources = Field(default={}, description="The array (or columns) with scores, values or classes.")
    y_true: Sources = Field(default={}, description="The array (or columns) with the labels.")
    x: Sources = Field(default={}, description="The array (or columns) with the inputs, to show them.")
    classes: Classes = Field(default={}, description="Class names, as batch.classes.")
    ids: str = Field(default="", description="The array with a name for each sample.")
    features: Names = Field(default=(), description="Names for the columns of a two-dimensional input.")
    vocabulary: Classes = Field(default={}, description="Words by token number, as batch.vocabulary.")
    display: Displays = Field(default={}, description="How an input is turned back into a picture, as batch.display.")
    logits: bool = Field(default=False, description="The scores are logits: they are turned into probabilities.")
