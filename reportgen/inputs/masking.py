"""Keep secrets of the job out of what is said and written: credentials in addresses, values of secret variables."""

from __future__ import annotations

import os
import re

MASK = "***"
SHORTEST = 6  # a shorter value stands in too many harmless words
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@'\"]+(?=@)")
_QUERY = re.compile(r"(?i)([?&][\w.-]*(?:token|secret|passw|key|sig|credential|auth)[\w.-]*=)[^&\s'\"]+")
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|api_?key|access_?key|private_?key|credential|_salt|_auth$|_pwd$")


def mask_secrets(text: str) -> str:
    """Return `text` with user names and passwords in addresses, and values of secret variables, replaced by `***`."""
    if "://" in text:
        text = _QUERY.sub(rf"\1{MASK}", _CREDENTIALS.sub(MASK, text))
    for name, value in os.environ.items():
        if len(value) >= SHORTEST and value in text and _SECRET_NAME.search(name):
            text = text.replace(value, MASK)
    return text
