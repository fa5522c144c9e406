"""load_config: a YAML file, `--set` and REPORTGEN_* -> Config, with every mistake at once as file:line:column.

The configuration is not trusted: keys that would run code, and addresses on the network, are refused unless the command
line said `--trust`. Paths are relative to the configuration file, those of overrides too.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reportgen.config_messages import UNSUPPORTED, explain, pattern_of, unknown_key
from reportgen.config_paths import Draft, settle
from reportgen.config_schema import Batch, CheckSetting, Config, Gate, Settings
from reportgen.config_sources import settle_sources
from reportgen.config_yaml import SIZE_LIMIT, Mistake, Path_, read_yaml
from reportgen.errors import UsageError
from reportgen.inputs.trust import NOTHING, Trust

__all__ = ["Batch", "CheckSetting", "Config", "Gate", "describe_schema", "load_config"]

PREFIX = "REPORTGEN_"
OTHER_VARIABLES = ("REPORTGEN_KEY_SALT",)  # read elsewhere, no key of the configuration
_RUNS_CODE: dict[Path_, str] = {("python",): "python", ("custom_objects",): "custom_objects"}
_RUNS_CODE |= {("model", "builder"): "builder"}
_NEED_X = (".npz", ".h5", ".hdf5")


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
    draft = Draft(str(path), tree)
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
    _refuse_code(draft, trust)
    remote = settle_sources(draft, trust)
    settings = _validate(draft)
    draft.raise_if_wrong()
    assert settings is not None
    if output is not None:
        settings = settings.model_copy(update={"output": output})
    return settle(settings, file, draft, trust, confine, keep_going, remote)


def describe_schema() -> dict[str, Any]:
    """Return the JSON Schema of the configuration file, for editors."""
    schema = Settings.model_json_schema()
    setting = schema["$defs"]["CheckSetting"]
    schema["anyOf"] = [{"required": ["model"]}, {"required": ["predictions"]}]
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


def _apply_overrides(draft: Draft, overrides: Sequence[str], environment: Mapping[str, str]) -> None:
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


def _override(draft: Draft, keys: tuple[str, ...], text: str, origin: str) -> None:
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


def _take_out_unsupported(draft: Draft, trust: Trust) -> None:
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


def _refuse_code(draft: Draft, trust: Trust) -> None:
    """Refuse keys that run code, unless the command line trusts them."""
    for path, needs in _RUNS_CODE.items():
        if _look_up(draft.tree.value, path) is not None and needs not in trust:
            name = ".".join(map(str, path))
            draft.blame(
                path, f"`{name}` runs code: it needs --trust={needs} on the command line", key=True, refuse=True
            )


def _require(draft: Draft) -> None:
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
    for name, gate in tree["gates"].items() if isinstance(tree.get("gates"), dict) else ():
        if isinstance(gate, dict) and gate.get("max_drop") is not None and tree.get("baseline") is None:
            text = "`max_drop` needs `baseline`: the earlier report that is compared with"
            draft.blame(("gates", name, "max_drop"), text, key=True)
    if batch.get("path") and batch.get("x") is None and str(batch["path"]).lower().endswith(_NEED_X):
        draft.blame(("batch",), "`batch.x` is required")


def _validate(draft: Draft) -> Settings | None:
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
    checks = draft.tree.value.get("checks")
    if isinstance(checks, dict) and checks:
        _look_at_checks(draft, checks)
    return settings


def _look_at_checks(draft: Draft, checks: Mapping[str, Any]) -> None:
    """Blame codes that no check has, and thresholds that a check cannot have."""
    from reportgen.checks import CHECKS  # importing them all takes a while

    known = {check.meta.code: check.meta for check in CHECKS}
    for code, setting in checks.items():
        threshold = setting.get("threshold") if isinstance(setting, dict) else None
        if code not in known:
            draft.blame(("checks", code), unknown_key(code, tuple(known)).replace("key", "check", 1), key=True)
        elif threshold is not None and known[code].threshold is None:
            draft.blame(("checks", code, "threshold"), f"the check `{code}` has no threshold", key=True)
