"""Passwords that cost nothing to hash, and tell how often they were compared."""


class FakePasswords:
    """A `Passwords` without argon2.

    Attributes:
        compared: the hashes that passwords were compared with; "" stands for an unknown user.
    """

    def __init__(self) -> None:
        self.compared: list[str] = []

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str, password: str) -> bool:
        self.compared.append(password_hash)
        return password_hash == f"hash of {password}"
