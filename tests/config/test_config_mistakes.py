"""BAD_INPUTS 84-88, 108 and DESIGN section 5: what is wrong with a configuration, by place, all at once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from reportgen.cli import main
from reportgen.config import load_config
from reportgen.config_yaml import read_yaml
from reportgen.errors import InputRefused, ReportgenError, UsageError
from reportgen.inputs.trust import TRUSTS, read_trust


def write(folder: Path, text: str | bytes) -> Path:
    """Write a configuration."""
    path = folder / "config.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def mistakes(folder: Path, text: str | bytes, *overrides: str, trust: frozenset[str] = frozenset()) -> list[str]:
    """Return the lines that a configuration is answered with, without the folder."""
    with pytest.raises(ReportgenError) as caught:
        load_config(write(folder, text), overrides, trust, environment={})
    return [line.replace(f"{folder}{os.sep}", "") for line in caught.value.message.splitlines()]


def only(folder: Path, text: str | bytes, *overrides: str) -> str:
    """Return the one line that a configuration is answered with."""
    lines = mistakes(folder, text, *overrides)
    assert len(lines) == 1, lines
    return lines[0]


def test_84_an_unknown_key_has_its_place_and_the_nearest_key(tmp_path: Path) -> None:
    said = only(tmp_path, "model: m.keras\nbatch:\n  path: t.npz\n  x: x\n  clases: [a]\n")
    assert said == "config.yaml:5:3: unknown key `clases`; did you mean `classes`?"


def test_84_an_unknown_key_without_a_near_one_lists_the_known(tmp_path: Path) -> None:
    said = only(tmp_path, "model: m.keras\nlimits: {zzz: 1}\n")
    assert said == "config.yaml:2:10: unknown key `zzz`; known here: memory, seconds, download"


def test_84_an_unknown_check_has_the_nearest_one(tmp_path: Path) -> None:
    said = only(tmp_path, "model: m.keras\nchecks:\n  dead-unit: off\n")
    assert said == "config.yaml:3:3: unknown check `dead-unit`; did you mean `dead-units`?"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("dead-units: {threshold: -1}", "3:27: `checks.dead-units.threshold` must be at least 0, not -1"),
        ("untrained-layer: {threshold: 0.5}", "3:21: the check `untrained-layer` has no threshold"),
    ],
)
def test_a_threshold_that_no_check_can_have_is_refused(tmp_path: Path, setting: str, said: str) -> None:
    assert only(tmp_path, f"model: m.keras\nchecks:\n  {setting}\n").endswith(said)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
titel: x
batch:
  path: t.npz
task: multicalss
gates:
  accuracy: {min: high}
seed: -1
formats: [pdf]
"""
    lines = mistakes(tmp_path, text)
    assert [line.split(": ", 1)[0] for line in lines] == [
        "config.yaml:1:1",
        "config.yaml:1:1",
        "config.yaml:3:3",
        "config.yaml:4:7",
        "config.yaml:6:19",
        "config.yaml:7:7",
        "config.yaml:8:11",
    ]
    assert "did you mean `title`?" in "".join(lines) and "`model` is required" in "".join(lines)
    assert "`batch.x` is required" in lines[2]
    assert "did you mean multiclass?" in lines[3]
    assert "must be a number, not `high`" in lines[4]


def test_85_a_duplicate_key_names_both_places(tmp_path: Path) -> None:
    assert (
        only(tmp_path, "model: a\ntitle: b\nmodel: c\n")
        == "config.yaml:3:1: the key `model` is already given in line 1"
    )


def test_85_keys_below_a_duplicate_are_not_blamed_again(tmp_path: Path) -> None:
    text = "model: a\nlimits: {seconds: 5}\nlimits: {seconds: 6}\n"
    assert mistakes(tmp_path, text) == ["config.yaml:3:1: the key `limits` is already given in line 2"]


def test_85_a_tab_has_its_place(tmp_path: Path) -> None:
    said = only(tmp_path, "model: a\nbatch:\n\tpath: b\n")
    assert said.startswith("config.yaml:3:1: ") and "tab" in said


def test_85_a_second_document_has_its_place(tmp_path: Path) -> None:
    said = only(tmp_path, "model: a\n---\nmodel: b\n")
    assert said.startswith("config.yaml:2:1: ") and "second document" in said


