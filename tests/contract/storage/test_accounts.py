import pytest

from loadcenter.services.ports import SessionRow, Store, StoreDataError, UserRow

ANNE = UserRow("Änne 😀", "$argon2id$v=19$m=65536", 1000)
TOKEN = "ab" * 32


async def test_a_user_is_added_and_their_password_replaced(store: Store) -> None:
    assert await store.user(ANNE.name) is None
    await store.put_user(ANNE)
    assert await store.user(ANNE.name) == ANNE
    await store.put_user(UserRow(ANNE.name, "other", 1000))
    assert await store.user(ANNE.name) == UserRow(ANNE.name, "other", 1000)


async def test_names_are_told_apart_to_the_letter(store: Store) -> None:
    await store.put_user(UserRow("admin", "1", 0))
    await store.put_user(UserRow("Admin", "2", 0))
    await store.put_user(UserRow("ädmin", "3", 0))
    assert [(await store.user(name)).password_hash for name in ("admin", "Admin", "ädmin")] == ["1", "2", "3"]
    assert await store.user("admin ") is None
    with pytest.raises(StoreDataError, match="ends with a space"):
        await store.put_user(UserRow("admin ", "4", 0))


async def test_a_login_stands_until_it_is_ended(store: Store) -> None:
    await store.put_user(ANNE)
    login = SessionRow(TOKEN, ANNE.name, 1000, 2000)
    assert await store.session(TOKEN) is None
    await store.put_session(login)
    assert await store.session(TOKEN) == login
    await store.put_session(SessionRow(TOKEN, ANNE.name, 1000, 9000))
    assert await store.session(TOKEN) == SessionRow(TOKEN, ANNE.name, 1000, 9000)
    await store.delete_session(TOKEN)
    await store.delete_session(TOKEN)
    assert await store.session(TOKEN) is None


async def test_all_logins_of_a_user_end_together_and_expired_ones_are_forgotten(store: Store) -> None:
    await store.put_user(ANNE)
    await store.put_user(UserRow("bert", "hash", 0))
    for token, user, expires_ms in (("a", ANNE.name, 2000), ("b", ANNE.name, 3000), ("c", "bert", 3000)):
        await store.put_session(SessionRow(token, user, 1000, expires_ms))
    await store.delete_sessions_expired(2000)
    assert [await store.session(token) is not None for token in "abc"] == [False, True, True]
    await store.delete_sessions_of(ANNE.name)
    assert [await store.session(token) is not None for token in "abc"] == [False, False, True]


async def test_nobody_unknown_is_logged_in(store: Store) -> None:
    with pytest.raises(StoreDataError):
        await store.put_session(SessionRow(TOKEN, "nobody", 1000, 2000))
    assert await store.session(TOKEN) is None
