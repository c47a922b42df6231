"""Secrets of people."""

from typing import Protocol


class Passwords(Protocol):
    """Hashes passwords and checks them, slowly on purpose."""

    async def hash(self, password: str) -> str:
        """Return the argon2id hash."""
        ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Return whether the password fits; takes as long for an unknown user (pass an empty hash)."""
        ...
