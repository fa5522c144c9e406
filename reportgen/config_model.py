"""What a configuration may say about the model: a file or a function that builds it, its classes, where it runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from reportgen.config_values import FUNCTION, FilePath, Part

# How pydantic calls the two forms of `model`; nobody sees these names.
FILE_TAG, BUILD_TAG = "model: file", "model: build"
Backend = Literal["tensorflow", "jax", "torch"]


def _called(value: Any) -> Any:
    """Take a text that names something in a module."""
    if not isinstance(value, str) or not FUNCTION.fullmatch(value):
        raise ValueError(f"must be written as module:function, not `{value}`")
    return value


def _objects(value: Any) -> Any:
    """Take `[module:Name]` as {Name: module:Name}; a mapping gives another name, as the model file has it."""
    if isinstance(value, dict):
        return value
    listed = value if isinstance(value, list) else [value]
    return {_called(item).rpartition(":")[2]: item for item in listed}


def _tag(value: Any) -> str:
    """Tell a section from a path."""
    return BUILD_TAG if isinstance(value, dict | Build) else FILE_TAG


Called = Annotated[str, BeforeValidator(_called)]
Objects = Annotated[
    dict[str, Called], BeforeValidator(_objects, json_schema_input_type=list[str] | str | dict[str, str])
]


class Build(Part):
    """A model that a function returns, and the weights that are loaded into it."""

    builder: Called = Field(description="module:function that returns the model; the module is looked for here first.")
    weights: FilePath | None = Field(
        default=None, description="Weights for it: .weights.h5, .h5 or .keras. Left out: the function loads them."
    )


Model = Annotated[Annotated[FilePath, Tag(FILE_TAG)] | Annotated[Build, Tag(BUILD_TAG)], Discriminator(_tag)]
