"""Compare digests, byte by byte, with what plain gitingest says of a checkout of the same commit.

``repomill digest`` runs over git's protocol, gitingest in a process of its own over real files. All
differences are named; one whose reason does not follow from the file itself is UNEXPLAINED.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from repomill.demo.githost import GitHost
from repomill.options import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Show: TypeAlias = Callable[[str], str]
    Checkout: TypeAlias = Mapping[str, Path]

REPOMILL = Path(sysconfig.get_path("scripts"), "repomill")
# Counting tokens would download a vocabulary; gitingest takes a ValueError for "not to be had".
PLAIN_GITINGEST = """
import sys, tiktoken
def offline(name): raise ValueError(name)
tiktoken.get_encoding = offline
from gitingest import ingest
_, tree, content = ingest(sys.argv[1], include_gitignored=True, max_file_size=int(sys.argv[2]))
sys.stdout.buffer.write(f"{tree}\\0{content}".encode("utf-8", "surrogatepass"))
"""
AS_COMMITTED = "* -text -eol -ident -filter -working-tree-encoding\n"
SETTINGS = ("symlinks=true", "autocrlf=false", "protectNTFS=false", "hooksPath=/dev/null")

SNIFFED_BYTES = 1024
MAX_FILES, MAX_LEVELS, MAX_TOTAL_BYTES = 10_000, 20, 500 << 20
SEPARATOR = "=" * 48 + "\n"
BORDER = re.compile(f"\n\n\n{SEPARATOR}")
BINARY = "[Binary file]"
READ_ERROR = "Error reading file with 'UTF-8': 'utf-8' codec can't decode byte"
NOTEBOOK_ERROR = "Error processing notebook: "
NOTEBOOK = "# Jupyter notebook converted to Python script."
MARKS = {"utf-32": rb"\xff\xfe\0\0|\0\0\xfe\xff", "utf-16": rb"\xff\xfe|\xfe\xff", "cp1252": b""}
# Controls, separators of lines, bidirectional controls, bytes that are no UTF-8.
HARMFUL = "\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
LETTERS = dict(zip('\a\b\t\n\v\f\r"\\', 'abtnvfr"\\', strict=True))


class Reason(StrEnum):
    """Why something is not shown as plain gitingest shows it."""

    CUT = "cut character"
    BAD_BYTE = "bad byte later"
    ENCODING = "UTF-16, UTF-32 or Windows-1252 text shown instead of [Binary file]"
    REPAIRED = "undecodable UTF-8 shown repaired"
    LIMITS = "beyond gitingest's 10,000 files, 20 levels or 500 MB"
    NAME = "name escaped"
    CASE = "siblings that differ only in case, sorted"
    NOTEBOOK = "notebook error without local path"
    UNEXPLAINED = "UNEXPLAINED"


@dataclass(frozen=True, slots=True)
class Report:
    """What the comparison of one repository found."""

    repository: str
    files: int
    equal: int
    """How many of them have the same block."""
    compared_bytes: int
    differences: list[tuple[str, Reason]]
    """Of a path, escaped, or, in brackets, a part of the digest."""

    def __str__(self) -> str:
        counts = Counter(reason for _, reason in self.differences).most_common()
        lines = [f"{self.files:7} files {self.equal:7} equal {self.compared_bytes:10} bytes"]
        lines[0] += f"  {self.repository}"
        lines += [f"{count:7} {reason}" for reason, count in counts]
        lines += [f"        {path} — {reason}" for path, reason in self.differences]
        return "\n".join(lines)


def compare(repositories: Mapping[str, Path], *, max_file_size_bytes: int) -> Iterator[Report]:
    """Yield a report on each of *repositories*: ``OWNER/NAME`` → git directory."""
    with TemporaryDirectory(prefix="compare-") as served:
        for name, git in repositories.items():
            link = Path(served, f"{name}.git")
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(git.resolve())
        with GitHost(Path(served)) as host:
            for name, git in repositories.items():
                with TemporaryDirectory(prefix="compare-") as work:
                    root = Path(work, name.replace("/", "-"))
                    checkout = check_out(git.resolve(), root)
                    plain = ask_gitingest(root, max_file_size_bytes)
                    made = ask_repomill(host, name, Path(work), max_file_size_bytes)
                    yield report(name, checkout, made, plain)


def check_out(repository: Path, root: Path) -> Checkout:
    """Write the HEAD commit of *repository* to the folder *root*; return path → file, sorted.

    No file is converted: the attributes of a git directory made for this win over the commit's.
    Bytes of names that are no UTF-8 become lone surrogates.
    """
    own = root.parent / "git"
    root.mkdir()
    commit = _git(f"--git-dir={repository}", "rev-parse", "HEAD^{commit}").decode().strip()
    _git("init", "--quiet", "--bare", "--template=", own)
    (own / "objects/info/alternates").write_text(f"{repository / 'objects'}\n")
    (own / "info").mkdir(exist_ok=True)
    (own / "info/attributes").write_text(AS_COMMITTED)
    options = [part for setting in SETTINGS for part in ("-c", f"core.{setting}")]
    options += [f"--git-dir={own}", f"--work-tree={root}"]
    _git(*options, "checkout", "--quiet", "--force", "--detach", commit)
    paths = sorted(_git(*options, "ls-files", "-z").split(b"\0")[:-1])
    return {path: root / path for path in map(os.fsdecode, paths)}


def _git(*arguments: object) -> bytes:
    return _run("git", *arguments, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)


def ask_gitingest(root: Path, limit_bytes: int) -> tuple[str, str]:
    """Return gitingest's tree and content of the checkout in *root*."""
    script = (sys.executable, "-c", PLAIN_GITINGEST, root, limit_bytes)
    output = _run(*script, PYTHONHASHSEED="0", HOME=str(root.parent))
    tree, _, content = output.decode("utf-8", "surrogatepass").partition("\0")
    return tree, content