@pytest.mark.parametrize(
    "value",
    ["!!python/object/apply:os.system [true]", "!!python/name:os.system", "!custom x", "!!binary aGk=", "!!set {a}"],
)
def test_86_tags_are_refused_at_their_place(tmp_path: Path, value: str) -> None:
    said = only(tmp_path, f"model: a\ntitle: {value}\n")
    assert said.startswith("config.yaml:2:8: the tag ") and "not accepted" in said


def test_86_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"] + [
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    assert "anchors and aliases" in only(tmp_path, "\n".join(lines))


def test_86_recursion_is_refused(tmp_path: Path) -> None:
    assert "anchors and aliases" in only(tmp_path, "model: &m [*m]\n")


def test_86_deep_nesting_is_refused(tmp_path: Path) -> None:
    assert "levels deep" in only(tmp_path, "model: " + "[" * 5000 + "]" * 5000 + "\n")


def test_86_merge_keys_are_refused(tmp_path: Path) -> None:
    assert "merge keys" in only(tmp_path, "model: a\n<<: {title: b}\n")


def test_86_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "1,048,576" in only(tmp_path, b"# " + b"x" * (2 << 20))


def test_88_a_file_that_is_not_utf8_names_the_byte(tmp_path: Path) -> None:
    said = only(tmp_path, b"model: a\ntitle: caf\xe9\n")
    assert said == "config.yaml:2:11: byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_88_utf16_is_explained(tmp_path: Path) -> None:
    assert "UTF-16" in only(tmp_path, "model: a\n".encode("utf-16"))


def test_a_control_character_has_its_place(tmp_path: Path) -> None:
    assert only(tmp_path, b"model: a\ntitle: a\x07b\n").startswith("config.yaml:2:9: the control character U+0007")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "hello\n", "model:\n", "null\n"])
def test_a_file_without_keys_is_explained(tmp_path: Path, text: str) -> None:
    said = only(tmp_path, text)
    assert "`model` is required" in said or "`key: value` lines" in said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("explain: true", "`explain`"),
        ("isolate: true", "`isolate`"),
    ],
)
def test_a_key_that_does_nothing_yet_is_refused_with_exit_2(tmp_path: Path, text: str, word: str) -> None:
    said = only(tmp_path, f"model: m.keras\n{text}\n")
    assert word in said and "not supported yet" in said
    result = CliRunner().invoke(main, ["check", str(tmp_path / "config.yaml")])
    assert result.exit_code == 2


def test_a_drop_without_an_earlier_report_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    said = only(tmp_path, "model: m.keras\ngates:\n  accuracy: {min: 0.9, max_drop: 0.01}\n")
    assert ":3:" in said and "`max_drop` needs `baseline`" in said


CODE = [
    ("python: ./evil.sh", "python"),
    ("plugins: [os]", "plugins"),
    ("custom_objects: [a:B]", "custom_objects"),
    ("title: x\nmodel: {builder: 'a:b'}", "builder"),
    ("batch: {path: 'evil.module:run', x: x}", "code"),
    ("history: evil:run", "code"),
]


@pytest.mark.parametrize(("text", "needs"), CODE)
def test_108_a_key_that_runs_code_is_refused_with_exit_3_and_names_the_flag(
    tmp_path: Path, text: str, needs: str
) -> None:
    path = write(tmp_path, f"model: m.keras\n{text}\n" if "model" not in text else text)
    result = CliRunner().invoke(main, ["check", str(path)])
    assert result.exit_code == 3, result.output
    assert f"--trust={needs}" in result.stderr and f"{path}:2:" in result.stderr


@pytest.mark.parametrize(("text", "needs"), [("plugins: [os]", "plugins"), ("history: evil:run", "code")])
def test_108_with_trust_what_is_not_supported_yet_says_so_with_exit_2(tmp_path: Path, text: str, needs: str) -> None:
    path = write(tmp_path, f"model: m.keras\n{text}\n")
    result = CliRunner().invoke(main, ["check", str(path), f"--trust={needs}"])
    assert result.exit_code == 2 and "not supported yet" in result.stderr


@pytest.mark.parametrize(("text", "needs"), CODE)
def test_108_trust_for_something_else_is_not_enough(tmp_path: Path, text: str, needs: str) -> None:
    other = next(name for name in TRUSTS if name != needs)
    path = write(tmp_path, f"model: m.keras\n{text}\n" if "model" not in text else text)
    result = CliRunner().invoke(main, ["check", str(path), f"--trust={other}"])
    assert result.exit_code == 3


