"""Find secrets, however they are written."""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote


def spellings(secret: str) -> Iterator[bytes]:
    """Yield what gives a secret away."""
    for text in (secret, f"x-access-token:{secret}", f"user:{secret}"):
        yield base64.b64encode(text.encode())
        yield base64.urlsafe_b64encode(text.encode())
    yield secret.encode()
    yield quote(secret, safe="").encode()
    yield quote(secret, safe="").lower().encode()
    yield json.dumps(secret)[1:-1].encode()


def found(secrets: Iterable[str], *places: bytes) -> list[str]:
    """Return which of *secrets* can be read in *places*."""
    return [
        secret
        for secret in secrets
        if any(spelling in place for spelling in spellings(secret) for place in places)
    ]