def ask_repomill(host: GitHost, name: str, work: Path, limit_bytes: int) -> tuple[bytes, Any]:
    """Return the digest and the metadata that the real command makes."""
    digest, metadata = work / "digest.txt", work / "metadata.json"
    options = ["--allow-host", host.authority, "--max-file-size", limit_bytes]
    options += ["--max-size", "none", "--no-redact", "--metadata", metadata, "-o", digest]
    measuring = {key: value for key, value in os.environ.items() if key.startswith("COVERAGE_")}
    own = {"GIT_SSL_CAINFO": str(host.ca_file), "HOME": str(work), "TMPDIR": str(work)}
    _run(REPOMILL, "digest", host.url(name), *options, **own, **measuring)
    return digest.read_bytes(), json.loads(metadata.read_bytes())


def _run(*command: object, **variables: str) -> bytes:
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stderr.decode('utf-8', 'replace')}")
    return done.stdout


def report(
    name: str, checkout: Checkout, made: tuple[bytes, Any], plain: tuple[str, str]
) -> Report:
    """Return what differs; what belongs to no file has to fit exactly."""
    (digest, metadata), (tree, content) = made, plain
    listed = list(zip(metadata["files"], checkout, strict=False))
    spans = sorted((f["offset"], f["length"], path) for f, path in listed if "offset" in f)
    ours = {path: digest[at : at + length].decode() for at, length, path in spans}
    start = spans[0][0] if spans else len(digest)
    theirs = _cut(content, checkout, ours)
    our_order = [path for path in ours if path in theirs]
    their_order = [path for path in theirs if path in ours]
    root = name.replace("/", "-")
    our_tree = _render(root, {path: checkout[path] for path in ours}, escaped)
    fitting = {
        "metadata": [f["path"] for f in metadata["files"]] == [*map(escaped, checkout)],
        "offsets": "\n".join(ours.values()).encode() == digest[start:],
        "our tree": f"\n\n{our_tree}\n".encode() in digest[:start],
        "gitingest's tree": tree == _render(root, {path: checkout[path] for path in theirs}, str),
        "gitingest's content": "\n".join(theirs.values()) == content,
        "order": our_order == sorted(their_order, key=lambda path: _place(path, checkout[path])),
    }
    found = [(f"({part})", Reason.UNEXPLAINED) for part, fits in fitting.items() if not fits]
    found += [(path, Reason.UNEXPLAINED) for path in theirs if path not in ours]
    orders = zip(our_order, their_order, strict=True)
    found += [(path, Reason.CASE) for path, other in orders if path != other]
    changed = [(path, why) for path in ours for why in _reasons(checkout, path, ours, theirs)]
    return Report(
        repository=name,
        files=len(ours),
        equal=len(ours) - len({path for path, _ in changed}),
        compared_bytes=len(our_tree.encode()) + len(digest) - start,
        differences=[(escaped(path), reason) for path, reason in found + changed],
    )


