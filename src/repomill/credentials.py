"""Tokens for git hosts, each for its own host alone, and how they are kept out of texts."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from repomill.errors import UsageError
from repomill.urls import GITHUB, HTTPS_PORT, authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TOKEN = re.compile(r"[\x21-\x7e]+")
_USER_PART = re.compile(r"(?<=://)\S*@")
_AUTHORIZATION = re.compile(r"(?i)(authorization:\s*)(?:basic|bearer|token)\s+\S+")
# Prefixes that GitHub and GitLab publish for secret scanners.
_KNOWN_TOKENS = re.compile(r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,})")
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_STORE_SECRETS = ("R2_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_STORE_NAMES = ("R2_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
_SHORTEST_STORE_NAME = 16
"""Real ones have 20 or 32 characters; that of a server at home may be a word, "minio" say."""
_MASK = "***"
_SHORTEST_MASKED = 4
"""A shorter secret would mask half the words of a text."""


@dataclass(frozen=True)
class Credentials:
    """Tokens by authority: ``HOST`` for port 443, else ``HOST:PORT``; matched exactly."""

    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    other_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Further texts that must never be shown: a proxy's password, the keys of a store."""

    def authorization(self, host: str, port: int) -> str | None:
        """Return the ``Authorization`` header's value for exactly this host and port, or None."""
        token = self.tokens.get(authority(host, port))
        return None if token is None else f"Basic {_basic(token)}"

    def only_for(self, host: str, port: int) -> Credentials:
        """Return what a process that talks to this host alone may know."""
        own = authority(host, port)
        return Credentials(tokens={own: self.tokens[own]} if own in self.tokens else {})

    def redact(self, text: str) -> str:
        """Return *text* without any credential, however it is encoded."""
        for secret in self._spellings:
            text = text.replace(secret, _MASK)
        text = _USER_PART.sub(f"{_MASK}@", text)
        text = _AUTHORIZATION.sub(rf"\1{_MASK}", text)
        return _KNOWN_TOKENS.sub(_MASK, text)

    @cached_property
    def _spellings(self) -> list[str]:
        """Every spelling of every secret, the longest first."""
        secrets = (s for s in (*self.tokens.values(), *self.other_secrets) if s)
        spellings = {spelling for secret in secrets for spelling in _spell(secret)}
        return sorted((s for s in spellings if len(s) >= _SHORTEST_MASKED), key=len, reverse=True)


def from_environment(environ: Mapping[str, str]) -> Credentials:
    """Read ``GITHUB_TOKEN`` and ``REPOMILL_TOKENS``, and what else is never to be shown.

    Raises UsageError naming the variable, never its value.
    """
    tokens = _read_tokens(environ.get("REPOMILL_TOKENS", ""))
    if github := environ.get("GITHUB_TOKEN", "").strip():
        tokens.setdefault(GITHUB, _check_token(github, "GITHUB_TOKEN"))
    others = (github, *_store_keys(environ), *_proxy_passwords(environ))
    return Credentials(tokens=tokens, other_secrets=tuple(filter(None, others)))


def _store_keys(environ: Mapping[str, str]) -> Iterable[str]:
    yield from (environ.get(name, "").strip() for name in _STORE_SECRETS)
    for name in _STORE_NAMES:
        if len(key := environ.get(name, "").strip()) >= _SHORTEST_STORE_NAME:
            yield key


def _read_tokens(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    advice = 'REPOMILL_TOKENS must be a JSON object: {"HOST[:PORT]": "token"}'
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(advice) from None
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise UsageError(advice)
    return {
        host.strip().lower().removesuffix(f":{HTTPS_PORT}"): _check_token(
            token, f"REPOMILL_TOKENS, {host!r}"
        )
        for host, token in value.items()
    }


def _check_token(token: str, where: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise UsageError(f"{where}: a token is printable ASCII without spaces")
    return token


def _proxy_passwords(environ: Mapping[str, str]) -> Iterable[str]:
    for name, value in environ.items():
        if name.lower() in {"https_proxy", "all_proxy", "http_proxy"}:
            try:
                password = urlsplit(value if "://" in value else f"//{value}").password
            except ValueError:
                raise UsageError(f"{name} is no URL of a proxy") from None
            if password:
                yield password
                yield unquote(password)


def _basic(token: str) -> str:
    # Any user name goes with a token: https://docs.github.com/en/get-started/git-basics
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _spell(secret: str) -> Iterable[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    for quoted in (quote(secret), quote(secret, safe="")):
        yield quoted
        yield _PERCENT.sub(lambda found: found[0].lower(), quoted)
    yield base64.b64encode(secret.encode()).decode()
    yield base64.urlsafe_b64encode(secret.encode()).decode()
    yield _basic(secret)
