"""What one entry of a feed means: a repository and what the feed says of it, or a problem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from repomill import urls
from repomill.errors import BadUrlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from repomill.model import Repo

MAX_CHARACTERS = 1 << 20
"""The longest line, CSV record or JSON element that is read."""

_MAX_DESCRIPTION_CHARACTERS = 500
_MAX_LICENSE_CHARACTERS = 100
# https://www.rfc-editor.org/rfc/rfc3339#section-5.6
_RFC_3339 = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
# C0, DEL, C1, line and paragraph separators, bidirectional controls, lone surrogates
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


class ProblemKind(StrEnum):
    """Why an entry cannot be used."""

    NO_URL = "no_url"
    BAD_URL = "bad_url"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LONG = "too_long"


_NO_LICENSE_KNOWN = "NOASSERTION"
"""What GitHub says of a licence file that it does not recognise (an identifier of SPDX)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that names a repository."""

    position: int
    """1 for the feed's first entry; comments, blank lines and a CSV's header are none."""
    repo: Repo


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An entry that cannot be used; it costs only itself."""

    position: int
    kind: str
    """A :class:`ProblemKind`."""
    message: str


@dataclass(frozen=True, slots=True)
class Defect:
    """Stands where an entry's value should be."""

    kind: ProblemKind
    message: str


NO_URL = Defect(ProblemKind.NO_URL, "it has no url")
TOO_LONG = Defect(ProblemKind.TOO_LONG, f"it is longer than {MAX_CHARACTERS} characters")
TOO_DEEP = Defect(ProblemKind.NOT_AN_OBJECT, "it is nested too deeply to be read")


def interpret(position: int, value: object, *, line: int | None = None) -> Entry | Problem:
    """Return what *value* means: a decoded object, or the Defect found instead of one.

    The message of a problem names the *line* where there is one.
    """
    if isinstance(value, dict):
        read = _read_fields(value)
    elif isinstance(value, Defect):
        read = value
    else:
        read = Defect(ProblemKind.NOT_AN_OBJECT, "it is no object; write {…} with a url in it")
    if isinstance(read, Defect):
        message = read.message if line is None else f"line {line}: {read.message}"
        return Problem(position=position, kind=read.kind, message=message)
    return Entry(position=position, repo=read)


def one_line(text: str, max_characters: int) -> str:
    r"""Return *text* without control characters or a line's end in it, and not too long.

    >>> one_line(" two\nlines ", 100)
    'two lines'
    """
    if not text.isprintable():
        text = _CONTROLS.sub(" ", text)
    return text.strip()[:max_characters].rstrip()


def _read_fields(fields: Mapping[str, object]) -> Repo | Defect:
    url = fields.get("url")
    if url is None:
        return NO_URL
    if not isinstance(url, str):
        return Defect(ProblemKind.BAD_URL, "its url is no text")
    if not url or url.isspace():
        return NO_URL
    try:
        return urls.parse(
            url,
            pushed_at=_moment(fields.get("pushedAt")),
            description=_text(fields.get("description"), _MAX_DESCRIPTION_CHARACTERS),
            license=_license(fields.get("license")),
        )
    except BadUrlError as error:
        return Defect(ProblemKind.BAD_URL, str(error))


def _moment(value: object) -> str | None:
    return value if isinstance(value, str) and _RFC_3339.fullmatch(value) else None


def _text(value: object, max_characters: int) -> str | None:
    return (one_line(value, max_characters) or None) if isinstance(value, str) else None


def _license(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("spdxId") or value.get("key") or value.get("name")
    if value == _NO_LICENSE_KNOWN:
        return None
    return _text(value, _MAX_LICENSE_CHARACTERS)
