"""Packs the page's style and script, which travel in every report, into one small file each: make page.

Every byte of them is paid for in every report. The sources below templates/css and templates/js are what people read
and change; the packed files stand beside them, so that making a report needs no packer.
"""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
STYLE = ("css/base.css", "css/blocks.css", "css/print.css")
SCRIPT = ("js/core.js", "js/charts.js", "js/samples.js", "js/tables.js", "js/graph.js", "js/start.js")


def pack() -> dict[str, str]:
    """Return the packed files by name; inside a function, the script's own names may be shortened too."""
    import minify

    style = "\n".join((TEMPLATES / part).read_text(encoding="utf-8") for part in STYLE)
    script = "\n".join((TEMPLATES / part).read_text(encoding="utf-8") for part in SCRIPT)
    # What does not change is `const` for people; `let` says the same to a browser in fewer bytes.
    script = re.sub(r"\bconst (?=[\w{[])", "let ", script)
    return {
        "page.css": minify.string("text/css", style) + "\n",
        "page.js": minify.string("application/javascript", f"(() => {{\n{script}\n}})();") + "\n",
    }


def main() -> None:
    """Write the packed files and say how large they are."""
    packed = pack()
    for name, text in packed.items():
        (TEMPLATES / name).write_text(text, encoding="utf-8")
    sizes = {name: len(text.encode()) for name, text in packed.items()}
    print(f"{sizes}, together {sum(sizes.values()):,} bytes of 40,960")


if __name__ == "__main__":
    main()
