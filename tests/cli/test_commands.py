"""The command line: commands, exit codes by precedence, messages, options."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from reportgen import cli, pipeline, progress
from reportgen.errors import InputRefused, OutputFailed, ReportgenError, Stopped, TimeLimit
from tests.inputs.model_files import Folder, write_keras
from tests.sample_report import make_report


def run(*arguments: str | Path) -> Result:
    """Run the command line; whatever happens, no traceback is shown."""
    result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def config_in(folder: Path, name: str = "config", **keys: str) -> Path:
    """Write a configuration file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {"model": "m.keras", **keys}.items()))
    return path


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the pipeline: each configuration's title says how its build ends."""
    seen: dict[str, Any] = {"configs": []}

    def generate(config: Any, *, progress: Any) -> Any:
        seen["configs"].append(config)
        progress.stage("pretending")
        outcome = seen.get(config.title, 0)
        if isinstance(outcome, BaseException):
            raise outcome
        return SimpleNamespace(
            report=make_report(), files=(config.output / "report.html",), exit_code=outcome, problems=()
        )

    monkeypatch.setattr(pipeline, "generate", generate)
    return seen


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("build", "check", "compare", "render", "schema", "init", "demo"):
        assert f"  {command} " in result.output


@pytest.mark.parametrize("command", ["index"])
def test_a_command_that_does_not_exist_yet_is_a_usage_error(command: str) -> None:
    result = run(command, "x")
    assert result.exit_code == 2 and f"No such command '{command}'" in result.stderr


def test_version() -> None:
    assert run("--version").output.startswith("reportgen ")


@pytest.mark.parametrize("arguments", [("build",), ("build", "--nonsense"), ("check",), ("render",)])
def test_usage_errors_are_one_line_with_exit_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1 and "--help" in result.stderr


def test_build_prints_where_the_report_is_and_its_verdict_last(tmp_path: Path, builds: dict[str, Any]) -> None:
    result = run("build", config_in(tmp_path))
    assert result.exit_code == 0
    lines = result.stdout.strip().splitlines()
    assert lines[-1] == f"Verdict: {make_report().verdict.sentence}"
    assert "report.html" in lines[-2]
    assert any("the content of" in line for line in lines)
    assert "pretending" in result.stderr


def test_build_with_quiet_says_nothing(tmp_path: Path, builds: dict[str, Any]) -> None:
    result = run("build", "--quiet", config_in(tmp_path))
    assert result.exit_code == 0 and result.output == ""


def test_quiet_still_tells_errors(tmp_path: Path, builds: dict[str, Any]) -> None:
    builds["bad"] = InputRefused("m.keras: refused")
    result = run("build", "--quiet", config_in(tmp_path, title="bad"))
    assert result.exit_code == 3 and result.output.strip() == "reportgen: m.keras: refused"


@pytest.mark.parametrize("code", [0, 1, 3, 4, 124])
def test_the_exit_code_of_a_build_is_its_own(tmp_path: Path, builds: dict[str, Any], code: int) -> None:
    builds["one"] = code
    assert run("build", config_in(tmp_path, title="one")).exit_code == code


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((0, 1), 1),
        ((4, 1), 1),
        ((4, 0), 4),
        ((1, TimeLimit("slow")), 124),
        ((TimeLimit("slow"), InputRefused("no")), 3),
        ((InputRefused("no"), OutputFailed("full"), 1), 74),
        ((0, 0, 0), 0),
    ],
)
def test_110_over_several_configs_the_first_by_precedence_is_given_and_a_table_says_which_failed(
    tmp_path: Path, builds: dict[str, Any], outcomes: tuple[Any, ...], code: int
) -> None:
    paths = []
    for number, outcome in enumerate(outcomes):
        builds[f"case {number}"] = outcome
        paths.append(config_in(tmp_path, f"config{number}", title=f"case {number}"))
    result = run("build", *paths)
    assert result.exit_code == code
    assert len(builds["configs"]) == len(outcomes), "one failure stopped the others"
    table = result.stdout.split("configuration")[-1]
    for path, outcome in zip(paths, outcomes, strict=True):
        expected = outcome.exit_code if isinstance(outcome, ReportgenError) else outcome
        line = next(line for line in table.splitlines() if path.name in line)
        assert line.split()[1] == str(expected)


