"""The architecture graph: what stands on it, that no word reaches DOT, that it does without an engine."""

from __future__ import annotations

import re
import stat
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reportgen.figures import draw_figure, engines
from reportgen.figures.engines import Engine, draw_dot, run_engine
from reportgen.figures.full_graph import theme_full_graph
from reportgen.figures.graph import plot_graph, read_layout, write_dot
from reportgen.figures.graph_card import choose_colour, sketch_cards
from reportgen.report.blocks import GraphCard, GraphGroup, GraphView
from reportgen.report.svg import sanitise

SVG = "{http://www.w3.org/2000/svg}"


def view(
    cards: tuple[GraphCard, ...], edges: tuple[tuple[str, str], ...] = (), groups: tuple[GraphGroup, ...] = ()
) -> GraphView:
    return GraphView("architecture-graph", "Architecture", cards, edges, groups, "reading")


CARDS = (
    GraphCard("n0", "image", "InputLayer", ("28 \u00d7 28 \u00d7 1",), target="layer-0"),
    GraphCard("n1", "conv", "Conv2D + BatchNorm + relu", ("32 filters",), 3, ("conv", "bn"), "f0", "layer-1"),
    GraphCard("n2", "add", "Add", (), 1, ("add",), "f0", "layer-3", "warn", "12% dead"),
    GraphCard("n3", "out", "Dense", ("10 units",), mark="error", mark_text="NaN"),
)  # fmt: skip
EDGES = (("n0", "n1"), ("n1", "n2"), ("n0", "n2"), ("n2", "n3"))
GROUPS = (GraphGroup("f0", "\u00d7 3  block1 to block3"),)


def root_of(block: GraphView) -> ElementTree.Element:
    _, drawing = plot_graph(block)
    assert drawing is not None
    clean = sanitise(drawing.data)
    assert sanitise(clean) == clean
    assert clean.count(b"<path") == drawing.data.count(b"<path") and clean.count(b"<a ") == drawing.data.count(b"<a ")
    return ElementTree.fromstring(drawing.data)


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(part for part in text.itertext()) for text in root.iter(f"{SVG}text")]


def test_every_card_is_drawn_with_its_words_and_links_to_its_row() -> None:
    root = root_of(view(CARDS, EDGES, GROUPS))
    shown = texts(root)
    assert {"image", "conv", "add", "out", "10 units", "12% dead", "NaN"} <= set(shown)
    assert any(text.startswith("Conv2D \u00b7 BatchNorm \u00b7 relu") for text in shown)
    links = {a.get("data-card"): a.get("href") for a in root.iter(f"{SVG}a")}
    assert links == {"n0": "#layer-0", "n1": "#layer-1", "n2": "#layer-3"}
    assert [g.get("data-card") for g in root.iter(f"{SVG}g") if g.get("data-card")] == ["n3"]


def test_a_finding_is_told_by_shape_and_words_and_not_only_by_colour() -> None:
    data = plot_graph(view(CARDS, EDGES, GROUPS))[1].data.decode()  # type: ignore[union-attr]
    warning = data[data.index('data-card="n2"') :]
    error = data[data.index('data-card="n3"') :]
    corners = [len(re.findall("L", re.findall(r'd="(M[^"]*Z)"', part)[0])) + 1 for part in (warning, error)]
    assert corners == [3, 8]


def test_cards_stand_top_down_and_do_not_overlap() -> None:
    block = view(CARDS, EDGES, GROUPS)
    sketches = sketch_cards(block)
    data, _ = draw_dot(write_dot(block, sketches), "json0")
    assert data
    placed = read_layout(data, block)
    assert placed
    order = [placed.cards[card.id][1] for card in CARDS]
    assert order == sorted(order)
    for above, below in (("n0", "n1"), ("n1", "n2"), ("n2", "n3")):
        gap = placed.cards[below][1] - placed.cards[above][1]
        assert gap > (sketches[above].height + sketches[below].height) / 2
    x, y, width, height = placed.frames["f0"]
    for inside in ("n1", "n2"):
        at, half = placed.cards[inside], (sketches[inside].width / 2, sketches[inside].height / 2)
        assert x <= at[0] - half[0] and at[0] + half[0] <= x + width
        assert y <= at[1] - half[1] and at[1] + half[1] <= y + height
    assert len(placed.edges) == 4


