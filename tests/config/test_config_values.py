"""What a correct configuration means: values by type, overrides, paths, defaults, starters, schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reportgen.config import describe_schema, load_config
from reportgen.config_schema import Batch, CheckSetting, Config, Gate, Layers, Settings
from reportgen.config_yaml import read_yaml
from reportgen.errors import InputRefused, UsageError


def load(folder: Path, text: str, *overrides: str, **environment: str) -> Config:
    """Load a configuration's text."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides, environment=environment)


def test_87_plain_words_stay_words_where_a_text_is_meant(tmp_path: Path) -> None:
    classes = "[no, yes, on, 1, 1e3, 0x10, 12:30:00, ~x, 'null']"
    config = load(tmp_path, f"model: m.keras\ntitle: 2024-01-01\nbatch: {{path: t, x: 1, classes: {classes}}}\n")
    assert config.title == "2024-01-01"
    assert config.batch is not None and config.batch.x == {"": "1"}
    assert config.batch.classes == {"": ("no", "yes", "on", "1", "1e3", "0x10", "12:30:00", "~x", "null")}


@pytest.mark.parametrize(("text", "value"), [("1e3", 1000), ("1_000", 1000), ("7", 7), ('"7"', 7), ("2.0", 2)])
def test_87_whole_numbers_are_understood(tmp_path: Path, text: str, value: int) -> None:
    assert load(tmp_path, f"model: m\nseed: {text}\n").seed == value


@pytest.mark.parametrize(("text", "value"), [("9e-1", 0.9), (".9", 0.9), ("90%", 0.9), ("1", 1.0)])
def test_87_numbers_are_understood(tmp_path: Path, text: str, value: float) -> None:
    assert load(tmp_path, f"model: m\ngates: {{accuracy: {{min: {text}}}}}\n").gates == {"accuracy": Gate(min=value)}


@pytest.mark.parametrize(
    ("text", "value"), [("8 GB", 8 * 10**9), ("4GiB", 4 << 30), ("1e9", 10**9), ("512 mb", 512 * 10**6)]
)
def test_sizes(tmp_path: Path, text: str, value: int) -> None:
    assert load(tmp_path, f"model: m\nlimits: {{memory: {text}}}\n").limits.memory == value


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("10 min", 600), ("2 h", 7200), ("0.5h", 1800)])
def test_durations(tmp_path: Path, text: str, value: float) -> None:
    assert load(tmp_path, f"model: m\nlimits: {{seconds: {text}}}\n").limits.seconds == value


def test_the_configuration_of_the_design_is_read(tmp_path: Path) -> None:
    text = """\
title: Digits CNN
model: model.keras                 # .keras, .h5
history: history.csv
batch:
  path: test.npz
  x: x_test
  y: y_test
  classes: [zero, one, two]
task: auto
output: reports/digits
gates:
  accuracy: {min: 0.95}
checks:
  dead-units: error
  overfitting: {level: warn, threshold: 0.3}
"""
    config = load(tmp_path, text)
    assert config.title == "Digits CNN" and config.task == {"": "auto"}
    assert config.model == tmp_path / "model.keras" and config.history == tmp_path / "history.csv"
    assert config.output == tmp_path / "reports" / "digits"
    assert config.batch == Batch(
        path=tmp_path / "test.npz", x={"": "x_test"}, y={"": "y_test"}, classes={"": ("zero", "one", "two")}
    )
    assert config.checks == {
        "dead-units": CheckSetting(level="error"),
        "overfitting": CheckSetting(level="warn", threshold=0.3),
    }
    assert config.file == (tmp_path / "config.yaml").resolve()


def test_names_by_input_and_output(tmp_path: Path) -> None:
    batch = "{path: t, x: {a: xa, b: xb}, y: {o: yo}, classes: {o: [p, q], r: names.txt}}"
    config = load(tmp_path, f"model: m\nbatch: {batch}\ntask: {{o: binary}}\n")
    assert config.batch is not None
    assert config.batch.x == {"a": "xa", "b": "xb"} and config.batch.y == {"o": "yo"}
    assert config.batch.classes == {"o": ("p", "q"), "r": tmp_path / "names.txt"}
    assert config.task == {"o": "binary"}


def test_the_title_is_the_models_name_when_none_is_given(tmp_path: Path) -> None:
    assert load(tmp_path, "model: runs/best_one.keras\n").title == "best_one"


def test_set_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    text = "model: m\nseed: 1\ntitle: file\noutput: file\n"
    config = load(tmp_path, text, "seed=3", REPORTGEN_SEED="2", REPORTGEN_TITLE="environment")
    assert (config.seed, config.title, config.output) == (3, "environment", tmp_path / "file")
    assert ("--set seed", "seed") in config.overrides and ("REPORTGEN_TITLE", "title") in config.overrides


