"""The Content-Security-Policy of a finished page: nothing may load; only the page's own script and style may run."""

from __future__ import annotations

import base64
import hashlib
import re

_HEAD = re.compile(r"<head>(.*?)</head>", re.DOTALL)
_CODE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def add_policy(page: str) -> str:
    """Return `page` with the policy as the first element of its head; raises ValueError when it has no head.

    Hashes are made only of what stands in the head, which holds our own code: should anything ever slip into the body
    as a script or a style, the browser refuses it.
    """
    head = _HEAD.search(page)
    if head is None:
        raise ValueError("the page template has no <head>: keep report.html.jinja's frame")
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, code in _CODE.findall(head.group(1)):
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode("ascii")
        hashes[kind].append(f"'sha256-{digest}'")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(hashes['script']) or chr(39) + 'none' + chr(39)}",
            f"style-src {' '.join(hashes['style']) or chr(39) + 'none' + chr(39)}",
            "style-src-attr 'unsafe-inline'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    at = head.start(1)
    return f'{page[:at]}\n<meta http-equiv="Content-Security-Policy" content="{policy}">{page[at:]}'