def test_the_count_is_said_once_on_the_frame_or_on_the_card() -> None:
    framed = sketch_cards(view(CARDS, EDGES, GROUPS))["n1"]
    alone = sketch_cards(view((GraphCard("n1", "dense", "Dense", repeat=40),)))["n1"]
    assert framed.badge == "" and alone.badge == "\u00d7 40"


HOSTILE = [
    'x" ]; evil [URL="http://evil" label="', "</text><script>alert(1)</script>", "a -> b; {c|d} \\N \\G <b>",
    "\ud800\x00\ufffe", "W" * 100_000, "\u202egnp.exe", "&amp;&#x0;", "]]>", "\U0001f600 \u6f22\u5b57", "",
    "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_words_and_never_reach_dot(text: str) -> None:
    cards = tuple(
        GraphCard(f"{text}{i}", text, text, (text, text), 2, (text,), text, text, "warn", text) for i in range(2)
    )
    block = view(cards, ((cards[0].id, cards[1].id),), (GraphGroup(text, text), GraphGroup(text + "x", text, text)))
    dot = write_dot(block, sketch_cards(block))
    assert re.fullmatch(r"[\s\w{}\[\]<>=\"./;-]*", dot) and "evil" not in dot and len(dot) < 3000
    _, drawing = plot_graph(block)
    assert drawing is not None and len(drawing.data) < 40_000
    root = ElementTree.fromstring(drawing.data)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "g",
        "a",
        "title",
        "rect",
        "path",
        "text",
    }
    assert all(a.get("href", "#").startswith("#") for a in root.iter(f"{SVG}a"))


def test_the_same_graph_gives_the_same_bytes() -> None:
    assert plot_graph(view(CARDS, EDGES, GROUPS)) == plot_graph(view(CARDS, EDGES, GROUPS))


def test_edges_to_unknown_cards_and_frames_in_a_circle_are_left_out() -> None:
    groups = (GraphGroup("a", "a", "b"), GraphGroup("b", "b", "a"), GraphGroup("c", "c", "gone"))
    cards = (GraphCard("n0", "x", "Dense", group="gone"), GraphCard("n1", "y", "Dense", group="c"))
    root = root_of(view(cards, (("n0", "n1"), ("n0", "nowhere")), groups))
    assert {"x", "y", "c"} <= set(texts(root))


def test_a_graph_without_cards_has_no_figure_and_no_excuse() -> None:
    block = view(())
    assert draw_figure(block) == (block, None)


def test_without_an_engine_the_note_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_engines", lambda: iter(()))
    block, drawing = draw_figure(view(CARDS, EDGES, GROUPS))
    assert drawing is None and isinstance(block, GraphView)
    assert block.note.startswith("Not drawn (no Graphviz was found on this machine).")


def script(folder: Path, name: str, body: str) -> Engine:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport sys, time, os\ntext = sys.stdin.read()\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Engine(name, (str(path),))


def test_an_engine_that_fails_gets_straight_edges_and_then_the_next_one_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    note = f"open({str(log)!r}, 'a').write(sys.argv[0][-1] + ('l' if 'splines=line' in text else 's') + ' ')"
    first = script(tmp_path, "a", f"{note}\nsys.exit(3)")
    second = script(tmp_path, "b", f"{note}\nprint('ok') if 'splines=line' in text else sys.exit(1)")
    monkeypatch.setattr(engines, "find_engines", lambda: iter((first, second)))
    assert draw_dot('digraph { graph [splines=spline] n [label="splines=spline]"] }', "svg") == (b"ok\n", "")
    assert log.read_text() == "as al bs bl "


def test_an_engine_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    engine = script(
        tmp_path,
        "hang",
        f"pid = os.fork()\nif pid: open({str(child)!r}, 'w').write(str(pid))\ntime.sleep(60)",
    )
    data, reason = run_engine(engine, "digraph {}", "svg", seconds=1.5)
    assert data is None and reason == "took over 1.5 s"
    state = Path(f"/proc/{child.read_text()}/stat")
    deadline = time.monotonic() + 10  # a killed process of a busy machine is still listed for a moment
    while (left := state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] not in "ZX") and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    assert not left


