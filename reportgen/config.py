"""load_config: a YAML file, `--set` and REPORTGEN_* -> Config, with every mistake at once as file:line:column.

The configuration is not trusted: keys that would run code, and addresses on the network, are refused unless the command
line said `--trust`. Paths are relative to the configuration file, those of overrides too.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from reportgen.config_messages import UNSUPPORTED, explain, pattern_of, unknown_key
from reportgen.config_schema import Batch, CheckSetting, Config, Gate, Predictions, Settings
from reportgen.config_yaml import SIZE_LIMIT, Mistake, Path_, Tree, read_yaml
from reportgen.errors import InputRefused, UsageError
from reportgen.inputs.trust import NOTHING, Trust

__all__ = ["Batch", "CheckSetting", "Config", "Gate", "describe_schema", "load_config"]

PREFIX = "REPORTGEN_"
OTHER_VARIABLES = ("REPORTGEN_KEY_SALT",)  # read elsewhere, no key of the configuration
_SOURCES: tuple[Path_, ...] = (("model",), ("history",), ("batch", "path"), ("batch", "classes"), ("output",))
_SOURCES += (("batch", "vocabulary"), ("predictions", "path"), ("predictions", "classes"))
_CALLED: tuple[Path_, ...] = (("batch", "path"), ("predictions", "path"))  # where a function may be named
_NEED_X = (".npz", ".h5", ".hdf5")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

_Source = TypeVar("_Source", Batch, Predictions)


@dataclass(slots=True)
class _Draft:
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
        lines = [f"{place}: {mistake.text}" for mistake, place in sorted(self.wrong + self.refused)]
        if self.wrong:
            raise UsageError("\n".join(dict.fromkeys(lines)))
        if self.refused:
            raise InputRefused("\n".join(dict.fromkeys(lines)))


def load_config(
    path: str | Path,
    overrides: Sequence[str] = (),
    trust: Trust = NOTHING,
    confine: str | Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    keep_going: bool = False,
    output: Path | None = None,
) -> Config:
    """Read a configuration; `overrides` are `section.key=value` texts, `output` is the command line's (absolute).

    Raises UsageError with one line a mistake, or InputRefused where something is asked for that `trust` does not allow
    or that lies outside `confine`. Reads only the configuration itself; nothing heavy is imported.
    """
    file = Path(path)
    tree = read_yaml(_read_file(file))
    draft = _Draft(str(path), tree)
    draft.wrong += [(mistake, f"{path}:{mistake.line}:{mistake.column}") for mistake in tree.mistakes]
    if not tree.whole:
        draft.raise_if_wrong()
    if tree.value is None:
        tree.value = {}
    if not isinstance(tree.value, dict):
        draft.blame((), "the file must hold `key: value` lines")
        draft.raise_if_wrong()
    _apply_overrides(draft, overrides, os.environ if environment is None else environment)
    _take_out_unsupported(draft, trust)
    _refuse_sources(draft, trust)
    settings = _validate(draft)
    draft.raise_if_wrong()
    assert settings is not None
    if output is not None:
        settings = settings.model_copy(update={"output": output})
    return _settle(settings, file, draft, trust, confine, keep_going)


def describe_schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file, for editors."""
    schema = Settings.model_json_schema()
    setting = schema["$defs"]["CheckSetting"]
    schema["$defs"]["CheckSetting"] = {"anyOf": [{"enum": ["off", "warn", "error"]}, setting]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "reportgen configuration"}


def _read_file(path: Path) -> bytes:
    """Return the bytes of a regular file of bounded size; raises UsageError otherwise."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{path}: is a folder; name the configuration file in it")
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path}: is not a regular file")
        with path.open("rb") as stream:
            return stream.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; `reportgen init` writes one") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _apply_overrides(draft: _Draft, overrides: Sequence[str], environment: Mapping[str, str]) -> None:
    """Put the environment's values, then those of `--set`, over the file's."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in OTHER_VARIABLES:
            keys = tuple(part.lower() for part in name.removeprefix(PREFIX).split("__"))
            if keys[0] == "checks" and len(keys) > 1:
                keys = ("checks", keys[1].replace("_", "-"), *keys[2:])
            _override(draft, keys, environment[name], name)
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            draft.wrong.append((Mistake(0, 0, "write it as --set section.key=value"), f"--set {text}"))
            continue
        _override(draft, tuple(part.strip() for part in key.split(".")), value, f"--set {key.strip()}")


