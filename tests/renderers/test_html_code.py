"""Script and style travel shrunk and still mean the same."""

from __future__ import annotations

import pytest

from reportgen.renderers.page_code import GLOBALS, shrink_script, shrink_style


@pytest.mark.parametrize(
    ("source", "shrunk"),
    [
        ("const total = 1; // a note\nreturn total;", "const a=1;return a;"),
        ("const { key, other: part } = node;", "const{key:a,other:c}=b;"),
        ("call({ key, other: key });", "b({key:a,other:a});"),
        ("node.key = key;", "b.key=a;"),
        ("if (wanted) { first, second; }", "if(c){a,b;}"),
        ('const text = "// not a comment";', 'const a="// not a comment";'),
        ("const text = `a ${name.length} b`;", "const b=`a ${a.length} b`;"),
        ("const found = /[/'\"]\\s+/.test(text);", "const a=/[/'\"]\\s+/.test(b);"),
        ("const half = whole / 2 / 3;", "const a=b/2/3;"),
        ("return a + +b;", "return a+ +b;"),
    ],
)
def test_a_script_is_shrunk_without_changing_it(source: str, shrunk: str) -> None:
    assert shrink_script(source).strip() == shrunk


def test_names_of_the_browser_stay() -> None:
    assert "document" in GLOBALS
    assert shrink_script("document.title = String(label);").strip() == "document.title=String(a);"


def test_a_name_that_is_also_a_property_keeps_the_property() -> None:
    source = "const width = box.width; const copy = { width: width, height: box.height }; use(copy.width, width);"
    shrunk = shrink_script(source)
    assert shrunk.count(".width") == 2
    assert "{width:" in shrunk


def test_a_style_keeps_strings_and_the_spaces_that_select() -> None:
    source = 'a  :hover { content: " x"; color: red; }\n/* gone */ .b > .c, d { margin: 0 auto; }'
    assert shrink_style(source).strip() == 'a :hover{content:" x";color:red}.b > .c,d{margin:0 auto}'
