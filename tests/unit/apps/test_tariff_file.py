"""The tariff file: what is read, and what each mistake is told."""

from datetime import date
from pathlib import Path

import pytest

from loadcenter.apps.config import ConfigError, check_addresses, load_config
from loadcenter.apps.demo import DEMO_TARIFF
from loadcenter.apps.tariff_file import TariffFileError, read_tariffs
from loadcenter.domain.tariffs import Price, Tariff, Tariffs, Window

DOCS = Path(__file__).resolve().parents[3] / "docs" / "analytics.md"
GOOD = """currency = "EUR"
[[tariff]]
valid_from = 2027-01-01
name = "flat"
price = 0.3

[[tariff]]
valid_from = 2026-01-01
name = "day"
price = 0.318213
fee_per_day = 0.25
[[tariff.window]]
name = "night"
price = -0.05
days = ["mon", "fri"]
from = "22:00"
until = "06:15"
[[tariff.window]]
name = "evening"
price = 1
from = "20:00"
until = "24:00"
"""


def read(tmp_path: Path, text: str) -> Tariffs:
    path = tmp_path / "tariff.toml"
    path.write_text(text, encoding="utf-8")
    return read_tariffs(path)


def test_without_a_file_nothing_has_a_price() -> None:
    assert read_tariffs(None) == Tariffs()


def test_prices_are_read_exactly_and_tariffs_put_in_order(tmp_path: Path) -> None:
    night = Window(Price("night", -50_000), frozenset({0, 4}), 22 * 60, 6 * 60 + 15)
    evening = Window(Price("evening", 1_000_000), frozenset(range(7)), 20 * 60, 24 * 60)
    first = Tariff(date(2026, 1, 1), Price("day", 318_213), (night, evening), 250_000)
    assert read(tmp_path, GOOD) == Tariffs("EUR", (first, Tariff(date(2027, 1, 1), Price("flat", 300_000))))


def test_the_example_of_the_documents_can_be_read(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    assert len(read(tmp_path, example).tariffs) == 2


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"EUR"', '"euro"', "three letters"),
        ("price = 0.3\n", 'price = "0.3"\n', "tariff 1: 'price' is a number in the currency"),
        ("price = 0.3\n", "price = true\n", "'price' is a number"),
        ("price = 0.3\n", "price = 0.1234567\n", "at most 6 digits"),
        ("price = 0.3\n", "price = 1001\n", "give -1000 to 1000"),
        ("price = 0.3\n", "price = nan\n", "give -1000 to 1000"),
        ("valid_from = 2027-01-01", "valid_from = 2026-01-01", "the same 'valid_from'"),
        ("valid_from = 2027-01-01", "valid_from = 2027-01-01T00:00:00", "valid_from = 2026-01-01"),
        ("valid_from = 2027-01-01", "", "valid_from = 2026-01-01"),
        ('name = "flat"', 'name = ""', "give it a name"),
        ('name = "flat"', 'title = "flat"', "unknown key 'title'; known are valid_from, name"),
        ('["mon", "fri"]', '["monday"]', "'days' is a list out of mon, tue"),
        ('["mon", "fri"]', "[]", "'days' is a list"),
        ('from = "22:00"', "from = 22:00:00", "'from' is a time in quotes"),
        ('from = "22:00"', 'from = "22:10"', "quarter of an hour"),
        ('from = "22:00"', 'from = "22:75"', "quarter of an hour"),
        ('from = "22:00"', 'from = "24:00"', "write 00:00"),
        ('until = "06:15"', 'until = "24:15"', "tariff 2, window 1: 'until' is 24:15"),
        ("[[tariff]]", "[tariff]", "not valid TOML"),
        ("[[tariff.window]]", "[[tariff.windows]]", "unknown key 'windows'"),
        ('currency = "EUR"', 'currency = "EUR"\nvat = 20', "the file: unknown key 'vat'"),
    ],
)
def test_each_mistake_says_what_to_write(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(TariffFileError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(caught.value)
    assert "tariff.toml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ['currency = "EUR"', 'currency = "EUR"\ntariff = 1', 'currency = "EUR"\ntariff = []']
)
def test_a_file_without_a_tariff_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TariffFileError, match="tariff"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named_when_the_configuration_is_checked(tmp_path: Path) -> None:
    config = load_config(None, {}, tariff=str(tmp_path / "nothing.toml"))
    with pytest.raises(ConfigError, match=r"nothing\.toml cannot be read"):
        check_addresses(config)


def test_the_tariff_of_the_demo_has_three_prices_that_depend_on_the_time() -> None:
    tariffs = read_tariffs(DEMO_TARIFF)
    assert [price.name for price in tariffs.tariffs[0].prices] == ["night", "peak", "day"]
    assert tariffs.on(date(2020, 1, 1)) is not None