def _override(draft: _Draft, keys: tuple[str, ...], text: str, origin: str) -> None:
    """Set one value from outside the file; sections on the way to it are made."""
    if keys[0] == "trust":
        draft.wrong.append((Mistake(0, 0, "trust can only be given as --trust on the command line"), origin))
        return
    read = read_yaml(text.encode("utf-8", "surrogateescape"))
    draft.wrong += [(Mistake(0, mistake.column, mistake.text), origin) for mistake in read.mistakes]
    place = draft.tree.value
    for key in keys[:-1]:
        if place.get(key) is None:
            place[key] = {}
        place = place[key]
        if not isinstance(place, dict):
            draft.wrong.append((Mistake(0, 0, f"`{key}` is not a section in {draft.name}"), origin))
            return
    place[keys[-1]] = read.value
    draft.origins[keys] = origin


def _take_out_unsupported(draft: _Draft, trust: Trust) -> None:
    """Blame keys whose behaviour does not exist yet; those that would run code are refused unless trusted."""
    for path in [path for path in _paths(draft.tree.value) if pattern_of(path) in UNSUPPORTED]:
        needs = UNSUPPORTED[pattern_of(path)]
        parent = _look_up(draft.tree.value, path[:-1])
        if isinstance(parent, dict):
            parent.pop(str(path[-1]), None)
        name = ".".join(map(str, path))
        if needs and needs not in trust:
            draft.blame(
                path,
                f"`{name}` would run code: it needs --trust={needs} (and is not supported yet)",
                key=True,
                refuse=True,
            )
        else:
            draft.blame(path, f"`{name}` is not supported yet", key=True)
    model = draft.tree.value.get("model")
    if isinstance(model, dict):
        draft.tree.value["model"] = "unsupported"
        for key in model:
            if ("model", key) not in UNSUPPORTED:
                draft.blame(("model", key), f"`model` must be a path; `{key}` is not known under it", key=True)


def _paths(value: Any, path: Path_ = ()) -> list[Path_]:
    """Return the paths of all keys of nested mappings (lists are not entered), at most three levels deep."""
    if not isinstance(value, dict) or len(path) > 2:
        return []
    found: list[Path_] = []
    for key, below in value.items():
        found += [(*path, key), *_paths(below, (*path, key))]
    return found