def test_an_engine_that_is_missing_is_a_reason_and_no_error() -> None:
    assert run_engine(Engine("none", ("/no/such/program",)), "digraph {}", "svg")[0] is None


def test_the_wheel_is_found_through_its_files_and_not_through_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    names = [engine.name for engine in engines.find_engines()]
    assert names and names[0] == "graphviz-pure" and "dot" not in names


def test_an_engine_sees_no_secret_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "secret")
    data, _ = run_engine(script(tmp_path, "env", "print(sorted(os.environ))"), "digraph {}", "svg")
    assert data and b"API_TOKEN" not in data


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"bb": "x"}', b'{"bb": "0,0,1,1", "objects": [{"name": "c9", "pos": "1,1"}]}']
)
def test_a_layout_that_is_none_is_refused(data: bytes) -> None:
    assert read_layout(data, view(CARDS)) is None


KERAS = """digraph model {
  graph [rankdir=TB, dpi=72, splines=spline, bgcolor=transparent];
  node [shape=record, fontname="Helvetica"];
  n0 [label=<<table border="0" cellborder="1" bgcolor="black"><tr><td bgcolor="black">
  <font color="white"><b>a&lt;b&gt;</b> (Conv2D)</font></td></tr><tr>
  <td bgcolor="white">Output shape: <b>(None, 3)</b></td></tr></table>>, URL="#layer-0"];
  n1 [label="plain", URL="http://evil.example/"];
  n0 -> n1;
}"""


def test_keras_own_graph_is_drawn_with_the_colours_of_the_page() -> None:
    block = GraphView("full", "Full graph", (), (), (), "r", dot=KERAS)
    same, drawing = plot_graph(block)
    assert same is block and drawing is not None
    clean = sanitise(drawing.data).decode()
    root = ElementTree.fromstring(clean)
    assert any("a<b>" in text for text in texts(root))
    assert [a.get("href") for a in root.iter(f"{SVG}a")] == ["#layer-0", None]
    assert "evil.example" not in clean
    colours = {element.get(name, "") for element in root.iter() for name in ("fill", "stroke")}
    assert all(colour in ("", "none") or colour.startswith("var(--") for colour in colours)


def test_the_pieces_of_a_line_flow_after_one_another_in_any_font() -> None:
    pieces = (
        '<text text-anchor="start" x="10" y="5" font-weight="bold" font-size="14.00">conv</text>'
        '<text text-anchor="start" x="50" y="5" font-size="14.00"> (Conv2D)</text>'
        '<text text-anchor="start" x="10" y="25" font-size="14.00">below</text>'
        '<path d="M0 0"/><text text-anchor="start" x="200" y="5" font-size="14.00">another box</text>'
    )
    drawing = theme_full_graph(
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 300 40'><g><a>{pieces}</a></g></svg>".encode()
    )
    assert drawing is not None
    found = [text for text in ElementTree.fromstring(sanitise(drawing.data)).iter(f"{SVG}text")]
    assert ["".join(text.itertext()) for text in found] == ["conv (Conv2D)", "below", "another box"]
    assert [text.get("text-anchor") for text in found] == ["middle"] * 3
    assert [float(text.get("x", "")) for text in found] == pytest.approx([58, 26, 238], abs=8)
    assert [piece.get("font-weight") for piece in found[0]] == ["normal"]


@pytest.mark.parametrize("data", [b"", b"<html/>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!ENTITY", b"<svg"])
def test_a_full_graph_that_is_no_drawing_is_refused(data: bytes) -> None:
    assert theme_full_graph(data) is None


@pytest.mark.parametrize(
    ("kind", "colour"),
    [
        ("ZeroPadding2D + MaxPooling2D", "ink-soft"),
        ("BatchNorm + relu + Conv2D", "first"),
        ("Add + relu", "second"),
        ("AveragePooling2D", "ink-soft"),
        ("Average", "second"),
        ("Dropout", "muted"),
        ("Functional of 30 layers: 12 Conv2D", "link"),
    ],
)
def test_the_stripe_says_what_a_type_is_for(kind: str, colour: str) -> None:
    assert choose_colour(kind) == colour
