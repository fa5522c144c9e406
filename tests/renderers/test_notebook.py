"""A report in a notebook: one frame, the page in it as escaped text, isolated, the same each time."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

from reportgen.renderers import html
from tests.sample_report import make_report


class Fragment(HTMLParser):
    """Reads what a notebook would insert."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_is_one_frame_that_holds_the_whole_page() -> None:
    report = make_report()
    found = Fragment(report._repr_html_())
    ((tag, attributes),) = found.tags
    assert (tag, found.text) == ("iframe", "")
    page = attributes["srcdoc"] or ""
    assert page.replace('\n<base href="about:srcdoc">', "") == html.render(report).replace("; base-uri 'none'", "")


def test_the_frame_has_an_origin_of_its_own_and_may_lead_nowhere() -> None:
    ((_, attributes),) = Fragment(make_report()._repr_html_()).tags
    allowed = set((attributes["sandbox"] or "").split())
    assert allowed == {"allow-scripts", "allow-downloads", "allow-modals"}


def test_a_hostile_title_stays_inside_the_frame() -> None:
    hostile = "\"><script>window.pwned=1</script><iframe srcdoc='x'>"
    found = Fragment(dataclasses.replace(make_report(), title=hostile)._repr_html_())
    ((tag, attributes),) = found.tags
    assert tag == "iframe"
    assert attributes["title"] == hostile
    assert set(attributes) == {"title", "sandbox", "width", "height", "style", "srcdoc"}


def test_what_a_notebook_shows_is_the_same_each_time() -> None:
    assert make_report()._repr_html_() == make_report()._repr_html_()
