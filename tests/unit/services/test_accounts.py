"""Who may come in."""

import asyncio

import pytest
from tests.fakes.builders import Center
from tests.fakes.clock import FakeClock
from tests.fakes.passwords import FakePasswords
from tests.fakes.store import FakeStore

from loadcenter.services.accounts import (
    SESSION_MS,
    Accounts,
    TooManyAttemptsError,
    WeakPasswordError,
    WrongCredentialsError,
)
from loadcenter.services.ports import SessionRow, StoreUnavailableError

PASSWORD = "a good password"
PEER = "192.0.2.7"


@pytest.fixture
async def accounts(center: Center) -> Accounts:
    await center.accounts.ensure_admin(PASSWORD)
    return center.accounts


async def fail(accounts: Accounts, times: int, peer: str = PEER) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentialsError):
            await accounts.login("admin", "wrong", peer)


# ---- the first user ---------------------------------------------------------------------------------------------------------


async def test_the_first_start_makes_a_password_that_works_and_is_shown_once(center: Center) -> None:
    password = await center.accounts.ensure_admin(None)
    assert password is not None
    assert len(password) >= 16
    assert (await center.accounts.login("admin", password, PEER)).user == "admin"
    assert await center.accounts.ensure_admin(None) is None


async def test_a_password_from_outside_is_taken_and_not_shown(center: Center) -> None:
    assert await center.accounts.ensure_admin(PASSWORD) is None
    assert (await center.accounts.login("admin", PASSWORD, PEER)).user == "admin"


async def test_a_password_from_outside_mends_a_forgotten_one(accounts: Accounts) -> None:
    await accounts.ensure_admin("another password")
    await fail(accounts, 1)
    await accounts.login("admin", "another password", PEER)


async def test_a_new_password_ends_the_sessions_of_the_old_one_and_the_same_one_does_not(
    center: Center,
) -> None:
    await center.accounts.ensure_admin(PASSWORD)
    token = (await center.accounts.login("admin", PASSWORD, PEER)).token
    again = await Center(store=center.store).open()
    await again.accounts.ensure_admin(PASSWORD)
    assert await again.accounts.check(token) is not None
    later = await Center(store=center.store).open()
    await later.accounts.ensure_admin("another password")
    assert await later.accounts.check(token) is None


@pytest.mark.parametrize("password", ["", "123456789"])
async def test_a_weak_password_from_outside_is_refused_with_what_to_do(center: Center, password: str) -> None:
    with pytest.raises(WeakPasswordError, match="at least 10"):
        await center.accounts.ensure_admin(password)


async def test_only_hashes_are_kept(center: Center, accounts: Accounts) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    user = await center.store.user("admin")
    assert user is not None
    assert user.password_hash != PASSWORD
    assert login.token not in str(vars(center.store))


# ---- logging in ----------------------------------------------------------------------------------------------------------------


async def test_an_unknown_name_and_a_wrong_password_look_and_cost_the_same(
    center: Center, accounts: Accounts
) -> None:
    with pytest.raises(WrongCredentialsError) as unknown:
        await accounts.login("nobody", PASSWORD, PEER)
    with pytest.raises(WrongCredentialsError) as wrong:
        await accounts.login("admin", "wrong", PEER)
    assert str(unknown.value) == str(wrong.value)
    assert len(center.passwords.compared) == 2
    assert center.passwords.compared[0] == ""


async def test_the_sixth_failure_within_a_minute_is_braked(center: Center, accounts: Accounts) -> None:
    await fail(accounts, 5)
    with pytest.raises(TooManyAttemptsError) as braked:
        await accounts.login("admin", PASSWORD, PEER)
    assert braked.value.retry_after_s == 61
    assert len(center.passwords.compared) == 5


async def test_the_brake_lets_go_after_a_minute(center: Center, accounts: Accounts) -> None:
    await fail(accounts, 5)
    await center.clock.advance(59_000)
    with pytest.raises(TooManyAttemptsError) as braked:
        await accounts.login("admin", PASSWORD, PEER)
    assert braked.value.retry_after_s == 2
    await center.clock.advance(1_000)
    await accounts.login("admin", PASSWORD, PEER)


async def test_one_peer_does_not_brake_another(accounts: Accounts) -> None:
    await fail(accounts, 5, "192.0.2.66")
    await accounts.login("admin", PASSWORD, PEER)