def _cut(content: str, checkout: Checkout, ours: Mapping[str, str]) -> dict[str, str]:
    """Cut gitingest's content: where our block ends if it goes the same, else at the next header.

    What looks like a header inside a file leaves a rest, or a file without block: never agreement.
    """
    blocks: dict[str, str] = {}
    paths = {_header(path, file): path for path, file in checkout.items()}

    def path_at(at: int) -> str | None:
        end = content.find(SEPARATOR, at + len(SEPARATOR))
        return paths.get(content[at : end + len(SEPARATOR)])

    at = 0
    while (path := path_at(at)) and path not in blocks:
        same = _header(path, checkout[path]) + _content(ours.get(path, ""))
        ends = [at + len(same)] if content.startswith(same, at) else []
        borders = (border.start() + 2 for border in BORDER.finditer(content, at))
        likely = (end for end in chain(ends, borders) if end == len(content) or path_at(end + 1))
        end = next(likely, len(content))
        blocks[path] = content[at:end]
        at = end + 1
    return blocks


def _header(path: str, file: Path, show: Show = str) -> str:
    """Return gitingest's lines above the content, names being shown by *show*."""
    kind = "SYMLINK" if file.is_symlink() else "FILE"
    return f"{SEPARATOR}{kind}: {show(path)}{_arrow(file, show)}\n{SEPARATOR}"


def _arrow(file: Path, show: Show) -> str:
    return f" -> {show(file.readlink().name)}" if file.is_symlink() else ""


def _content(block: str) -> str:
    return block.removeprefix(SEPARATOR).partition(f"\n{SEPARATOR}")[2]


def _render(root: str, checkout: Checkout, show: Show) -> str:
    """Return gitingest's tree of *checkout*, whose files come in the order of their blocks."""
    top: dict[str, Any] = {}
    for path, file in checkout.items():
        *folders, name = path.split("/")
        folder = top
        for part in folders:
            folder = folder.setdefault(part, {})
        folder[name] = show(name) + _arrow(file, show)

    def lines(folder: dict[str, Any], indent: str) -> Iterator[str]:
        for left, (name, inside) in zip(range(len(folder))[::-1], folder.items(), strict=True):
            is_folder = isinstance(inside, dict)
            yield f"{indent}{'├' if left else '└'}── {f'{show(name)}/' if is_folder else inside}\n"
            if is_folder:
                yield from lines(inside, indent + ("│   " if left else "    "))

    return "Directory structure:\n" + "".join(lines({root: top}, ""))


def _place(path: str, file: Path) -> list[tuple[int, str, bytes]]:
    """Return what sorts as gitingest does, and by bytes where that leaves the order open."""
    place = []
    for depth, part in enumerate(path.split("/")):
        name = part.lower()
        is_file = depth == path.count("/") and not file.is_symlink()
        is_readme = is_file and (name == "readme" or name.startswith("readme."))
        group = 0 if is_readme else (1 if is_file else 3) + name.startswith(".")
        place.append((group, name, os.fsencode(part)))
    return place


def _reasons(
    checkout: Checkout, path: str, ours: Mapping[str, str], theirs: Mapping[str, str]
) -> Iterator[Reason]:
    if path not in theirs:
        sizes = (checkout[shown].lstat().st_size for shown in [*theirs, path])
        is_beyond = len(theirs) >= MAX_FILES or path.count("/") > MAX_LEVELS
        is_beyond = is_beyond or sum(sizes) > MAX_TOTAL_BYTES
        yield Reason.LIMITS if is_beyond else Reason.UNEXPLAINED
        return
    content, plain = _content(ours[path]), _content(theirs[path])
    header = ours[path].removesuffix(content)
    if header != _header(path, checkout[path]):
        is_escaped = header == _header(path, checkout[path], escaped)
        yield Reason.NAME if is_escaped else Reason.UNEXPLAINED
    # JSON notebooks can hold lone surrogates, which no file in UTF-8 can.
    if content != plain.encode("utf-8", "backslashreplace").decode():
        file, end = checkout[path], "\n\n"
        yield _reason(path, file, content.removesuffix(end), plain.removesuffix(end))


