"""The settings that a PDU runs: defaults, ranges, and the one check that device and control center share.

The rows of `SETTINGS` are those of `spec/points.toml` with access `rw`; a test holds them equal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from loadcenter.domain.quantities import OUTLET_RATING_MA
from loadcenter.domain.topology import Source


class PowerOn(StrEnum):
    """What an outlet does when the PDU comes up; a latched trip stays open under each."""

    LAST_STATE = "last_state"
    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"


class TransferMode(StrEnum):
    """How a transfer between two live sources is made (behaviour.md, section 2)."""

    ISOLATE_FIRST = "isolate_first"
    FAST = "fast"


class LimitAction(StrEnum):
    """What happens when an outlet has been over its limit for its time."""

    TRIP = "trip"
    SHED = "shed"
    WARN = "warn"


class Curve(StrEnum):
    """Inverse-time curve of IEC 60255-151: normal, very and extremely inverse."""

    NI = "ni"
    VI = "vi"
    EI = "ei"


class Per(StrEnum):
    """What a setting belongs to."""

    PDU = "pdu"
    OUTLET = "outlet"


@dataclass(frozen=True, slots=True)
class Setting:
    """One settable value.

    Attributes:
        name: as on the wire, with its unit.
        per: the PDU or each outlet.
        default: in wire units.
        low: lowest valid number; None for a choice.
        high: highest valid number; None for a choice.
        choices: the valid words; empty for a number.
    """

    name: str
    per: Per
    default: int | bool | str
    low: int | None = None
    high: int | None = None
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The range in words, for a message."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return "true or false" if isinstance(self.default, bool) else f"{self.low} to {self.high}"

    def accepts(self, value: object) -> bool:
        """Return whether `value` has the right type and lies in the range."""
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return self.low is not None and self.high is not None and self.low <= value <= self.high


SETTINGS: tuple[Setting, ...] = (
    Setting("preferred", Per.PDU, "main", choices=tuple(Source)),
    Setting("auto_retransfer", Per.PDU, default=True, low=0, high=1),
    Setting("retransfer_delay_s", Per.PDU, 30, 0, 3600),
    Setting("max_transfers_per_hour", Per.PDU, 6, 1, 10),
    Setting("sequence_ms", Per.PDU, 250, 0, 60_000),
    Setting("transfer_mode", Per.PDU, "isolate_first", choices=tuple(TransferMode)),
    Setting("idmt_reset_s", Per.PDU, 10, 1, 60),
    Setting("budget_main_ma", Per.PDU, 16_000, 500, 16_000),
    Setting("budget_backup_ma", Per.PDU, 16_000, 500, 16_000),
    Setting("budget_main_mw", Per.PDU, 4_000_000, 100_000, 4_000_000),
    Setting("budget_backup_mw", Per.PDU, 4_000_000, 100_000, 4_000_000),
    Setting("restore_delay_s", Per.PDU, 30, 1, 3600),
    Setting("min_on_s", Per.PDU, 5, 0, 600),
    Setting("min_off_s", Per.PDU, 10, 0, 3600),
    Setting("limit_ma", Per.OUTLET, 4000, 100, 10_000),
    Setting("limit_ms", Per.OUTLET, 2000, 20, 60_000),
    Setting("power_on", Per.OUTLET, "last_state", choices=tuple(PowerOn)),
    Setting("limit_action", Per.OUTLET, "trip", choices=tuple(LimitAction)),
    Setting("limit_mw", Per.OUTLET, 4_000_000, 1_000, 4_000_000),
    Setting("curve", Per.OUTLET, "vi", choices=tuple(Curve)),
    Setting("curve_ma", Per.OUTLET, 4000, 100, 10_000),
    Setting("curve_tms_permille", Per.OUTLET, 1000, 50, 1500),
    Setting("priority", Per.OUTLET, 4, 1, 8),
    Setting("protected", Per.OUTLET, default=False, low=0, high=1),
)

_BY_NAME: Mapping[Per, Mapping[str, Setting]] = {
    per: {setting.name: setting for setting in SETTINGS if setting.per is per} for per in Per
}


@dataclass(frozen=True, slots=True)
class OutletConfig:
    """Settings of one outlet.

    Attributes:
        limit_ma: definite-time overcurrent limit, 100 to 10,000 mA.
        limit_ms: time over the limit before the trip, 20 to 60,000 ms.
        power_on: what the outlet does when the PDU comes up.
        limit_action: what happens when a limit has been exceeded for its time.
        limit_mw: definite-time limit of real power, 1,000 to 4,000,000 mW; shares `limit_ms` and `limit_action`.
        curve: inverse-time curve; its trip always latches.
        curve_ma: pick-up of the curve, 100 to 10,000 mA.
        curve_tms_permille: time multiplier of the curve, 50 to 1,500 permille.
        priority: 1 is kept longest, 8 is shed first.
        protected: never shed.
    """

    limit_ma: int = 4000
    limit_ms: int = 2000
    power_on: PowerOn = PowerOn.LAST_STATE
    limit_action: LimitAction = LimitAction.TRIP
    limit_mw: int = 4_000_000
    curve: Curve = Curve.VI
    curve_ma: int = 4000
    curve_tms_permille: int = 1000
    priority: int = 4
    protected: bool = False


@dataclass(frozen=True, slots=True)
class PduConfig:
    """What a PDU runs with.

    Attributes:
        outlets: settings of outlet 1, 2, ...
        preferred: the source that is returned to when both are good.
        auto_retransfer: whether that return happens by itself.
        retransfer_delay_s: time the preferred source must be good before it, 0 to 3,600 s.
        max_transfers_per_hour: returns and manual transfers allowed in an hour, 1 to 10.
        sequence_ms: delay between outlets that close one after the other, 0 to 60,000 ms.
        transfer_mode: how a transfer between two live sources is made.
        idmt_reset_s: time in which the inverse-time trip forgets, 1 to 60 s.
        budget_main_ma: what MAIN may carry, 500 to 16,000 mA (sum of the outlets' currents).
        budget_backup_ma: likewise.
        budget_main_mw: what MAIN may carry, 100,000 to 4,000,000 mW.
        budget_backup_mw: likewise.
        restore_delay_s: time after the last shed or restore before the next restore, 1 to 3,600 s.
        min_on_s: least time on of the outlet restored last before the next one follows, 0 to 600 s.
        min_off_s: least time off before a restore, 0 to 3,600 s.
        version: of the desired settings in force; 0 is the factory's.
        nominal_mv: nominal RMS voltage (230 or 120 V); set at the factory, not from a page.
        nominal_mhz: nominal frequency (50 or 60 Hz); likewise.
        outlet_rating_ma: what the relay of an outlet carries for ever; likewise.
    """

    outlets: tuple[OutletConfig, ...] = field(default=(OutletConfig(),) * 4)
    preferred: Source = Source.MAIN
    auto_retransfer: bool = True
    retransfer_delay_s: int = 30
    max_transfers_per_hour: int = 6
    sequence_ms: int = 250
    transfer_mode: TransferMode = TransferMode.ISOLATE_FIRST
    idmt_reset_s: int = 10
    budget_main_ma: int = 16_000
    budget_backup_ma: int = 16_000
    budget_main_mw: int = 4_000_000
    budget_backup_mw: int = 4_000_000
    restore_delay_s: int = 30
    min_on_s: int = 5
    min_off_s: int = 10
    version: int = 0
    nominal_mv: int = 230_000
    nominal_mhz: int = 50_000
    outlet_rating_ma: int = OUTLET_RATING_MA

    def budget_of(self, source: Source) -> tuple[int, int]:
        """Return what `source` may carry, in mA and mW."""
        if source is Source.MAIN:
            return self.budget_main_ma, self.budget_main_mw
        return self.budget_backup_ma, self.budget_backup_mw


@dataclass(frozen=True, slots=True)
class SettingsError:
    """Why settings are refused as a whole: which value, and what would be accepted.

    Attributes:
        setting: name of the value.
        value: what was given.
        allowed: the range in words.
        outlet: which outlet's value it is, None for one of the PDU.
    """

    setting: str
    value: object
    allowed: str
    outlet: int | None = None

    @property
    def message(self) -> str:
        """One sentence that says what to correct."""
        where = "" if self.outlet is None else f" of outlet {self.outlet}"
        return f"{self.setting}{where} is {self.value!r}: it must be {self.allowed}"


def apply_settings(
    config: PduConfig, desired: Mapping[str, object], *, strict: bool = False
) -> PduConfig | SettingsError:
    """Return the configuration that `desired` describes, or why none of it is taken (MQTT-50).

    What `desired` leaves out has its default, so that a version says everything. The caller decides whether the
    version is new.

    Args:
        config: what runs now; tells how many outlets there are and the nominal supply.
        desired: `{version, pdu: {...}, out: [{n, ...}]}`.
        strict: refuse unknown names, as a page must; a device ignores them (MQTT-2).
    """
    version = desired.get("version", config.version)
    if not isinstance(version, int) or isinstance(version, bool) or version < 0:
        return SettingsError("version", version, "0 or more")
    group = desired.get("pdu", {})
    if not isinstance(group, Mapping):
        return SettingsError("pdu", group, "an object of settings")
    values = _checked(Per.PDU, group, None, strict=strict)
    if isinstance(values, SettingsError):
        return values
    outlets = _outlets(len(config.outlets), desired.get("out", []), strict=strict)
    if isinstance(outlets, SettingsError):
        return outlets
    return replace(config, outlets=outlets, version=version, **_typed(values))


def desired_settings(config: PduConfig) -> dict[str, object]:
    """Return `config` in the form of `down/desired`, without `v`; `apply_settings` gives it back.

    What has its default is left out, so that the message stays small for a device.
    """
    return {
        "version": config.version,
        "pdu": _changed(Per.PDU, config),
        "out": [
            {"n": number, **changed}
            for number, outlet in enumerate(config.outlets, 1)
            if (changed := _changed(Per.OUTLET, outlet))
        ],
    }


def _changed(per: Per, config: PduConfig | OutletConfig) -> dict[str, object]:
    found = {name: getattr(config, name) for name in _BY_NAME[per]}
    return {name: value for name, value in found.items() if value != _BY_NAME[per][name].default}


_KINDS: Mapping[str, Callable[[str], StrEnum]] = {
    "preferred": Source,
    "transfer_mode": TransferMode,
    "power_on": PowerOn,
    "limit_action": LimitAction,
    "curve": Curve,
}


def _typed(values: Mapping[str, int | str]) -> dict[str, Any]:
    """Return checked settings with words as members of their enumeration."""
    return {name: value if isinstance(value, int) else _KINDS[name](value) for name, value in values.items()}


def _outlets(count: int, groups: object, *, strict: bool) -> tuple[OutletConfig, ...] | SettingsError:
    if not isinstance(groups, Sequence) or isinstance(groups, str):
        return SettingsError("out", groups, "a list of outlets")
    outlets = [OutletConfig()] * count
    for group in groups:
        if not isinstance(group, Mapping):
            return SettingsError("out", group, "an object of settings with n")
        number = group.get("n")
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= count:
            return SettingsError("n", number, f"1 to {count}")
        values = _checked(Per.OUTLET, group, number, strict=strict)
        if isinstance(values, SettingsError):
            return values
        outlets[number - 1] = OutletConfig(**_typed(values))
    return tuple(outlets)


def _checked(
    per: Per, group: Mapping[str, object], outlet: int | None, *, strict: bool
) -> dict[str, int | str] | SettingsError:
    """Return every setting of `per` by name: those of `group`, and the defaults of the others."""
    values = {name: setting.default for name, setting in _BY_NAME[per].items()}
    for name, value in group.items():
        setting = _BY_NAME[per].get(name)
        if setting is None:
            if strict and name != "n":
                return SettingsError(name, value, "one of " + ", ".join(_BY_NAME[per]), outlet)
        elif not setting.accepts(value):
            return SettingsError(name, value, setting.allowed, outlet)
        else:
            assert isinstance(value, int | str)
            values[name] = value
    return values