def test_110_a_bad_config_among_good_ones_is_told_and_the_others_are_built(
    tmp_path: Path, builds: dict[str, Any]
) -> None:
    bad = config_in(tmp_path, "bad", modle="x")
    result = run("build", config_in(tmp_path, "a"), bad, config_in(tmp_path, "c"))
    assert result.exit_code == 2 and len(builds["configs"]) == 2
    assert f"{bad}:2:1: unknown key `modle`" in result.stderr


def test_a_signal_ends_all_configs(tmp_path: Path, builds: dict[str, Any]) -> None:
    builds["one"] = Stopped("terminated", signal_number=15)
    result = run("build", config_in(tmp_path, "a", title="one"), config_in(tmp_path, "b"))
    assert result.exit_code == 143 and len(builds["configs"]) == 1
    assert result.stderr.strip().splitlines()[-1] == "reportgen: terminated"


def test_output_is_relative_to_the_working_folder(
    tmp_path: Path, builds: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("build", config_in(tmp_path / "deep"), "--output", "here")
    assert builds["configs"][0].output == tmp_path / "here"


def test_output_for_several_configs_is_a_folder_each(tmp_path: Path, builds: dict[str, Any]) -> None:
    run("build", config_in(tmp_path / "a"), config_in(tmp_path / "b"), "-o", tmp_path / "out")
    assert [config.output for config in builds["configs"]] == [tmp_path / "out" / "a", tmp_path / "out" / "b"]
    run("build", config_in(tmp_path, "p"), config_in(tmp_path, "q"), "-o", tmp_path / "out")
    assert [config.output for config in builds["configs"][2:]] == [tmp_path / "out" / "p", tmp_path / "out" / "q"]
    assert run("build", config_in(tmp_path / "a"), config_in(tmp_path / "a"), "-o", tmp_path / "out").exit_code == 2


def test_options_reach_the_configuration(tmp_path: Path, builds: dict[str, Any]) -> None:
    path = config_in(tmp_path)
    run("build", path, "--set", "seed=7", "--trust=builder,plugins", "--confine", tmp_path, "--keep-going")
    config = builds["configs"][0]
    assert config.seed == 7 and config.trust == {"builder", "plugins"} and config.confine == tmp_path.resolve()
    assert config.keep_going is True and ("--set seed", "seed") in config.overrides


def test_trust_without_a_value_never_swallows_the_config(tmp_path: Path, builds: dict[str, Any]) -> None:
    assert run("build", "--trust", config_in(tmp_path)).exit_code == 0
    assert "lambda" in builds["configs"][0].trust
    run("build", config_in(tmp_path), "--trust")
    assert "lambda" in builds["configs"][1].trust


def test_an_unknown_trust_is_a_usage_error(tmp_path: Path, builds: dict[str, Any]) -> None:
    result = run("build", config_in(tmp_path), "--trust=everything")
    assert result.exit_code == 2 and "`everything`" in result.stderr


def test_a_mistake_of_our_own_is_one_line_and_no_traceback(tmp_path: Path, builds: dict[str, Any]) -> None:
    builds["one"] = ZeroDivisionError("division by zero")
    result = run("build", config_in(tmp_path, title="one"))
    assert result.exit_code == 3
    assert (
        result.stderr.strip()
        .splitlines()[-1]
        .startswith("reportgen: internal error, please report it: ZeroDivisionError")
    )


def test_debug_shows_what_is_behind_an_error(tmp_path: Path, builds: dict[str, Any]) -> None:
    builds["one"] = InputRefused("m.keras: refused", detail="what Keras said")
    path = config_in(tmp_path, title="one")
    assert "what Keras said" not in run("build", path).output
    result = CliRunner().invoke(cli.main, ["build", "--debug", str(path)])
    assert "what Keras said" in result.stderr and "Traceback" in result.stderr and result.exit_code == 3


@pytest.mark.parametrize(
    ("name", "escaped"),
    [("\x1b[31mred", "\\x1b[31mred"), ("a\u202eb", "a\\u202eb"), ("a\x07", "a\\x07"), ("a\u200b", "a\\u200b")],
)
def test_48_control_and_bidi_characters_in_messages_are_written_out(tmp_path: Path, name: str, escaped: str) -> None:
    result = run("check", tmp_path / f"{name}.yaml")
    assert escaped in result.stderr and name not in result.stderr


def test_48_a_file_name_cannot_forge_a_line_or_a_ci_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a\n::error::forged", "::error file=x,line=1::forged:1:1: "):
        result = run("check", name)
        assert not any(line.startswith("::") for line in result.stderr.splitlines()), result.stderr


def test_check_tells_what_it_found(folder: Folder) -> None:
    write_keras(folder.path / "model.keras")
    (folder.path / "h.csv").write_text("epoch,loss\n0,1\n1,0.5\n")
    result = folder.check(history="h.csv")
    assert result.exit_code == 0
    assert "2 epochs; loss" in result.output and "model.keras (keras)" in result.output


def test_check_goes_through_all_configs(tmp_path: Path) -> None:
    write_keras(tmp_path / "m.keras")
    good, bad = config_in(tmp_path, "good"), config_in(tmp_path, "bad", modle="x")
    result = run("check", bad, good)
    assert result.exit_code == 2 and f"{good}: ok" in result.stdout


def test_schema_is_json() -> None:
    schema = json.loads(run("schema").stdout)
    assert {"required": ["model"]} in schema["anyOf"] and schema["properties"]["batch"]


def test_render_makes_the_page_again_beside_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def render_again(path: Path, folder: Path) -> tuple[Path, ...]:
        seen.append((path, folder))
        return (folder / "report.html",)

    monkeypatch.setattr(pipeline, "render_again", render_again)
    report = tmp_path / "report.json"
    report.write_text("{}")
    assert "report.html" in run("render", report).stdout
    run("render", report, "-o", tmp_path / "new")
    assert seen == [(report, tmp_path), (report, tmp_path / "new")]


def test_render_of_a_missing_report_is_told(tmp_path: Path) -> None:
    result = run("render", tmp_path / "none.html")
    assert result.exit_code == 3 and "no such file" in result.stderr


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_plain_lines_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    shown = progress.choose_progress(False, "digits", stream)
    shown.stage("loading the model")
    shown.advance(5, 10)
    shown.done()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2 and lines[0].endswith("digits: loading the model") and lines[1].endswith("done")
    assert "\x1b" not in stream.getvalue()


def test_progress_of_a_long_stage_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    stream = io.StringIO()
    shown = progress.choose_progress(False, stream=stream)
    shown.stage("predicting")
    shown.advance(1500, 3000)
    assert "predicting: 1,500 of 3,000" in stream.getvalue()


def test_progress_on_a_terminal_shows_what_how_far_and_how_long() -> None:
    stream = Terminal()
    shown = progress.choose_progress(False, "digits", stream)
    shown.stage("predicting [the batch]")
    shown.advance(1, 2)
    shown.stage("measuring the layers")
    shown.done()
    text = stream.getvalue()
    assert "digits: measuring the layers" in text and "0:00:00" in text


def test_progress_with_quiet_is_nothing() -> None:
    stream = Terminal()
    shown = progress.choose_progress(True, "digits", stream)
    shown.stage("x")
    shown.advance(1, 2)
    shown.done()
    assert stream.getvalue() == ""


def test_every_command_has_a_one_line_description() -> None:
    assert isinstance(cli.main, click.Group)
    for name, command in cli.main.commands.items():
        assert command.help and "\n" not in command.help.strip(), name


def test_quiet_still_says_why_a_model_could_not_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reportgen import pipeline
    from reportgen.analysis.evidence import Problem

    lost = pipeline.Built(make_report(), (), 3, (Problem("load", "m.keras: no model"),))
    monkeypatch.setattr(pipeline, "generate", lambda *given, **named: lost)
    (tmp_path / "c.yaml").write_text("model: m.keras\n")
    result = CliRunner().invoke(cli.main, ["build", str(tmp_path / "c.yaml"), "--quiet"])
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", "reportgen: m.keras: no model\n")