def _look_up(value: Any, path: Path_) -> Any:
    """Return what stands at `path`, or None."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _refuse_sources(draft: _Draft, trust: Trust) -> None:
    """Refuse addresses on the network and `module:function` where a path should stand."""
    for path in _SOURCES:
        value = _look_up(draft.tree.value, path)
        entries = (
            {path: value} if not isinstance(value, dict) else {(*path, key): below for key, below in value.items()}
        )
        for place, text in _texts(entries):
            if isinstance(text, str) and "code" in trust and place in _CALLED and _FUNCTION.fullmatch(text):
                continue
            needs = "remote" if _ADDRESS.match(text) else "code" if _FUNCTION.fullmatch(text) else ""
            if needs and needs not in trust:
                act = "would read from the network" if needs == "remote" else "would run code"
                text = f"`{text}` {act}: it needs --trust={needs} (and is not supported yet); name a local file"
                draft.blame(place, text, refuse=True)
            elif needs:
                draft.blame(place, f"`{text}` is not supported yet; name a local file")


def _texts(entries: dict[Path_, Any]) -> Iterator[tuple[Path_, str]]:
    """Yield the texts among the entries, those in lists too, each with the place it is told at."""
    for place, value in entries.items():
        yield from ((place, text) for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


def _require(draft: _Draft) -> None:
    """Blame what is missing where one key needs another."""
    tree = draft.tree.value
    batch, made = (part if isinstance(part, dict) else {} for part in (tree.get("batch"), tree.get("predictions")))
    if made.get("path") is None:
        if tree.get("model") is None:
            draft.blame((), "`model` is required")
        if made.get("y_pred") or made.get("y_true"):
            draft.blame(("predictions",), "`predictions.path` is required")
    else:
        if made.get("y_pred") is None:
            draft.blame(("predictions",), "`predictions.y_pred` is required")
        for other in ("model", "batch"):
            if tree.get(other) is not None:
                draft.blame((other,), f"`{other}` and `predictions.path` exclude each other; remove one", key=True)
    if batch.get("path") and batch.get("x") is None and str(batch["path"]).lower().endswith(_NEED_X):
        draft.blame(("batch",), "`batch.x` is required")


def _validate(draft: _Draft) -> Settings | None:
    """Validate the tree; every error goes to its place in the file."""
    _require(draft)
    try:
        settings = Settings.model_validate(draft.tree.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] == "too_short" and detail["input"]:
                continue  # it holds entries; what is wrong with them is told
            path, key, text = explain(detail)
            draft.blame(path, text, key=key)
        settings = None
    codes = _check_codes()
    checks = draft.tree.value.get("checks")
    for code in checks if codes and isinstance(checks, dict) else ():
        if code not in codes:
            draft.blame(("checks", code), unknown_key(code, codes).replace("key", "check", 1), key=True)
    return settings


def _check_codes() -> tuple[str, ...]:
    """Return the codes of all checks."""
    try:
        from reportgen.checks import CHECKS
    except ImportError:
        return ()
    return tuple(check.meta.code for check in CHECKS)


def _settle(
    settings: Settings, file: Path, draft: _Draft, trust: Trust, confine: str | Path | None, keep_going: bool
) -> Config:
    """Make every path absolute, keep it below `confine`, and add what the command line granted."""
    folder = file.resolve().parent
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    values["title"] = settings.title or (settings.model or settings.predictions.path or Path("report")).stem
    values["output"] = folder / settings.output.expanduser()
    values["model"] = settings.model and folder / settings.model.expanduser()
    history = settings.history
    if isinstance(history, Path):
        values["history"] = folder / history.expanduser()
    elif history is not None:
        values["history"] = tuple(folder / path.expanduser() for path in history)
    if settings.batch is not None:
        values["batch"] = _absolute(settings.batch, folder)
    if settings.predictions.path is not None:
        values["predictions"] = _absolute(settings.predictions, folder)
    applied = tuple((origin, ".".join(map(str, path))) for path, origin in draft.origins.items())
    inside = Path(confine).resolve() if confine is not None else None
    if inside is not None:
        paths: dict[Path_, Path] = {("output",): values["output"]}
        paths |= {("model",): values["model"]} if values["model"] else {}
        _keep_inside(draft, inside, paths, values, file)
        draft.raise_if_wrong()
    return Config.model_construct(
        **values, file=file.resolve(), overrides=applied, trust=trust, confine=inside, keep_going=keep_going
    )


def _absolute(part: _Source, folder: Path) -> _Source:
    """Return the section with its paths below `folder`; `module:function` stays as it is."""
    changes: dict[str, Any] = {}
    for key in ("classes", "vocabulary"):
        lists = getattr(part, key, {})
        changes[key] = {n: folder / v.expanduser() if isinstance(v, Path) else v for n, v in lists.items()}
    if part.path is not None and not _FUNCTION.fullmatch(str(part.path)):
        changes["path"] = folder / part.path.expanduser()
    return part.model_copy(update={key: value for key, value in changes.items() if hasattr(part, key)})


def _keep_inside(draft: _Draft, inside: Path, paths: dict[Path_, Path], values: dict[str, Any], file: Path) -> None:
    """Blame every path that leads outside the folder of `--confine`, links followed."""
    history = values["history"]
    for index, path in enumerate((history,) if isinstance(history, Path) else history or ()):
        paths[("history", *((index,) if history != path else ()))] = path
    for name in ("batch", "predictions"):
        part = values[name]
        if part is None or part.path is None:
            continue
        if not _FUNCTION.fullmatch(str(part.path)):
            paths[(name, "path")] = part.path
        for key in ("classes", "vocabulary"):
            for inner, given in getattr(part, key, {}).items():
                if isinstance(given, Path):
                    paths[(name, key, inner)] = given
    paths[()] = file
    for path, place in paths.items():
        if not place.resolve().is_relative_to(inside):
            what = f"`{place}`" if path else "the configuration itself"
            draft.blame(path, f"{what} lies outside {inside}, the folder of --confine", refuse=True)
