"""Who may come in: log-in, sessions, the token of the local command line, and a brake on guessing."""

import hashlib
import hmac
import secrets
from collections import deque
from dataclasses import dataclass

from loadcenter.services.ports import Clock, Passwords, SessionRow, Store, StoreUnavailableError, UserRow

ADMIN = "admin"
SESSION_MS = 12 * 3_600_000
"""A session ends 12 hours after log-in."""

TOKEN_BYTES = 32
ATTEMPTS_PER_MINUTE = 5
_MINUTE_MS = 60_000
PASSWORD_MIN = 10
"""Shortest password taken from outside; there are no composition rules (OWASP ASVS 5.0)."""

_CACHED_SESSIONS = 1_000
_CACHED_PEERS = 1_000


class WrongCredentialsError(Exception):
    """Name or password is wrong; it is not said which."""


class TooManyAttemptsError(Exception):
    """Too many failures of late; `retry_after_s` says when the next try is taken."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many failed log-ins: try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class WeakPasswordError(ValueError):
    """A password is too short to be taken."""


@dataclass(frozen=True, slots=True)
class Login:
    """A session as given to the person: the token is shown once and kept only as a hash."""

    user: str
    token: str
    expires_ms: int


class Accounts:
    """Logs people in and knows their sessions.

    Sessions seen before are known while the database is away, so that switching goes on.

    Args:
        local_token: bearer token of the command line on this machine, "" for none.
    """

    def __init__(self, store: Store, passwords: Passwords, clock: Clock, local_token: str = "") -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._local_token = local_token
        self._failures: dict[str, deque[int]] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._ended: dict[str, None] = {}

    async def ensure_admin(self, password: str | None) -> str | None:
        """Make the first user; return its new one-time password, or None if there was one or it was given.

        A given password replaces the one kept, so that a forgotten one can be mended by a restart.

        Raises:
            WeakPasswordError: the given password is shorter than `PASSWORD_MIN`.
        """
        if password is not None and len(password) < PASSWORD_MIN:
            raise WeakPasswordError(
                f"the admin password has {len(password)} characters: give at least {PASSWORD_MIN}, "
                "or none to have one made"
            )
        known = await self._store.user(ADMIN)
        if known is not None and (
            password is None or await self._passwords.verify(known.password_hash, password)
        ):
            return None
        chosen = password or secrets.token_urlsafe(12)
        hashed = await self._passwords.hash(chosen)
        await self._store.put_user(UserRow(ADMIN, hashed, self._clock.now_ms()))
        # whoever came in with the old password is out
        await self._store.delete_sessions_of(ADMIN)
        return None if password else chosen

    async def login(self, name: str, password: str, peer: str) -> Login:
        """Return a new session; failures are counted for each `peer` (its network address) by itself.

        Raises:
            WrongCredentialsError: name or password is wrong.
            TooManyAttemptsError: too many failures within a minute.
            StoreUnavailableError: the database is away.
        """
        self._brake(peer)
        # counted before it is known to be one, so that attempts side by side do not pass the brake together
        failure_ms = self._fail(peer)
        try:
            user = await self._checked(name, password)
        except StoreUnavailableError:
            self._forgive(peer, failure_ms)
            raise
        self._forgive(peer, failure_ms)
        now_ms = self._clock.now_ms()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = SessionRow(_digest(token), user.name, now_ms, now_ms + SESSION_MS)
        await self._store.delete_sessions_expired(now_ms)
        await self._store.put_session(row)
        self._remember(row)
        return Login(user.name, token, row.expires_ms)

    async def _checked(self, name: str, password: str) -> UserRow:
        user = await self._store.user(name)
        # an unknown name costs as much time as a wrong password
        right = await self._passwords.verify(user.password_hash if user else "", password)
        if user is None or not right:
            raise WrongCredentialsError("name or password is wrong")
        return user

    async def check(self, token: str) -> SessionRow | None:
        """Return the session of a cookie's token if it is valid now.

        Raises:
            StoreUnavailableError: the session is not known here and the database is away.
        """
        digest = _digest(token)
        row = self._sessions.get(digest)
        if row is None:
            row = await self._store.session(digest)
            if row is None or digest in self._ended:
                return None
            self._remember(row)
        return row if self._clock.now_ms() < row.expires_ms else None

    def check_bearer(self, token: str) -> str | None:
        """Return the user that a bearer token speaks for, None if it is not valid."""
        if self._local_token and hmac.compare_digest(token.encode(), self._local_token.encode()):
            return ADMIN
        return None

    async def logout(self, token: str) -> None:
        """End a session, here at once and in the database.

        Raises:
            StoreUnavailableError: the database is away; the session is ended here, but would be valid again after a
                restart.
        """
        digest = _digest(token)
        self._sessions.pop(digest, None)
        # the database may still have it, or be telling of it just now: it is not to come back from there
        if len(self._ended) >= _CACHED_SESSIONS:
            self._ended.pop(next(iter(self._ended)))
        self._ended[digest] = None
        await self._store.delete_session(digest)

    def _brake(self, peer: str) -> None:
        failures = self._failures.get(peer)
        if failures is not None and len(failures) == ATTEMPTS_PER_MINUTE:
            wait_ms = failures[0] + _MINUTE_MS - self._clock.monotonic_ms()
            if wait_ms > 0:
                raise TooManyAttemptsError(wait_ms // 1000 + 1)

    def _fail(self, peer: str) -> int:
        if peer not in self._failures and len(self._failures) >= _CACHED_PEERS:
            self._failures.pop(next(iter(self._failures)))
        now_ms = self._clock.monotonic_ms()
        self._failures.setdefault(peer, deque(maxlen=ATTEMPTS_PER_MINUTE)).append(now_ms)
        return now_ms

    def _forgive(self, peer: str, failure_ms: int) -> None:
        failures = self._failures.get(peer, deque())
        if failure_ms in failures:
            failures.remove(failure_ms)

    def _remember(self, row: SessionRow) -> None:
        if len(self._sessions) >= _CACHED_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))  # the oldest; it is read again when needed
        self._sessions[row.token_sha256] = row


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
