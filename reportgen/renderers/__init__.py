"""The output formats. A renderer is one module with `render(report) -> str`, imported when it is first needed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from reportgen.report.types import Report


@dataclass(frozen=True, slots=True)
class Renderer:
    """An output format: the name of its file, and the module that makes its text."""

    file_name: str
    module: str

    def prepare(self) -> None:
        """Import the module and let it make ready what every report needs (compiled templates)."""
        prepare = getattr(import_module(self.module), "prepare", None)
        if prepare is not None:
            prepare()

    def render(self, report: Report) -> str:
        """Return `report` in this format."""
        text = import_module(self.module).render(report)
        assert isinstance(text, str)
        return text


RENDERERS: dict[str, Renderer] = {
    "html": Renderer("report.html", "reportgen.renderers.html"),
    "json": Renderer("report.json", "reportgen.renderers.json"),
    "markdown": Renderer("summary.md", "reportgen.renderers.markdown"),
    "junit": Renderer("junit.xml", "reportgen.renderers.junit"),
}
