"""A finished page looked over before it is written: nothing in it may run, fetch, or lead elsewhere by itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from reportgen.errors import InputRefused
from reportgen.report import html_data

REFUSED = frozenset(
    (
        "iframe",
        "frame",
        "frameset",
        "object",
        "embed",
        "applet",
        "portal",
        "base",
        "link",
        "form",
        "template",
        "noscript",
    )
)
_ADDRESSES = frozenset(
    ("href", "src", "srcset", "action", "formaction", "poster", "background", "ping", "xlink:href", "data", "manifest")
)
_NO_SCRIPTS = ({"type": "application/json", "id": "report-data"}, {"type": "text/plain"})
_CSS = re.compile(r"@import|url\(\s*[\"']?\s*(?!data:image/|#|[\"')])", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(?:png|webp|svg\+xml|gif|jpeg);base64,[A-Za-z0-9+/]*=*")


def look_over(page: str, folder: str, script: str) -> None:
    """Raise InputRefused unless `page` holds our own script and data once and nothing that acts on its own.

    `script` is the source of ours as the templates load it.
    """
    if page.count(html_data.OPENING) != 1:
        raise InputRefused(
            f"{folder}: the page must hold the report's data once; keep {{{{ data_block() }}}} in the frame"
        )
    scan = _Scan(folder, script.removeprefix("{% raw %}").removesuffix("{% endraw %}").strip())
    scan.feed(page)
    scan.close()


class _Scan(HTMLParser):
    """Reads the page as a browser would and stops at the first thing that may not be there."""

    def __init__(self, folder: str, script: str) -> None:
        super().__init__(convert_charrefs=True)
        self._folder, self._script = folder, script
        self._inside = ""

    def _refuse(self, what: str) -> None:
        line = self.getpos()[0]
        raise InputRefused(f"{self._folder}: line {line:,} of the page that these templates make holds {what}")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        given = {name: value or "" for name, value in attributes}
        if tag in REFUSED or (tag == "meta" and "http-equiv" in given):
            self._refuse(f"<{tag}>, which may not stand in a report")
        if tag == "script" and attributes and given not in _NO_SCRIPTS:
            self._refuse("a <script> of its own; only reportgen's may run")
        self._inside = f"{tag} {given.get('type', '')}".strip() if tag in ("script", "style") else ""
        for name, value in given.items():
            self._attribute(tag, name, value.strip())

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Look at one element that ends at once."""
        self.handle_starttag(tag, attributes)
        self._inside = ""

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or a style."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Look at what stands in a script or a style."""
        if self._inside == "script" and data.strip() and data.strip() != self._script:
            self._refuse("a <script> of its own; only reportgen's may run")
        if self._inside == "script text/plain":
            self._refuse("a <script> of its own; only reportgen's may run")
        if self._inside == "style" and _CSS.search(data):
            self._refuse("a style that would load something; use data: or leave it out")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        """Look at one attribute."""
        if name.startswith("on") or name == "srcdoc":
            self._refuse(f"the attribute {name} on <{tag}>: nothing of a template's may run")
        if name in _ADDRESSES and not value.startswith("#") and value and not self._own_picture(tag, name, value):
            self._refuse(f"the address {value[:60]!r} on <{tag}>: a report loads nothing and leads nowhere")
        if name == "style" and _CSS.search(value):
            self._refuse(f"a style on <{tag}> that would load something")

    def _own_picture(self, tag: str, name: str, value: str) -> bool:
        """Tell whether an address is a picture that stands in the page itself."""
        return tag in ("img", "image") and name in ("src", "href", "xlink:href") and bool(_PICTURE.fullmatch(value))
