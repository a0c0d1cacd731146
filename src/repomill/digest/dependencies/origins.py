"""Where a dependency comes from if not from its ecosystem's registry, as it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Up to the last @ before the path: what RFC 3986 calls userinfo, and what passwords put into it.
_USER = re.compile(r"(?<=//)[^/\s]*@")
_MAX_SHOWN = 300


def requirement(versions: str, options: Iterable[tuple[str, object]]) -> str:
    """Return *versions* and those of *options* that are text, without anybody's credentials.

    >>> requirement("~> 2", [("git", "https://me:secret@example.org/a.git"), ("tag", None)])
    '~> 2, git: https://example.org/a.git'
    """
    shown = [versions] if versions else []
    shown += [f"{name}: {value}" for name, value in options if isinstance(value, str)]
    return _USER.sub("", ", ".join(shown))[:_MAX_SHOWN]
