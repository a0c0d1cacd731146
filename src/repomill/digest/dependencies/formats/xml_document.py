"""XML that strangers wrote, as a tree: no declared entity, nothing fetched, depth bounded.

Both Maven and MSBuild read their files with no regard to namespaces, and so does this.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from repomill.digest.dependencies.base import ManifestError

MAX_DEPTH = 100
"""Elements within elements. What people write is less than 20 deep."""
_CHARACTERS_OF_TAG = 10
"""At least, on average. In what people write it is 23, with its text and what it is moved in."""
_TAGS_OF_NONE = 2_000


def parse(text: str) -> Element:
    """Return the root of *text*, names of elements and attributes without their prefixes.

    Comments and processing instructions are left out. Raises ManifestError.

    >>> root = parse('<m:a xmlns:m="urn:x"><m:b m:c="d">1<!-- or 2 -->.0</m:b></m:a>')
    >>> root.tag, root.findtext("b"), root.find("b").attrib
    ('a', '1.0', {'c': 'd'})
    >>> parse('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    Traceback (most recent call last):
    repomill.digest.dependencies.base.ManifestError: line 1 declares entities or attributes
    """
    if text.count("<") > _TAGS_OF_NONE + len(text) // _CHARACTERS_OF_TAG:
        raise ManifestError("has more elements than text of its length has")
    document = _Document()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.data
    parser.StartDoctypeDeclHandler = document.doctype
    try:
        # The text is decoded already, whatever encoding it says it is in.
        parser.Parse(text.encode("utf-8", "replace"), True)  # noqa: FBT003 the last part
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "no XML")
        raise ManifestError(f"line {error.lineno} is no XML: {reason}") from None
    except ManifestError as error:
        raise ManifestError(f"line {parser.CurrentLineNumber} {error}") from None
    return document.close()


class _Document:
    """What expat reports, put together to a tree; it knows no parser, so both go with their use."""

    def __init__(self) -> None:
        builder = TreeBuilder()
        self._start, self._end = builder.start, builder.end
        self.data, self.close = builder.data, builder.close
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ManifestError(f"is in more than {MAX_DEPTH} elements")
        if attributes:
            attributes = {_local(key): value for key, value in attributes.items()}
        self._start(_local(name), attributes)

    def end(self, name: str) -> None:
        self._depth -= 1
        self._end(name)

    def doctype(self, _name: str, _system: Any, _public: Any, has_subset: bool) -> None:  # noqa: ANN401, FBT001 expat's
        """Refuse declarations: entities and attributes' defaults both make much of little."""
        if has_subset:
            raise ManifestError("declares entities or attributes")


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name
