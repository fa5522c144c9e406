"""Report -> one HTML file that needs nothing else: Jinja2 with autoescape, its own style and script, and a policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jinja2

from reportgen import resources
from reportgen.renderers import page_figures, page_numbers, page_paper, page_tables, page_text
from reportgen.renderers.page_about import about
from reportgen.renderers.page_accent import shades
from reportgen.renderers.page_anchors import Anchors
from reportgen.renderers.page_csp import add_policy
from reportgen.renderers.page_pictures import Pictures
from reportgen.report import html_data
from reportgen.report.types import Finding, Metric, Report, Section
from reportgen.report.values import Missing

TEMPLATE = "report.html.jinja"
PACKED = ("page.css", "page.js")  # by `make page`, from templates/css and templates/js
SETTINGS: dict[str, Any] = {
    "autoescape": True,
    "undefined": jinja2.StrictUndefined,
    "finalize": page_text.finalize,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "auto_reload": False,
}
WRONG = ("failed", "error", "warned")


@dataclass(frozen=True, slots=True)
class Outline:
    """One entry of the outline: a section, and how many findings point into it."""

    id: str
    title: str
    state: str
    wrong: int


def render(report: Report) -> str:
    """Return the page of `report`: the same bytes for the same report."""
    page = make_environment().get_template(TEMPLATE).render(make_context(report))
    return add_policy(page)


def prepare() -> None:
    """Compile every template now, so that rendering need not: a build has time while the worker is at work."""
    environment, folder = make_environment(), resources.templates()
    for path in sorted(folder.rglob("*.jinja")):
        environment.get_template(path.relative_to(folder).as_posix())


@lru_cache(maxsize=1)
def make_environment() -> jinja2.Environment:
    """Return the one Jinja environment: everything printed is cleaned, then escaped; an unknown name is an error."""
    return furnish(jinja2.Environment(loader=jinja2.FunctionLoader(load), **SETTINGS))  # noqa: S701 - on, by SETTINGS


def furnish(environment: jinja2.Environment) -> jinja2.Environment:
    """Return an environment with the filters, tests and functions that templates use."""
    environment.filters.update(name=page_text.name, passage=page_text.passage, prose=page_text.prose)
    environment.filters.update(number=page_numbers.write, figures=page_numbers.figures, moment=page_numbers.moment)
    environment.tests.update(missing=lambda value: isinstance(value, Missing), turning=page_text.turns)
    environment.globals.update(
        position=page_numbers.position,
        chart_numbers=page_figures.chart_numbers,
        matrix_cells=page_figures.matrix_cells,
        matrix_pairs=page_figures.matrix_pairs,
        paper_columns=page_paper.columns,
        gallery_layout=page_figures.gallery_layout,
        gallery_room=page_figures.gallery_room,
        gallery_thin=page_figures.gallery_thin,
        marks_by_cell=page_tables.marks_by_cell,
        mark_words=page_tables.mark_words,
        column_forms=page_tables.column_forms,
        reasons=page_tables.reasons,
        flows=page_tables.flows,
    )
    return environment


def load(name: str) -> str | None:
    """Return the source of a template; braces in the packed script and style mean nothing to Jinja."""
    source = _read(name)
    return f"{{% raw %}}{source}{{% endraw %}}" if source is not None and name in PACKED else source


def _read(name: str) -> str | None:
    """Return a file below templates/, or None."""
    path = resources.templates().joinpath(*name.split("/"))
    return path.read_text(encoding="utf-8") if path.is_file() else None


def make_context(report: Report) -> dict[str, Any]:
    """Gather what the templates may name."""
    anchors, pictures = Anchors(report), Pictures(report.assets)
    wrong = sorted((f for f in report.findings if f.outcome in WRONG), key=_urgency)
    sections = _sections(report)
    return {
        "report": report,
        "about": about(report),
        "anchors": anchors,
        "pictures": pictures,
        "wrong": wrong,
        "quiet": _quiet(report.findings),
        "headline": _headline(report.metrics),
        "before": {(c.output, c.name): c for c in report.changes.metrics} if report.changes else {},
        "outputs": len({metric.output for metric in report.metrics}),
        "sections": [(i, section) for i, section in sections if section.id != "summary"],
        "summary": next(((i, section) for i, section in sections if section.id == "summary"), None),
        "outline": [
            Outline(s.id, s.title, s.state, sum(f.section == s.id for f in wrong))
            for _, s in sections
            if s.id != "summary"
        ],
        "look": report.theme,
        "accent": shades(report.theme.accent) if report.theme else None,
        "layer_rows": {layer.name: f"layer-{i}" for i, layer in enumerate(report.layers)},
        "data_block": _data_block(report, pictures),
    }


def _data_block(report: Report, pictures: Pictures) -> Callable[[], Any]:
    """Return the function that writes the data; called last, when it is known which assets stand in the page."""
    return lambda: html_data.data_block(report, shown=pictures.shown)


def _sections(report: Report) -> list[tuple[int, Section]]:
    """Return the sections with their index in the data; provenance is there even if nothing built it."""
    sections = list(enumerate(report.sections))
    if not any(section.id == "provenance" for section in report.sections):
        sections.append((-1, Section("provenance", "Provenance", "shown", "", ())))
    return sections


def _urgency(finding: Finding) -> int:
    """Order findings: what failed, what could not be checked, what deserves a look."""
    return WRONG.index(finding.outcome)


def _quiet(findings: tuple[Finding, ...]) -> list[tuple[str, list[Finding]]]:
    """Group the findings that ask for nothing, by outcome."""
    groups = (("passed", "Passed"), ("not_applicable", "Not applicable"), ("off", "Switched off"))
    found = ((title, [f for f in findings if f.outcome == outcome]) for outcome, title in groups)
    return [(title, group) for title, group in found if group]


def _headline(metrics: tuple[Metric, ...]) -> list[Metric]:
    """Return the metrics of the first screen: those marked for it, else the first three of each output."""
    marked = [metric for metric in metrics if metric.headline]
    if marked:
        return marked
    seen: dict[str, int] = {}
    chosen = []
    for metric in metrics:
        seen[metric.output] = seen.get(metric.output, 0) + 1
        if seen[metric.output] <= 3:
            chosen.append(metric)
    return chosen
