"""Configuration: one frozen dataclass, read from TOML and environment, every key with default, range and reason."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from loadcenter.adapters.calendar import SiteCalendar, TimeZoneError, parse_location
from loadcenter.adapters.mqtt.url import BrokerUrlError, is_loopback, parse_broker_url
from loadcenter.adapters.storage.engine import DatabaseUrlError, open_engines
from loadcenter.apps.tariff_file import TariffFileError, read_tariffs
from loadcenter.domain.schedules import ScheduleError
from loadcenter.services.retention import Keeping

RETENTION = "retention"
RETENTION_KEYS = ("raw", "minute", "quarter", "hour", "day")
RETENTION_MAX_DAYS = 36_500
DEFAULT_DATA = "~/.local/share/loadcenter"
ENV_PREFIX = "LOADCENTER_"
PORT_MAX = 65_535
_ROOT = re.compile(r"[A-Za-z0-9_-]{1,32}")
LOG_LEVELS = ("debug", "info", "warning", "error")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the key and says what to write."""


def _key(default: Any, help_: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": help_, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a control center runs. Every key can be given in the TOML file or as `LOADCENTER_<KEY>`."""

    host: str = _key("127.0.0.1", "address of the web server; 0.0.0.0 opens it to the network")
    port: int = _key(8080, "TCP port of the web server, 1 to 65535; 0 takes a free one")
    data: str = _key(DEFAULT_DATA, "folder for everything that is kept: database, broker store, tokens")
    database: str = _key(
        "",
        "mysql://user:password@host:3306/name, or sqlite:///file; empty: SQLite in the data folder",
        secret=True,
    )
    broker: str = _key(
        "", "mqtts://user:password@host:8883 of an MQTT 3.1.1 broker; empty: the embedded one", secret=True
    )
    broker_ca: str = _key("", "file with the certificate authority of the broker; empty: the system's")
    plain: bool = _key(default=False, help_="allow MQTT without encryption beyond this machine")
    root: str = _key("loadcenter", "first part of every MQTT topic")
    mqtt_host: str = _key("127.0.0.1", "address of the embedded broker; 0.0.0.0 lets devices reach it")
    mqtt_port: int = _key(1883, "TCP port of the embedded broker, 1 to 65535; 0 takes a free one")
    mqtt_password: str = _key(
        "",
        "password of the user control_center at the embedded broker, for a program that shall see everything; "
        "empty: a new one in each run",
        secret=True,
    )
    mqtt_certificate: str = _key("", "PEM file of the embedded broker's certificate chain, for TLS")
    mqtt_key: str = _key("", "PEM file of the key to mqtt_certificate")
    timezone: str = _key("UTC", "IANA time zone of the site; its midnights bound the days")
    location: str = _key(
        "", "latitude and longitude of the site, as 48.21, 16.37; empty: no schedule follows the sun"
    )
    tariff: str = _key("", "TOML file that says what a kWh costs, and when; empty: nothing has a price")
    log_level: str = _key("info", "debug, info, warning or error")
    retention_raw_days: int = _key(14, "days that readings are kept as they came in; 0: for ever")
    retention_minute_days: int = _key(400, "days that rollups of a minute are kept; 0: for ever")
    retention_quarter_days: int = _key(1826, "days that rollups of 15 minutes are kept; 0: for ever")
    retention_hour_days: int = _key(0, "days that rollups of an hour are kept; 0: for ever")
    retention_day_days: int = _key(0, "days that rollups of a day are kept; 0: for ever")

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.data).expanduser()

    @property
    def tariff_path(self) -> Path | None:
        """The tariff file, None without one."""
        return _path(self.tariff)

    @property
    def keeping(self) -> Keeping:
        """How long rows are kept."""
        return Keeping(
            self.retention_raw_days,
            self.retention_minute_days,
            self.retention_quarter_days,
            self.retention_hour_days,
            self.retention_day_days,
        )

    @property
    def database_url(self) -> str:
        """The database, by default a SQLite file in the data folder."""
        return self.database or f"sqlite:///{self.folder / 'loadcenter.db'}"


def load_config(path: Path | None, env: Mapping[str, str] | None = None, **given: Any) -> Config:
    """Return the configuration: defaults, then the file, then the environment, then `given` (None is not given).

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value does not fit.
    """
    values = {} if path is None else _flat(_read_file(path))
    known = {one.name: one for one in fields(Config)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"{path}: unknown key '{unknown[0]}'; known are {', '.join(sorted(known))}")
    values |= _read_env(os.environ if env is None else env, known)
    values |= {key: value for key, value in given.items() if value is not None}
    for key, value in values.items():
        _check_type(key, value, known[key].default, known[key].metadata["secret"])
    return _checked(Config(**values))