async def test_logging_in_rightly_never_brakes(accounts: Accounts) -> None:
    for _ in range(20):
        await accounts.login("admin", PASSWORD, PEER)


class SlowPasswords(FakePasswords):
    """Compares only when told to, as argon2 does it beside the loop."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def verify(self, password_hash: str, password: str) -> bool:
        await self.go.wait()
        return await super().verify(password_hash, password)


async def test_attempts_side_by_side_do_not_pass_the_brake_together() -> None:
    passwords = SlowPasswords()
    accounts = Accounts(FakeStore(), passwords, FakeClock())
    await accounts.ensure_admin(PASSWORD)
    attempts = [asyncio.create_task(accounts.login("admin", str(n), PEER)) for n in range(50)]
    passwords.go.set()
    ends = await asyncio.gather(*attempts, return_exceptions=True)
    assert len(passwords.compared) == 5
    assert sum(isinstance(end, TooManyAttemptsError) for end in ends) == 45


async def test_the_brake_remembers_only_so_many_peers(accounts: Accounts) -> None:
    for number in range(1_100):
        await fail(accounts, 1, f"2001:db8::{number:x}")
    assert len(accounts._failures) == 1_000


async def test_a_log_in_while_the_database_is_away_says_so_and_counts_no_failure(
    center: Center, accounts: Accounts
) -> None:
    center.store.away = "gone"
    for _ in range(10):
        with pytest.raises(StoreUnavailableError):
            await accounts.login("admin", PASSWORD, PEER)
    center.store.away = None
    await accounts.login("admin", PASSWORD, PEER)


# ---- sessions --------------------------------------------------------------------------------------------------------------------


async def test_a_session_ends_after_twelve_hours(center: Center, accounts: Accounts) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    assert login.expires_ms == center.clock.now_ms() + SESSION_MS
    await center.clock.advance(SESSION_MS - 1)
    assert await accounts.check(login.token) is not None
    await center.clock.advance(1)
    assert await accounts.check(login.token) is None


async def test_a_session_survives_a_restart(center: Center, accounts: Accounts) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    again = Accounts(center.store, center.passwords, center.clock)
    session = await again.check(login.token)
    assert session is not None
    assert session.user == "admin"


async def test_a_session_seen_before_is_known_while_the_database_is_away(
    center: Center, accounts: Accounts
) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    center.store.away = "gone"
    assert await accounts.check(login.token) is not None
    with pytest.raises(StoreUnavailableError):
        await accounts.check("never seen")


async def test_a_session_that_was_ended_is_not_valid(center: Center, accounts: Accounts) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    await accounts.logout(login.token)
    assert await accounts.check(login.token) is None
    assert await Accounts(center.store, center.passwords, center.clock).check(login.token) is None


async def test_an_ended_session_is_over_here_even_if_the_database_is_away(
    center: Center, accounts: Accounts
) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    center.store.away = "gone"
    with pytest.raises(StoreUnavailableError):
        await accounts.logout(login.token)
    with pytest.raises(StoreUnavailableError):
        await accounts.check(login.token)
    center.store.away = None
    assert await accounts.check(login.token) is None


async def test_a_session_that_ends_while_it_is_being_read_does_not_come_back(
    center: Center, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = await accounts.login("admin", PASSWORD, PEER)
    restarted = Accounts(center.store, center.passwords, center.clock)
    read = center.store.session

    async def overtaken(token_sha256: str) -> SessionRow | None:
        monkeypatch.setattr(center.store, "session", read)
        row = await read(token_sha256)
        await restarted.logout(login.token)
        return row

    monkeypatch.setattr(center.store, "session", overtaken)
    assert await restarted.check(login.token) is None
    assert await restarted.check(login.token) is None


@pytest.mark.parametrize("token", ["", "x", "local-token2", "lokal", "é"])
async def test_a_wrong_token_is_nobodys(accounts: Accounts, token: str) -> None:
    assert await accounts.check(token) is None
    assert accounts.check_bearer(token) is None


async def test_the_token_of_the_command_line_speaks_for_the_admin(accounts: Accounts) -> None:
    assert accounts.check_bearer("local-token") == "admin"


async def test_without_a_token_of_the_command_line_an_empty_one_opens_nothing(center: Center) -> None:
    assert Accounts(center.store, center.passwords, center.clock).check_bearer("") is None
