"""The command line: arguments -> functions, errors -> one line and an exit code. Everything heavy is imported late."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reportgen import __version__
from reportgen.console import complain, print_built, print_compared, print_problems, print_table, printable, say
from reportgen.errors import ReportgenError, UsageError, worst_exit_code
from reportgen.program import Program, TrustingCommand

if TYPE_CHECKING:
    from reportgen.config_schema import Config

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_CONFIG = click.argument("configs", metavar="CONFIG...", nargs=-1, required=True, type=click.Path(path_type=Path))
_QUIET = click.option("--quiet", "-q", is_flag=True, help="Say nothing unless something is wrong.")
_DEBUG = click.option("--debug", is_flag=True, help="Show what is behind an error.")
_BESIDE = click.option("--output", "-o", type=click.Path(path_type=Path), metavar="DIR", help="Else beside the report.")
_SHARED = (
    click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: --set batch.x=x_val."),
    click.option(
        "--trust", "trusted", multiple=True, metavar="[=NAMES]", help="Allow keys that run code: all, or names."
    ),
    click.option("--confine", type=click.Path(path_type=Path), metavar="DIR", help="Read and write below DIR only."),
    _QUIET,
    _DEBUG,
)


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that build and check share."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


def _saved(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of commands that read saved reports."""
    return _BESIDE(_QUIET(_DEBUG(command)))


@click.group(cls=Program, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="reportgen", message="%(prog)s %(version)s")
def main() -> None:
    """Turn what a Keras training job left behind into one HTML report."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@main.command(cls=TrustingCommand)
@_CONFIG
@_shared
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="DIR", help="Write there instead.")
@click.option("--keep-going", is_flag=True, help="Make what can be made although the model is refused.")
@click.option("--isolate", is_flag=True, help="Run the model without a network, or not at all.")
def build(
    configs: tuple[Path, ...],
    overrides: tuple[str, ...],
    trusted: tuple[str, ...],
    confine: Path | None,
    quiet: bool,
    debug: bool,
    output: Path | None,
    keep_going: bool,
    isolate: bool,
) -> int:
    """Build the report of each CONFIG."""
    from reportgen.config import load_config
    from reportgen.inputs.trust import read_trust

    trust = read_trust(trusted)
    folders = _output_folders(configs, output)
    rows = []
    for path, folder in zip(configs, folders, strict=True):

        def one(path: Path = path, folder: Path | None = folder) -> int:
            config = load_config(path, overrides, trust, confine, keep_going=keep_going, output=folder)
            config = config.model_copy(update={"isolate": isolate})
            return _build_one(config, quiet, str(path) if len(configs) > 1 else "")

        code = _run_one(one, debug)
        rows.append((str(path), code))
    if len(configs) > 1 and not quiet:
        print_table(rows)
    return worst_exit_code([code for _, code in rows])


def _run_one(command: Callable[[], int], debug: bool) -> int:
    """Run one of several configurations: a failure is told and the next one follows; a signal ends them all."""
    try:
        return command()
    except ReportgenError as error:
        complain(error.message, error.detail if debug else "", debug)
        return error.exit_code


def _output_folders(configs: tuple[Path, ...], output: Path | None) -> list[Path | None]:
    """Return where each configuration's report goes when --output was given: DIR, or a folder each below it."""
    if output is None:
        return [None] * len(configs)
    if len(configs) == 1:
        return [output.absolute()]
    for names in ([path.stem for path in configs], [path.absolute().parent.name for path in configs]):
        if len(set(names)) == len(names):
            return [output.absolute() / name for name in names]
    raise UsageError("--output: the configurations have the same names; give each an `output` of its own instead")


def _build_one(config: Config, quiet: bool, label: str) -> int:
    """Build one report and say where it is and what it says."""
    from reportgen import pipeline
    from reportgen.progress import choose_progress

    progress = choose_progress(quiet, label)
    try:
        built = pipeline.generate(config, progress=progress)
    finally:
        progress.done()
    if quiet:
        if built.exit_code:
            print_problems(built)
    else:
        print_built(built, config)
    return built.exit_code


@main.command(cls=TrustingCommand)
@_CONFIG
@_shared
def check(
    configs: tuple[Path, ...],
    overrides: tuple[str, ...],
    trusted: tuple[str, ...],
    confine: Path | None,
    quiet: bool,
    debug: bool,
) -> int:
    """Validate each CONFIG and what it names, without loading the model."""
    from reportgen.config import load_config
    from reportgen.inputs.inspect import describe_inputs
    from reportgen.inputs.trust import read_trust

    trust = read_trust(trusted)
    codes = []
    for path in configs:

        def one(path: Path = path) -> int:
            lines = describe_inputs(load_config(path, overrides, trust, confine))
            if not quiet:
                say(f"{printable(str(path))}: ok")
                for line in lines:
                    say(f"  {printable(line)}")
            return 0

        codes.append(_run_one(one, debug))
    return worst_exit_code(codes)


@main.command()
@click.argument("report", type=click.Path(path_type=Path))
@_saved
def render(report: Path, output: Path | None, quiet: bool, debug: bool) -> None:
    """Make the page of a saved REPORT (.html or .json) again."""
    from reportgen import pipeline
    from reportgen.inputs.files import check_file, shown

    check_file(report, "the report")
    files = pipeline.render_again(report, output or report.absolute().parent)
    for path in () if quiet else files:
        say(printable(shown(path)))


@main.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@_saved
def compare(base: Path, head: Path, output: Path | None, quiet: bool, debug: bool) -> None:
    """Say what changed from the saved report BASE to HEAD (.html or .json), and write comparison.html."""
    from reportgen import pipeline
    from reportgen.inputs.files import check_file

    for path in (base, head):
        check_file(path, "the report")
    report, files = pipeline.write_comparison(base, head, output or head.absolute().parent)
    if not quiet:
        print_compared(report, files)


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    import json

    from reportgen.config import describe_schema

    say(json.dumps(describe_schema(), indent=2))


@main.command()
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace a configuration that is there already.")
@_DEBUG
def init(folder: Path, force: bool, debug: bool) -> None:
    """Write a commented configuration for what lies in FOLDER."""
    from reportgen.starter import write_starter

    written, notes = write_starter(folder, force=force)
    for note in notes:
        say(printable(note))
    say(f"Written: {printable(str(written))}; look through it, then: reportgen build {printable(str(written))}")


@main.command()
@click.option("--output", "-o", type=click.Path(path_type=Path), default=Path("reportgen-demo"), metavar="DIR")
@_QUIET
@_DEBUG
def demo(output: Path, quiet: bool, debug: bool) -> int:
    """Build the report of the bundled example."""
    from reportgen import resources
    from reportgen.config import load_config

    config = load_config(resources.demo() / "config.yaml", output=output.absolute(), environment={})
    return _build_one(config, quiet, "")
