"""A theme's files: a logo is decoded and stored anew, a folder of templates is read without following anything."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from reportgen.config_schema import Theme
from reportgen.errors import InputRefused
from reportgen.inputs.look import FILE_BYTES, load_look, load_templates

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100"><path d="M0 0h9v9z"/></svg>'


def picture(kind: str, size: tuple[int, int] = (1_000, 200)) -> bytes:
    """Return a picture with a text chunk and something after its end."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size, (11, 110, 79)).save(file, format=kind)
    return file.getvalue()


def logo(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_is_stored_as_a_small_png_and_nothing_after_its_end_stays(tmp_path: Path, kind: str) -> None:
    path = logo(tmp_path, f"logo.{kind.lower()}", picture(kind) + b"<script>secret</script>")
    look = load_look(Theme(logo=path))
    assert look.theme is not None and look.theme.logo is not None
    asset = look.assets[look.theme.logo.sha256]
    assert asset.media_type == "image/png"
    assert b"secret" not in asset.data
    assert (look.theme.logo.width, look.theme.logo.height) == (320, 64)


def test_a_drawing_keeps_only_what_is_allowed(tmp_path: Path) -> None:
    path = logo(tmp_path, "logo.svg", SVG.replace("<path", "<script>x</script><path onload='x'").encode())
    look = load_look(Theme(logo=path, accent="#0b6e4f"))
    assert look.theme is not None and look.theme.logo is not None
    (asset,) = look.assets.values()
    assert b"script" not in asset.data and b"onload" not in asset.data and b"<path" in asset.data
    assert look.theme.logo.width / look.theme.logo.height == pytest.approx(3, rel=0.05)
    assert look.theme.accent == "#0b6e4f"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("logo.svg", b"<html></html>", "root element"),
        ("logo.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>', "entities"),
        ("logo.svg", SVG.replace(' viewBox="0 0 300 100"', "").encode(), "viewBox"),
        ("logo.svg", SVG.encode() + b" " * 70_000, "more than a drawn logo"),
        ("logo.png", b"GIF89a" + b"\0" * 50, "is not image/"),
        ("logo.png", b"", "empty"),
        ("logo.png", b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\1\0\0\0\1\0\0" + b"\0" * 9, "pixels"),
        ("logo.png", picture("PNG")[:60], "cannot be read"),
        ("logo.png", b"\x89PNG" + b"\0" * (1 << 21), "more than"),
    ],
)
def test_81_a_logo_that_is_none_is_refused_with_its_name(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    with pytest.raises(InputRefused, match=said) as caught:
        load_look(Theme(logo=logo(tmp_path, name, data)))
    assert name in caught.value.message and "\n" not in caught.value.message


def folder_of(tmp_path: Path, files: dict[str, str]) -> Path:
    house = tmp_path / "house"
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text(text, encoding="utf-8")
    return house


def test_templates_are_found_by_their_names_below_the_folder(tmp_path: Path) -> None:
    files = {
        "report.html.jinja": "{% extends 'report.html.jinja' %}",
        "parts/gates.html.jinja": "x",
        "house.css": "p{}",
    }
    house = folder_of(tmp_path, files | {"notes.md": "not a template", "a.png": "neither"})
    assert load_templates(house) == files


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a\n{% if %}", ":2: "),
        ("a\n{{ x", ":2: "),
        ("a\nb\n{% autoescape false %}{{ x }}{% endautoescape %}", ":3: escaping cannot be switched off"),
        ("\n{{ x|safe }}", ":2: there is no filter `safe`"),
        ("\n{{ x|urlize }}", ":2: there is no filter `urlize`"),
    ],
)
def test_89_a_template_that_is_not_well_formed_is_refused_with_file_and_line(
    tmp_path: Path, source: str, said: str
) -> None:
    with pytest.raises(InputRefused, match=said) as caught:
        load_templates(folder_of(tmp_path, {"parts/gates.html.jinja": source}))
    assert "house/parts/gates.html.jinja:" in caught.value.message


def test_91_links_are_refused(tmp_path: Path) -> None:
    house = folder_of(tmp_path, {"report.html.jinja": "x"})
    (tmp_path / "secret.jinja").write_text("secret", encoding="utf-8")
    (house / "parts").symlink_to(tmp_path)
    with pytest.raises(InputRefused, match="is a link"):
        load_templates(house)
    (house / "parts").unlink()
    (house / "x.jinja").symlink_to(tmp_path / "secret.jinja")
    with pytest.raises(InputRefused, match="is a link"):
        load_templates(house)
    (tmp_path / "other").symlink_to(house)
    with pytest.raises(InputRefused, match="is a link"):
        load_templates(tmp_path / "other")


def test_too_much_of_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="KiB of a template"):
        load_templates(folder_of(tmp_path / "a", {"report.html.jinja": "x" * (FILE_BYTES + 1)}))
    with pytest.raises(InputRefused, match="more than 100"):
        load_templates(folder_of(tmp_path / "b", {f"{i}.jinja": "x" for i in range(101)}))
    with pytest.raises(InputRefused, match="folders deep"):
        load_templates(folder_of(tmp_path / "c", {"/".join("abcdefghijk") + "/x.jinja": "x"}))
    with pytest.raises(InputRefused, match="holds no template"):
        load_templates(folder_of(tmp_path / "d", {"notes.md": "x"}))
    with pytest.raises(InputRefused, match="no such folder"):
        load_templates(tmp_path / "none")


def test_a_template_that_is_no_text_is_refused(tmp_path: Path) -> None:
    house = folder_of(tmp_path, {"report.html.jinja": "x"})
    (house / "report.html.jinja").write_bytes(b"ab\xff")
    with pytest.raises(InputRefused, match=r"report.html.jinja: is not UTF-8 \(byte 2\)"):
        load_templates(house)