def test_108_a_builder_as_model_names_the_flag(tmp_path: Path) -> None:
    path = write(tmp_path, "model: {builder: 'a.b:make', weights: w.weights.h5}\n")
    result = CliRunner().invoke(main, ["check", str(path)])
    assert result.exit_code == 3 and "--trust=builder" in result.stderr and "`model.builder`" in result.stderr


def test_a_builder_without_a_function_is_told_at_its_place(tmp_path: Path) -> None:
    said = only(tmp_path, "model:\n  weights: w.weights.h5\n")
    assert said.startswith("config.yaml:2:3: ") and "`model.builder` is required" in said


def test_a_builder_that_names_no_function_is_told(tmp_path: Path) -> None:
    said = mistakes(tmp_path, "model:\n  builder: make.py\n", trust=frozenset({"builder"}))
    assert said == ["config.yaml:2:12: `model.builder` must be written as module:function, not `make.py`"]


def test_custom_objects_that_name_no_module_are_told(tmp_path: Path) -> None:
    said = mistakes(tmp_path, "model: m.keras\ncustom_objects: [Swirl]\n", trust=frozenset({"custom_objects"}))
    assert len(said) == 1 and "must be written as module:function, not `Swirl`" in said[0]


def test_108_the_model_as_function_names_the_flag(tmp_path: Path) -> None:
    path = write(tmp_path, "model: 'a.b:make'\n")
    assert CliRunner().invoke(main, ["check", str(path)]).exit_code == 3


@pytest.mark.parametrize("variable", ["REPORTGEN_TRUST", "REPORTGEN_TRUST__PLUGINS"])
def test_108_the_environment_cannot_grant_trust(tmp_path: Path, variable: str) -> None:
    path = write(tmp_path, "model: m.keras\nplugins: [os]\n")
    with pytest.raises(UsageError, match="only be given as --trust on the command line"):
        load_config(path, environment={variable: "all"})


def test_108_set_cannot_grant_trust_nor_bring_code_in(tmp_path: Path) -> None:
    assert any("only be given as --trust" in line for line in mistakes(tmp_path, "model: m\n", "trust=all"))
    said = only(tmp_path, "model: m\n", "python=/bin/sh")
    assert said.startswith("--set python: ") and "--trust=python" in said


def test_a_mistake_beats_a_refusal_and_both_are_told(tmp_path: Path) -> None:
    lines = mistakes(tmp_path, "model: m\nplugins: [a]\nseed: x\n")
    assert len(lines) == 2
    with pytest.raises(UsageError):
        load_config(tmp_path / "config.yaml", environment={})


def test_a_mistake_in_an_override_names_its_origin(tmp_path: Path) -> None:
    path = write(tmp_path, "model: m\n")
    with pytest.raises(UsageError) as caught:
        load_config(
            path, ["gates.accuracy.min=high", "nonsense"], environment={"REPORTGEN_SEED": "x", "REPORTGEN_OUTPT": "y"}
        )
    lines = caught.value.message.splitlines()
    assert "--set gates.accuracy.min: `gates.accuracy.min` must be a number, not `high`" in lines
    assert "--set nonsense: write it as --set section.key=value" in lines
    assert "REPORTGEN_SEED: `seed` must be a number, not `x`" in lines
    assert "REPORTGEN_OUTPT: unknown key `outpt`; did you mean `output`?" in lines


def test_an_override_below_a_text_is_told(tmp_path: Path) -> None:
    assert "--set title.x: `title` is not a section" in only(tmp_path, "model: m\ntitle: t\n", "title.x=1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gates: {accuracy: {}}", "needs `min`, `max` or `max_drop`"),
        ("gates: {accuracy: {min: 2, max: 1}}", "nothing can pass"),
        ("gates: {accuracy: }", "`gates.accuracy`"),
        ("gates: {accuracy: {min: nan}}", "finite"),
        ("gates: [accuracy]", "must be a mapping"),
        ("checks: {dead-units: of}", "did you mean off?"),
        ("batch: test.npz", "must be a section"),
        ("batch: {path: t, x: x, classes: [a, null]}", "class 2 has no name"),
        ("batch: {path: t, x: x, classes: [a, [b]]}", "class 2 must be a name"),
        ("batch: {path: t, x: [a, [b]]}", "`batch.x"),
        ("limits: {memory: lots}", "such as 8 GB"),
        ("limits: {seconds: 0}", "above 0"),
        ("limits: {seconds: soon}", "such as 600"),
        ("seed: 1.5", "whole number"),
        ("title: [a]", "must be a text"),
        ("formats: []", "must not be empty"),
        ("output: ''", "must be a path"),
        ("samples: hide", "must be one of show, blur, ids or none"),
        ("predictions: {worst: 5000}", "at most 1000"),
    ],
)
def test_a_wrong_value_is_explained_at_its_place(tmp_path: Path, text: str, words: str) -> None:
    said = only(tmp_path, f"model: m\n{text}\n")
    assert said.startswith("config.yaml:2:") and words in said, said


