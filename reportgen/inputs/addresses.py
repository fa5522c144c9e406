"""Addresses on the network in place of paths: which kinds are read, and how they are told without their secrets."""

from __future__ import annotations

import re
from urllib.parse import unquote

from reportgen.inputs.masking import MASK

# What fsspec needs for each kind, besides itself ("" for nothing). Kinds that can lead to files of this machine or that
# stand on top of another one (zip, simplecache, reference, ...), are left out on purpose.
PROTOCOLS = {
    "http": "aiohttp",
    "https": "aiohttp",
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "hf": "huggingface_hub",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "ftp": "",
    "memory": "",
}
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(://|::)")
_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*@")
_LONGEST_NAME = 80


def is_address(text: str) -> bool:
    """Tell an address (`https://...`, `zip://...::https://...`) from a path."""
    return _ADDRESS.match(text) is not None


def show_address(url: str) -> str:
    """Return an address as it may be told: without user, password and query, which may hold tokens."""
    place, mark, _ = re.sub(_CREDENTIALS, f"{MASK}@", url).partition("?")
    return f"{place.partition('#')[0]}{f'?{MASK}' if mark else ''}"


def protocol_of(url: str) -> str:
    """Return the kind of an address in lower case, "" for a path."""
    found = _ADDRESS.match(url)
    return found[1].lower() if found else ""


def wrong_address(url: str) -> str:
    """Return why an address is never read, whatever is trusted; "" when it may be."""
    kind = protocol_of(url)
    if "::" in url:
        return "chained addresses are not read; name the file itself"
    if kind in ("file", "local"):
        return "is a file of this machine; write its path"
    if kind not in PROTOCOLS:
        return f"`{kind}` addresses are not read; known are {', '.join(PROTOCOLS)}"
    return ""


def file_name(url: str) -> str:
    """Return the name that the fetched file gets: the address's last part, made harmless, its ending kept."""
    last = unquote(re.split(r"[?#]", url, maxsplit=1)[0]).rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.-]+", "_", last, flags=re.ASCII).lstrip(".")[-_LONGEST_NAME:] or "file"
