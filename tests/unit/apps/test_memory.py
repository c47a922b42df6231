"""Freed memory goes back, where the C library can be told so."""

import ctypes

import pytest

from loadcenter.apps.memory import KEPT_BYTES, M_TRIM_THRESHOLD, give_memory_back


class Library:
    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.told.append((parameter, value))
        return 1


def test_the_c_library_is_told_how_much_it_may_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    give_memory_back()
    assert library.told == [(M_TRIM_THRESHOLD, KEPT_BYTES)]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    give_memory_back()
