"""A report in a notebook: the page in a frame of its own, so that neither's styles or scripts reach the other."""

from __future__ import annotations

from html import escape

from reportgen.report.types import Report

HEIGHT = 800  # CSS pixels; the frame scrolls


def show(report: Report) -> str:
    """Return `report` as an HTML fragment: one frame that holds the whole page as escaped text.

    `sandbox` gives the page an origin of its own: its script runs, but reaches nothing of the notebook; it may save
    files (CSV, pictures) and print, and may not open windows, send forms or lead the notebook elsewhere.
    """
    from reportgen.renderers import html

    title = escape(" ".join(report.title.split())[:200] or "Report", quote=True)
    page = escape(_with_own_address(html.render(report)), quote=True)
    return (
        f'<iframe title="{title}" sandbox="allow-scripts allow-downloads allow-modals" width="100%" height="{HEIGHT}" '
        f'style="border:0;width:100%;height:{HEIGHT}px;color-scheme:light dark" srcdoc="{page}"></iframe>'
    )


def _with_own_address(page: str) -> str:
    """Return the page with links to its own places leading there: in a frame they would lead into the notebook."""
    head, policy, rest = page.partition("; base-uri 'none'")
    end = rest.index(">") + 1
    return f'{head}{rest[:end]}\n<base href="about:srcdoc">{rest[end:]}' if policy else page