def _reason(path: str, file: Path, ours: str, theirs: str) -> Reason:
    """Return what made gitingest put *theirs* in the place of the content."""
    raw = file.read_bytes()
    readings = dict(_readings(raw))
    starts_well = _text(raw[:SNIFFED_BYTES], "utf-8") is not None
    if theirs == BINARY and not starts_well:
        return readings.get(ours, Reason.UNEXPLAINED)
    error = f"{NOTEBOOK_ERROR}Invalid JSON in notebook: "
    if (ours, theirs) == (error + escaped(path), error + str(file)):
        return Reason.NOTEBOOK
    is_unread = theirs.startswith(READ_ERROR) and starts_well and ours in {BINARY, *readings}
    is_notebook = theirs.startswith(NOTEBOOK_ERROR) and ours.startswith((NOTEBOOK, NOTEBOOK_ERROR))
    is_bad = _text(raw, "utf-8") is None and (is_unread or is_notebook)
    return Reason.BAD_BYTE if is_bad else Reason.UNEXPLAINED


def _readings(raw: bytes) -> Iterator[tuple[str, Reason]]:
    """Yield the texts that *raw* may be shown as, and what gitingest had against it."""
    if (text := _text(raw, "utf-8")) is not None:
        yield text, Reason.CUT
        return
    yield _text(raw, "utf-8", "replace") or "", Reason.REPAIRED
    for encoding, mark in MARKS.items():
        if re.match(mark, raw) and (text := _text(raw, encoding)) is not None:
            yield text or "[Empty file]", Reason.ENCODING


def _text(raw: bytes, encoding: str, errors: str = "strict") -> str | None:
    """Return *raw* as Python reads it from a file, or None where it cannot."""
    try:
        text = raw.decode(encoding, errors)
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escaped(name: str) -> str:
    """Return *name* as git quotes it, where something in it could deceive or break a line."""

    def one(found: re.Match[str]) -> str:
        octal = "\\".join(f"{octet:03o}" for octet in os.fsencode(found[0]))
        return "\\" + LETTERS.get(found[0], octal)

    if not re.search(f"[{HARMFUL}]", name):
        return name
    return '"' + re.sub(f'[{HARMFUL}"\\\\]', one, name) + '"'


def find(argument: Path) -> dict[str, Path]:
    """Return ``OWNER/NAME`` → git directory of a repository, or of the ``*/*.git`` in a folder."""
    is_one = any((argument / git / "objects").is_dir() for git in ("", ".git"))
    paths = [argument] if is_one else sorted(argument.glob("*/*.git"))
    names = ["/".join(path.absolute().parts[-2:]).removesuffix(".git") for path in paths]
    gits = [path / ".git" if (path / ".git").is_dir() else path for path in paths]
    return dict(zip(names, gits, strict=True))


@click.command()
@click.argument("arguments", metavar="FOLDER_OR_REPOSITORY…", nargs=-1, required=True)
@click.option("--max-file-size", type=Size(), default="512KiB", show_default=True)
def main(arguments: Sequence[str], max_file_size: int) -> None:
    """Compare git repositories, or those in folders of OWNER/NAME.git; 1 if one is unexplained."""
    repositories = {name: git for path in arguments for name, git in find(Path(path)).items()}
    unexplained = 0
    for found in compare(repositories, max_file_size_bytes=max_file_size):
        click.echo(found)
        unexplained += [reason for _, reason in found.differences].count(Reason.UNEXPLAINED)
    click.echo(f"{len(repositories)} repositories, {unexplained} unexplained differences")
    sys.exit(unexplained > 0 or not repositories)


if __name__ == "__main__":
    main()
