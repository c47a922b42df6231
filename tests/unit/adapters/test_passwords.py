"""Argon2id hashes, checked beside the loop."""

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from loadcenter.adapters.passwords import Argon2Passwords

passwords = Argon2Passwords()


async def test_a_password_fits_its_own_hash_and_no_other() -> None:
    hashed = await passwords.hash("Straße 7")
    assert await passwords.verify(hashed, "Straße 7")
    assert not await passwords.verify(hashed, "Strasse 7")
    assert not await passwords.verify(hashed, "")


async def test_two_hashes_of_one_password_differ_and_do_not_hold_it() -> None:
    one, other = await passwords.hash("secret-word"), await passwords.hash("secret-word")
    assert one != other
    assert "secret-word" not in one


async def test_hashes_cost_what_owasp_names_as_a_minimum() -> None:
    found = extract_parameters(await passwords.hash("x"))
    assert (found.type, found.time_cost, found.memory_cost, found.parallelism) == (Type.ID, 2, 19_456, 1)


@pytest.mark.parametrize("hashed", ["", "x", "$argon2id$broken", "hash of x"])
async def test_what_is_no_hash_fits_no_password(hashed: str) -> None:
    assert not await passwords.verify(hashed, "x")


async def test_an_unknown_user_costs_a_comparison_too(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, hashed: str, password: str) -> bool:
        compared.append(extract_parameters(hashed))
        return verify(self, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    known = await passwords.hash("right")
    assert not await passwords.verify("", "no user has this password")
    assert await passwords.verify(known, "right")
    assert compared[0] == compared[1]


async def test_the_loop_goes_on_while_a_password_is_hashed() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await passwords.hash("x")
    counting.cancel()
    assert turns > 1