def test_a_missing_file_a_folder_and_a_fifo_are_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("none.yaml", "no such file"), (".", "is a folder"), ("pipe", "not a regular file")):
        with pytest.raises(UsageError, match=words):
            load_config(tmp_path / name)


@pytest.mark.parametrize("line", ["model: ../m", "output: ../o", "history: /etc/passwd", "batch: {path: ../t, x: x}"])
def test_92_with_confine_nothing_leads_outside(tmp_path: Path, line: str) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    head = "" if line.startswith("model") else "model: m\n"
    path = write(inside, head + line + "\n")
    with pytest.raises(InputRefused, match="lies outside"):
        load_config(path, confine=inside)


def test_92_with_confine_links_are_followed_first(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "m.keras").symlink_to("/etc/passwd")
    with pytest.raises(InputRefused, match="lies outside"):
        load_config(write(inside, "model: m.keras\n"), confine=inside)
    with pytest.raises(InputRefused, match="configuration itself"):
        load_config(write(tmp_path, "model: in/x\noutput: in\n"), confine=inside)
    assert load_config(write(inside, "model: n.keras\n"), confine=inside).confine == inside.resolve()


def test_trust_names_are_checked() -> None:
    assert read_trust(["all"]) == frozenset(TRUSTS)
    assert read_trust(["builder, plugins", "lambda"]) == {"builder", "plugins", "lambda"}
    with pytest.raises(UsageError, match="`bulder` is not one of all, python"):
        read_trust(["bulder"])


def test_every_mutant_is_read_or_explained(tmp_path: Path) -> None:
    seed = (
        Path("configs/several_outputs.yaml").read_bytes()
        + b"checks: {dead-units: {level: warn, threshold: 0.3}}\nlimits: {memory: 8 GB}\n"
    )
    random = np.random.default_rng(7)
    for number in range(1500):
        data = bytearray(seed)
        for _ in range(random.integers(1, 5)):
            position = int(random.integers(0, len(data)))
            if number % 2:
                data[position] = random.integers(0, 256)
            else:
                data[position:position] = bytes(random.choice(list(b"[]{}:,&*!|>-#'\"%@`\t\n \\?")) for _ in range(2))
        try:
            load_config(write(tmp_path, bytes(data)), environment={})
        except ReportgenError as error:
            assert all(line.strip() for line in error.message.splitlines())


def test_positions_count_characters_not_bytes() -> None:
    tree = read_yaml("é: [á, b]\nü: x".encode())
    assert tree.values[("é", 1)] == (1, 8)
    assert tree.keys[("ü",)] == (2, 1)


@pytest.mark.parametrize("key", ["model", "history", "output", "batch.path", "batch.classes", "python"])
def test_a_name_that_no_file_can_have_is_told_at_its_key(tmp_path: Path, key: str) -> None:
    section, _, inner = key.partition(".")
    long = "n" * 3000
    value = f"{{path: {long if inner == 'path' else 'b.npz'}, x: x, classes: {long}}}" if inner else long
    lines = {"model": "model: m.keras", section: f"{section}: {value}"}
    with pytest.raises((UsageError, InputRefused)) as caught:
        load_config(write(tmp_path, "\n".join(lines.values()) + "\n"), trust=frozenset({"python"}), environment={})
    assert f"`{key}" in caught.value.message and "at most 255 bytes" in caught.value.message


def test_too_many_values_are_counted(tmp_path: Path) -> None:
    said = only(tmp_path, "model: m.keras\nbatch: {path: im, size: [1, 2, 3]}\n")
    assert said.endswith("`batch.size` takes 2 values, not 3")
