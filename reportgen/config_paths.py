"""A configuration in the making: where its mistakes are told, and its paths made absolute and kept below a folder."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reportgen.config_batch import Batch, Predictions
from reportgen.config_model import Build
from reportgen.config_schema import Config, Settings
from reportgen.config_values import FUNCTION
from reportgen.config_yaml import Mistake, Path_, Tree
from reportgen.errors import InputRefused, UsageError, on_one_line
from reportgen.inputs.trust import Trust

Source = TypeVar("Source", Batch, Predictions)
Remote = tuple[tuple[Path, str], ...]  # where a file will lie once it is fetched, and its address


@dataclass(slots=True)
class Draft:
    """A configuration in the making: the tree, what was overridden from where, and what is wrong so far."""

    name: str
    tree: Tree
    origins: dict[Path_, str] = field(default_factory=dict)
    wrong: list[tuple[Mistake, str]] = field(default_factory=list)
    refused: list[tuple[Mistake, str]] = field(default_factory=list)

    def blame(self, path: Path_, text: str, *, key: bool = False, refuse: bool = False) -> None:
        """Note that the value (or the key) at `path` is wrong, or must not be followed."""
        origin = next((self.origins[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.origins), "")
        line, column = self.tree.key_position(path) if key else self.tree.position(path)
        place = origin or f"{self.name}:{line}:{column}"
        (self.refused if refuse else self.wrong).append((Mistake(line, column, text), place))

    def raise_if_wrong(self) -> None:
        """Raise everything that is wrong, or else everything that is refused, sorted by place."""
        told = sorted(self.wrong + self.refused)
        lines = list(dict.fromkeys(on_one_line(f"{place}: {mistake.text}") for mistake, place in told))
        if self.wrong:
            raise UsageError("\n".join(lines))
        if self.refused:
            raise InputRefused(*lines)


def settle(
    settings: Settings,
    file: Path,
    draft: Draft,
    trust: Trust,
    confine: str | Path | None,
    keep_going: bool,
    remote: Remote = (),
) -> Config:
    """Make every path absolute, keep it below `confine`, and add what the command line granted.

    `remote` are the files that will be fetched, each with its address; they come to lie in a folder of our own.
    """
    values = _absolute_values(settings, file.resolve().parent)
    applied = tuple((origin, ".".join(map(str, path))) for path, origin in draft.origins.items())
    inside = Path(confine).resolve() if confine is not None else None
    if inside is not None:
        paths: dict[Path_, Path] = {("output",): values["output"]}
        paths |= {(name,): values[name] for name in ("model", "baseline") if values[name]}
        _keep_inside(draft, inside, paths, values, file, {path for path, _ in remote})
        draft.raise_if_wrong()
    return Config.model_construct(
        **values,
        file=file.resolve(),
        overrides=applied,
        trust=trust,
        confine=inside,
        keep_going=keep_going,
        remote=remote,
    )


def _absolute_values(settings: Settings, folder: Path) -> dict[str, Any]:
    """Return the settings by name, every path an absolute one."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    model = _model_path(settings)
    values["title"] = settings.title or (model or settings.predictions.path or Path("report")).stem
    values["output"] = _at(folder, settings.output)
    values["model"] = model and _at(folder, model)
    values["build"] = settings.model if isinstance(settings.model, Build) else None
    values["baseline"] = settings.baseline and _at(folder, settings.baseline)
    values["python"] = settings.python and _at(folder, settings.python)
    history = settings.history
    if isinstance(history, Path):
        values["history"] = _at(folder, history)
    elif history is not None:
        values["history"] = tuple(_at(folder, path) for path in history)
    if settings.batch is not None:
        values["batch"] = _absolute(settings.batch, folder)
    if settings.predictions.path is not None:
        values["predictions"] = _absolute(settings.predictions, folder)
    values["theme"] = settings.theme.model_copy(
        update={
            key: _at(folder, path)
            for key in ("logo", "templates")
            if (path := getattr(settings.theme, key)) is not None
        }
    )
    return values


def _model_path(settings: Settings) -> Path | None:
    """Return the model's file; of a model that a function builds: its weights, else the function's module."""
    if not isinstance(settings.model, Build):
        return settings.model
    module = settings.model.builder.partition(":")[0]
    return settings.model.weights or Path(*module.split(".")).with_suffix(".py")


def _at(folder: Path, path: Path) -> Path:
    """Return a path of the configuration as an absolute one; a `~` that means nobody's home is a plain letter."""
    with contextlib.suppress(RuntimeError):
        path = path.expanduser()
    return folder / path


def _absolute(part: Source, folder: Path) -> Source:
    """Return the section with its paths below `folder`; `module:function` stays as it is."""
    changes: dict[str, Any] = {}
    for key in ("classes", "vocabulary"):
        lists = getattr(part, key, {})
        changes[key] = {n: _at(folder, v) if isinstance(v, Path) else v for n, v in lists.items()}
    if part.path is not None and not FUNCTION.fullmatch(str(part.path)):
        changes["path"] = _at(folder, part.path)
    return part.model_copy(update={key: value for key, value in changes.items() if hasattr(part, key)})


def _keep_inside(
    draft: Draft, inside: Path, paths: dict[Path_, Path], values: dict[str, Any], file: Path, fetched: set[Path]
) -> None:
    """Blame every path that leads outside the folder of `--confine`, links followed."""
    history = values["history"]
    for index, path in enumerate((history,) if isinstance(history, Path) else history or ()):
        paths[("history", *((index,) if history != path else ()))] = path
    for name in ("batch", "predictions"):
        part = values[name]
        if part is None or part.path is None:
            continue
        if not FUNCTION.fullmatch(str(part.path)):
            paths[(name, "path")] = part.path
        for key in ("classes", "vocabulary"):
            for inner, given in getattr(part, key, {}).items():
                if isinstance(given, Path):
                    paths[(name, key, inner)] = given
    for key in ("logo", "templates"):
        if (own := getattr(values["theme"], key)) is not None:
            paths[("theme", key)] = own
    paths[()] = file
    for path, place in paths.items():
        if place not in fetched and not place.resolve().is_relative_to(inside):
            what = f"`{place}`" if path else "the configuration itself"
            draft.blame(path, f"{what} lies outside {inside}, the folder of --confine", refuse=True)
