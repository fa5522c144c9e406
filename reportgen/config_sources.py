"""Where a configuration says that inputs lie: addresses on the network and functions need to be trusted.

A trusted address gives way to the path that the file will have once it is fetched; nothing is fetched here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reportgen.config_paths import Draft, Remote
from reportgen.config_values import FUNCTION
from reportgen.config_yaml import Path_
from reportgen.inputs.addresses import file_name, is_address, show_address, wrong_address
from reportgen.inputs.trust import Trust
from reportgen.worker.private_folder import name_private_folder

_CALLED: tuple[Path_, ...] = (("batch", "path"), ("predictions", "path"))  # where a function may be named
_NAMES: tuple[Path_, ...] = tuple(
    (part, key) for part in ("batch", "predictions") for key in ("classes", "vocabulary")
)  # where a list holds names, not paths
_FETCHED: tuple[Path_, ...] = (("model",), ("model", "weights"), ("history",), ("baseline",), *_CALLED, *_NAMES)
_LOCAL: tuple[Path_, ...] = (("output",), ("theme", "logo"), ("theme", "templates"))


def settle_sources(draft: Draft, trust: Trust) -> Remote:
    """Refuse functions and addresses that are not trusted; return the files to fetch, whose paths now stand there."""
    folder, found = name_private_folder(), list[tuple[Any, str]]()
    for place in (*_FETCHED, *_LOCAL):
        for path, text in list(_texts(draft.tree.value, place)):
            if is_address(text):
                if _may_fetch(draft, path, text, place, trust):
                    found.append((folder / str(len(found)) / file_name(text), text))
                    _put(draft.tree.value, path, str(found[-1][0]))
            elif FUNCTION.fullmatch(text) and not ("code" in trust and place in _CALLED):
                _refuse_function(draft, path, text, place, trust)
    return tuple(found)


def _may_fetch(draft: Draft, path: Path_, text: str, place: Path_, trust: Trust) -> bool:
    """Tell whether an address may be fetched; blame it otherwise."""
    shown, name = show_address(text), ".".join(map(str, place))
    if wrong := wrong_address(text):
        draft.blame(path, f"`{shown}` {wrong}", refuse=True)
    elif place in _LOCAL:
        draft.blame(path, f"`{shown}` is on the network; `{name}` must be a path", refuse=True)
    elif "remote" not in trust:
        text = (
            f"`{shown}` would read from the network: it needs --trust=remote on the command line; or name a local file"
        )
        draft.blame(path, text, refuse=True)
    else:
        return True
    return False


def _refuse_function(draft: Draft, path: Path_, text: str, place: Path_, trust: Trust) -> None:
    """Blame a function where a path should stand, or one that is not trusted."""
    if "code" in trust:
        draft.blame(path, f"`{text}` is not supported yet; name a local file")
        return
    yet = "" if place in _CALLED else " (and is not supported yet)"
    draft.blame(path, f"`{text}` would run code: it needs --trust=code{yet}; or name a local file", refuse=True)


def _texts(tree: Any, place: Path_) -> Iterator[tuple[Path_, str]]:
    """Yield the texts that name a source at `place`: one, those of a list, those of a mapping by input or output."""
    value = tree
    for part in place:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict) and place in _NAMES:
        yield from (((*place, key), text) for key, text in value.items() if isinstance(text, str))
    elif isinstance(value, list) and place == ("history",):
        yield from (((*place, index), text) for index, text in enumerate(value) if isinstance(text, str))


def _put(tree: Any, path: Path_, text: str) -> None:
    """Put a text where another one stood."""
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = text
