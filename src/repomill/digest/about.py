"""What a commit says about itself: attributes of its files, languages, licence."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from repomill.digest import languages, licences, linguist, names, text
from repomill.digest.attributes import FILE_NAME, MAX_FILE_BYTES, Attributes
from repomill.digest.linguist import Nature
from repomill.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from repomill.model import Entry

    Read = Callable[[Entry], bytes]

_MOST_ATTRIBUTE_FILES = 100
_MOST_ATTRIBUTE_BYTES = 1 << 20
_MOST_LICENCE_BYTES = 64 << 10
_MOST_LICENCE_FILES = 8


class About:
    """What is known of the files of one commit, beyond their paths and sizes."""

    def __init__(self, entries: Iterable[Entry], read: Read, max_file_size_bytes: int) -> None:
        """Look at *entries*, sorted by path: all of the commit, left out or not.

        But for larger files: a filtered clone has none of them, and nobody knows their size there.
        """
        self._entries = [
            entry
            for entry in entries
            if entry.kind is Kind.FILE and 0 < (entry.size_bytes or 0) <= max_file_size_bytes
        ]
        self._read = read
        self._attributes = Attributes(_attribute_files(self._entries, read))

    def nature(self, path: str) -> Nature:
        """Return whether the file *path* is the project's own, and what it is if not."""
        return linguist.nature(path, self._attributes.marks(path))

    def languages(self) -> list[tuple[str, float]]:
        """Return the languages with their share of the bytes (0-1), the biggest first."""
        return languages.shares(self._sizes(), language_of=str)

    def license(self) -> str | None:
        """Return the SPDX identifier of the licence file in the root, if it is a known text."""
        files = (
            (entry, path)
            for entry in self._entries
            if b"/" not in entry.path
            and (entry.size_bytes or 0) <= _MOST_LICENCE_BYTES
            and licences.is_licence_file(path := names.decode(entry.path))
        )
        for entry, path in islice(files, _MOST_LICENCE_FILES):
            found = licences.recognise(path, text.decode(self._read(entry)) or "")
            if found:
                return found
        return None

    def _sizes(self) -> Iterator[tuple[str, int]]:
        """Yield language and size of each file that counts."""
        for entry in self._entries:
            path = names.decode(entry.path)
            marks = self._attributes.marks(path)
            if linguist.nature(path, marks) is not Nature.SOURCE:
                continue
            language = languages.attributed_language(
                path.rpartition("/")[2], stated=marks.language, detectable=marks.detectable
            )
            if language:
                yield language, entry.size_bytes or 0


def _attribute_files(entries: Iterable[Entry], read: Read) -> Iterator[tuple[str, bytes]]:
    name = FILE_NAME.encode()
    found = (
        entry
        for entry in entries
        if entry.path.endswith(name)
        and (entry.path == name or entry.path.endswith(b"/" + name))
        and (entry.size_bytes or 0) <= MAX_FILE_BYTES
    )
    left = _MOST_ATTRIBUTE_BYTES
    for entry in islice(found, _MOST_ATTRIBUTE_FILES):
        left -= entry.size_bytes or 0
        if left < 0:
            return
        content = read(entry)
        if b"linguist-" in content:
            yield names.decode(entry.path), content