def describe(config: Config) -> list[tuple[str, str | int | bool, str]]:
    """Return (key, value, help) of every key; passwords are hidden."""
    return [
        (one.name, _hidden(getattr(config, one.name), one.metadata["secret"]), one.metadata["help"])
        for one in fields(Config)
    ]


def check_addresses(config: Config) -> None:
    """Check everything that can be checked without connecting to anything.

    Raises:
        ConfigError: an address, a time zone or a file does not fit, or passwords would travel unencrypted.
    """
    try:
        SiteCalendar(config.timezone)
        parse_location(config.location)
        if config.broker:
            parse_broker_url(config.broker, plain=config.plain, ca_file=_path(config.broker_ca))
        if config.database:
            open_engines(config.database)
        read_tariffs(config.tariff_path)
    except (TimeZoneError, ScheduleError, BrokerUrlError, DatabaseUrlError, TariffFileError) as error:
        raise ConfigError(str(error)) from error
    for key in ("broker_ca", "mqtt_certificate", "mqtt_key"):
        path = _path(getattr(config, key))
        if path is not None and not path.is_file():
            raise ConfigError(f"'{key}' names {path}, which is no file: correct the path")
    if not (config.broker or config.plain or config.mqtt_certificate or is_loopback(config.mqtt_host)):
        raise ConfigError(
            f"'mqtt_host' is {config.mqtt_host}, where the broker would take passwords unencrypted: give it "
            "mqtt_certificate and mqtt_key, or allow it with plain = true"
        )


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _hidden(value: str | int | bool, secret: bool) -> str | int | bool:
    if not isinstance(value, str) or not secret or not value:
        return value
    scheme, separator, rest = value.partition("://")
    if not separator:
        return "***"
    credentials, at, place = rest.rpartition("@")
    if not at:
        return value
    return f"{scheme}://{credentials.partition(':')[0]}:***@{place}"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist: write it, or leave --config away for the defaults"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a file with those of its table `[retention]` as `retention_...`."""
    table = values.get(RETENTION)
    if not isinstance(table, dict):
        return values
    rest = {key: value for key, value in values.items() if key != RETENTION}
    return rest | {f"{RETENTION}_{key}": value for key, value in table.items()}


def _read_env(env: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, one in known.items():
        text = env.get(ENV_PREFIX + key.upper())
        if text is None:
            continue
        if isinstance(one.default, bool):
            if text not in ("true", "false"):
                raise ConfigError(f"{ENV_PREFIX}{key.upper()} is '{text}': write true or false")
            values[key] = text == "true"
        elif isinstance(one.default, int):
            if not text.isascii() or not text.isdigit():
                raise ConfigError(f"{ENV_PREFIX}{key.upper()} is '{text}': write a number")
            values[key] = int(text)
        else:
            values[key] = text
    return values


def _check_type(key: str, value: Any, default: Any, secret: bool) -> None:
    if type(value) is not type(default):
        wanted = {bool: "true or false", int: "a whole number", str: "a text in quotes"}[type(default)]
        raise ConfigError(f"'{key}' is {'something else' if secret else repr(value)}: write {wanted}")


def _checked(config: Config) -> Config:
    for key in ("port", "mqtt_port"):
        if not 0 <= getattr(config, key) <= PORT_MAX:
            raise ConfigError(f"'{key}' is {getattr(config, key)}: give 1 to {PORT_MAX}, or 0 for a free one")
    if not _ROOT.fullmatch(config.root):
        raise ConfigError(
            f"'root' is '{config.root}': write one word of 1 to 32 letters, digits, '-' and '_'"
        )
    if config.log_level not in LOG_LEVELS:
        raise ConfigError(f"'log_level' is '{config.log_level}': write one of {', '.join(LOG_LEVELS)}")
    if bool(config.mqtt_certificate) != bool(config.mqtt_key):
        raise ConfigError("'mqtt_certificate' and 'mqtt_key' belong together: give both or none")
    _check_retention(config)
    return config


def _check_retention(config: Config) -> None:
    """Check that each tier is kept at least as long as the finer one, which it stands in for."""
    finer_key, finer_days = "", 0
    for name in RETENTION_KEYS:
        key, days = f"{name}_days", getattr(config, f"{RETENTION}_{name}_days")
        if not 0 <= days <= RETENTION_MAX_DAYS:
            raise ConfigError(f"[retention] '{key}' is {days}: give 1 to {RETENTION_MAX_DAYS}, or 0 for ever")
        if finer_key and days and (not finer_days or days < finer_days):
            raise ConfigError(
                f"[retention] '{key}' is {days}, shorter than '{finer_key}' ({finer_days or 'for ever'}): keep it "
                "at least as long, or 0 for ever"
            )
        finer_key, finer_days = key, days