def test_overrides_reach_into_sections_and_make_them(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "model: m\nbatch:\ngates:\n",
        "batch.path=t.npz",
        "batch.x={a: b}",
        "formats=[json]",
        REPORTGEN_GATES__ACCURACY__MIN="0.5",
        REPORTGEN_CHECKS__DEAD_UNITS="off",
    )
    assert config.batch is not None and config.batch.path == tmp_path / "t.npz" and config.batch.x == {"a": "b"}
    assert config.formats == ("json",) and config.gates == {"accuracy": Gate(min=0.5)}
    assert config.checks == {"dead-units": CheckSetting(level="off")}


def test_other_variables_are_left_alone(tmp_path: Path) -> None:
    assert load(tmp_path, "model: m\n", REPORTGEN_KEY_SALT="secret", PATH="x").overrides == ()


def test_a_configuration_is_frozen(tmp_path: Path) -> None:
    config = load(tmp_path, "model: m\n")
    with pytest.raises(ValueError, match="frozen"):
        config.title = "x"


def keys_of(model: Any, path: str = "") -> list[str]:
    """Return the names of all keys of the schema."""
    found = []
    for name, field in model.model_fields.items():
        found.append(name)
        inner = field.annotation
        for candidate in getattr(inner, "__args__", (inner,)):
            if isinstance(candidate, type) and hasattr(candidate, "model_fields"):
                found += keys_of(candidate)
    return found


def test_default_yaml_equals_the_schemas_defaults_and_names_every_key() -> None:
    text = Path("configs/default.yaml").read_text(encoding="utf-8")
    tree = read_yaml(text.encode())
    assert not tree.mistakes
    assert Settings.model_validate(tree.value) == Settings(model=Path("model.keras"))
    for key in keys_of(Settings):
        assert re.search(rf"^(# *| *|.*\{{|.*, ){key}:", text, re.MULTILINE), f"default.yaml does not mention `{key}`"


def test_every_key_of_default_yaml_has_a_comment() -> None:
    lines = Path("configs/default.yaml").read_text(encoding="utf-8").splitlines()
    sections = {"layers:", "predictions:", "limits:"}
    for number, line in enumerate(lines):
        if re.match(r" *[a-z]+:", line) and line not in sections:
            assert lines[number - 1].strip().startswith("#"), line


@pytest.mark.parametrize("path", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_starter_is_a_valid_configuration(path: Path) -> None:
    assert load_config(path, environment={}).model


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*/config.yaml")), ids=lambda path: path.parent.name)
def test_every_example_is_a_valid_configuration(path: Path) -> None:
    assert load_config(path, environment={}).batch


def test_the_schema_describes_every_key_in_words() -> None:
    schema = describe_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == set(Settings.model_fields)
    for name, part in [("settings", schema), *schema["$defs"].items()]:
        for key, entry in part.get("properties", {}).items():
            assert entry.get("description"), f"{name}.{key}"
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("text", "value"), [("1.5 MiB", 1536 * 1024), ("900 KB", 900_000), ("600000", 600_000)])
def test_the_budget_is_a_size(tmp_path: Path, text: str, value: int) -> None:
    assert load(tmp_path, f"model: m\nbudget: {text}\n").budget == value


@pytest.mark.parametrize("text", ["21 MiB", "100 KB", "-1", "much"])
def test_a_budget_that_no_page_can_keep_or_no_one_can_open_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="budget"):
        load(tmp_path, f"model: m\nbudget: {text}\n")


def test_a_theme_has_paths_beside_the_configuration_and_a_colour(tmp_path: Path) -> None:
    theme = load(tmp_path, "model: m\ntheme: {logo: art/logo.svg, accent: '#0Bf', templates: house}\n").theme
    assert (theme.logo, theme.templates) == (tmp_path / "art/logo.svg", tmp_path / "house")
    assert theme.accent == "#00bbff"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme: {accent: green}", "must be a colour"),
        ("theme: {accent: '#12345; background: url(x)'}", "must be a colour"),
        ("theme: {colour: '#123456'}", "unknown key `colour`"),
        ("accent: '#123456'", "it is called `theme.accent`"),
        ("theme: {logo: https://example.org/logo.svg}", "network"),
        ("theme: dark", "must be a section"),
    ],
)
def test_a_theme_that_makes_no_sense_is_explained(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises((UsageError, InputRefused), match=re.escape(said)):
        load(tmp_path, f"model: m\n{text}\n")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("auto", "auto"), ("none", "none"), ("0", "none"), ("32", 32), ("many", None), ("5000", None)],
)
def test_a_number_of_samples_or_a_word(written: str, meant: object) -> None:
    """Gradients and saliency take auto, none or a bounded number."""
    if meant is None:
        with pytest.raises(ValueError, match="samples"):
            Layers(gradients=written)
    else:
        assert Layers(gradients=written, saliency=written).gradients == meant
