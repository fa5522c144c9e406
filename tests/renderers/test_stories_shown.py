"""Stories on the page and in the summary: before the findings, with links to them; and they survive a round trip."""

from __future__ import annotations

from dataclasses import replace

from reportgen.renderers import html, markdown
from reportgen.report.json_text import from_json, to_json
from reportgen.report.types import Evidence, Report, Story
from tests.renderers.page_reading import read_page
from tests.sample_report import make_report


def with_story() -> tuple[Report, Story]:
    """Return a report whose first finding leads a story with a hostile text in it."""
    report = make_report()
    code = next(finding.code for finding in report.findings if finding.outcome in ("failed", "warned"))
    places = (Evidence("the curve", "from epoch 3", None, "training"), Evidence("the samples", "<b>x</b>"))
    story = Story("Units <b>died</b>", "They died; that explains it.", "Lower it.", "Then look again.", (code,), places)
    return replace(report, stories=(story,)), story


def test_a_story_stands_before_the_findings_and_links_to_them_and_to_its_places() -> None:
    report, story = with_story()
    page = read_page(html.render(report))
    shown = page.find("article", id="story-1")
    assert len(shown) == 1
    words, links = shown[0].words(), [link.attributes["href"] for link in shown[0].find("a")]
    assert "Look at this first" in words and "Units <b>died</b>" in words and "Lower it." in words
    assert links == ["#training", f"#finding-{story.codes[0]}"]
    ids = [article.attributes.get("id") for article in page.find("article")]
    assert ids.index("story-1") < ids.index(f"finding-{story.codes[0]}")


def test_a_story_is_in_the_summary_before_the_findings() -> None:
    text = markdown.render(with_story()[0])
    assert "**Do first:** Lower it. Then look again." in text and "<b>" not in text
    assert text.index("Look first:") < text.index("**Fix:**")


def test_stories_survive_json_and_a_report_without_any_does_not_name_them() -> None:
    report, _ = with_story()
    assert from_json(to_json(report)) == report
    assert '"stories"' not in to_json(make_report())


def test_a_finding_that_fired_says_how_its_check_decides_and_one_without_does_not() -> None:
    report = make_report()
    place, fired = next((i, f) for i, f in enumerate(report.findings) if f.outcome in ("failed", "warned"))
    told = replace(fired, about="Units <i>at rest</i>.\n\nSource: a paper.", docs="docs/checks/dead-units.md")
    changed = replace(report, findings=(*report.findings[:place], told, *report.findings[place + 1 :]))
    article = read_page(html.render(changed)).find("article", id=f"finding-{fired.code}")[0]
    (fold,) = article.find("details")
    assert [part.words() for part in fold.find("p")][:2] == ["Units <i>at rest</i>.", "Source: a paper."]
    assert "docs/checks/dead-units.md" in fold.words()
    assert from_json(to_json(changed)) == changed and '"about"' not in to_json(report)
    assert not read_page(html.render(report)).find("article", id=f"finding-{fired.code}")[0].find("details")
