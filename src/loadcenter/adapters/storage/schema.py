"""The tables, as SQLAlchemy describes them; docs/storage.md says the same to people who query them.

Raw rows are records: eight outlets and both sources in one, keyed `(pdu_no, ts_ms, bank)` (decision 0011). Rollups are
keyed `(pdu_no, channel, start_ms)`. Rows lie in the order of their keys (clustered in InnoDB, `WITHOUT ROWID` in
SQLite), so a chart is one range. Neither has foreign keys: MariaDB partitions raw rows by day. Text is compared byte by
byte on both databases. The revisions in `migrations/versions` build these tables; a test holds the two equal.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

from loadcenter.domain.rollups import Tier

metadata: Final = MetaData()

Tiny: Final = SmallInteger().with_variant(mysql.TINYINT(), "mysql")
"""An outlet number, a flag or a small code: one byte in MariaDB, -128 to 127."""
Medium: Final = Integer().with_variant(mysql.MEDIUMINT(), "mysql")
"""Three bytes in MariaDB, up to 8,388,607: 8 kV in mV, 8 kA in mA."""
RowId: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number given by the database; SQLite gives one only to `INTEGER`."""
TIER_NAMES: Final[Mapping[Tier, str]] = {
    Tier.MINUTE: "1m",
    Tier.QUARTER: "15m",
    Tier.HOUR: "1h",
    Tier.DAY: "1d",
}

PDU_ID_CHARS: Final = 32
NAME_CHARS: Final = 255
ID_CHARS: Final = 64
CODE_CHARS: Final = 40
TOPIC_CHARS: Final = 255
DETAIL_CHARS: Final = 1000
PAYLOAD_BYTES: Final = 4096


def _table(name: str, *parts: Any, clustered: bool = False) -> Table:
    """Return a table; SQLite gets a check of each text's length, which MariaDB makes by itself."""
    table: Table = Table(
        name,
        metadata,
        *parts,
        sqlite_with_rowid=not clustered,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    for column in table.columns:
        if isinstance(column.type, String) and column.type.length:
            check = CheckConstraint(
                f"length({column.name}) <= {column.type.length}", f"{name}_{column.name}_length"
            )
            table.append_constraint(check.ddl_if(dialect="sqlite"))
    return table


def _required(name: str, kind: Any, *more: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, *more, nullable=False, **options)


def _key(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _optional(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _pdu_no(*, key: bool = False) -> Column[Any]:
    return Column(
        "pdu_no", SmallInteger, ForeignKey("pdu.pdu_no"), primary_key=key, nullable=False, autoincrement=False
    )


def _statistic(quantity: str, unit: str) -> list[Column[Any]]:
    """Return the four columns of a `Stat`; with a count of 0 the others are NULL, never 0."""
    return [
        _required(f"{quantity}_count", Integer),
        _optional(f"{quantity}_min_{unit}", Integer),
        _optional(f"{quantity}_max_{unit}", Integer),
        _optional(f"{quantity}_sum_{unit}", BigInteger),
    ]


def _outlet_rollup(tier: Tier) -> Table:
    return _table(
        f"outlet_rollup_{TIER_NAMES[tier]}",
        _key("pdu_no", SmallInteger),
        _key("outlet", Tiny),
        _key("start_ms", BigInteger),
        _required("covered_ms", BigInteger),
        *_statistic("power", "mw"),
        *_statistic("voltage", "mv"),
        *_statistic("current", "ma"),
        _optional("first_ts_ms", BigInteger),
        _optional("first_mwh", BigInteger),
        _optional("last_ts_ms", BigInteger),
        _optional("last_mwh", BigInteger),
        clustered=True,
    )


def _source_rollup(tier: Tier) -> Table:
    return _table(
        f"source_rollup_{TIER_NAMES[tier]}",
        _key("pdu_no", SmallInteger),
        _key("source", String(6)),
        _key("start_ms", BigInteger),
        _required("covered_ms", BigInteger),
        *_statistic("voltage", "mv"),
        *_statistic("frequency", "mhz"),
        clustered=True,
    )


pdu: Final = _table(
    "pdu",
    Column("pdu_no", SmallInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    _required("pdu_id", String(PDU_ID_CHARS), unique=True),
)

BANK_SLOTS: Final = 8
"""Outlets in one raw row; bank 0 holds 1 to 8, bank 1 holds 9 to 16, and so on."""


def _slot(number: int) -> list[Column[Any]]:
    return [
        _optional(f"voltage_mv_{number}", Medium),
        _optional(f"current_ma_{number}", Medium),
        _optional(f"power_mw_{number}", Integer),
        _optional(f"energy_mwh_{number}", BigInteger),
        _optional(f"power_min_mw_{number}", Integer),
        _optional(f"power_max_mw_{number}", Integer),
        _optional(f"quality_{number}", Tiny),
    ]


raw_record: Final = _table(
    "raw_record",
    _key("pdu_no", SmallInteger),
    _key("ts_ms", BigInteger),
    _key("bank", Tiny),
    _required("samples", Integer),
    _optional("period_ms", Integer),
    _required("reported", SmallInteger),
    _required("on_bits", SmallInteger),
    _optional("main_mv", Medium),
    _optional("main_mhz", Medium),
    _optional("main_quality", Tiny),
    _optional("backup_mv", Medium),
    _optional("backup_mhz", Medium),
    _optional("backup_quality", Tiny),
    *(column for number in range(1, BANK_SLOTS + 1) for column in _slot(number)),
    clustered=True,
)

OUTLET_ROLLUPS: Final[Mapping[Tier, Table]] = {tier: _outlet_rollup(tier) for tier in Tier}
SOURCE_ROLLUPS: Final[Mapping[Tier, Table]] = {tier: _source_rollup(tier) for tier in Tier}

unfolded: Final = _table(
    "unfolded",
    Column("no", RowId, primary_key=True, autoincrement=True),
    _required("records", Integer),
    _required("packed", LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")),
)

meter: Final = _table(
    "meter",
    _key("pdu_no", SmallInteger),
    _key("outlet", Tiny),
    _required("shown_mwh", BigInteger),
    _required("offset_mwh", BigInteger),
    clustered=True,
)

meter_reset: Final = _table(
    "meter_reset",
    _key("pdu_no", SmallInteger),
    _key("outlet", Tiny),
    _key("ts_ms", BigInteger),
    _required("hidden_mwh", BigInteger),
    clustered=True,
)

stream_position: Final = _table(
    "stream_position",
    _pdu_no(key=True),
    _key("boot", BigInteger),
    _key("stream", String(9)),
    _required("seq", BigInteger),
    clustered=True,
)

event: Final = _table(
    "event",
    Column("id", RowId, primary_key=True, autoincrement=True),
    _pdu_no(),
    _required("ts_ms", BigInteger),
    _required("boot", BigInteger),
    _optional("seq", BigInteger),
    _required("code", String(CODE_CHARS)),
    _required("severity", String(8)),
    _optional("outlet", Tiny),
    _optional("source", String(6)),
    _optional("cause", String(CODE_CHARS)),
    _optional("because_seq", BigInteger),
    _required("data", Text),
    UniqueConstraint("pdu_no", "boot", "seq", name="event_of_device"),
    Index("event_by_pdu", "pdu_no", "id"),
    Index("event_by_time", "ts_ms"),
)

gap: Final = _table(
    "gap",
    Column("id", RowId, primary_key=True, autoincrement=True),
    _pdu_no(),
    _required("boot", BigInteger),
    _required("stream", String(9)),
    _required("first_seq", BigInteger),
    _required("last_seq", BigInteger),
    _required("reason", String(CODE_CHARS)),
    _optional("missing", BigInteger),
    _required("ts_ms", BigInteger),
    Index("gap_by_pdu", "pdu_no", "ts_ms"),
)

quarantine: Final = _table(
    "quarantine",
    Column("id", RowId, primary_key=True, autoincrement=True),
    _required("pdu_id", String(PDU_ID_CHARS)),
    _required("topic", String(TOPIC_CHARS)),
    _required("ts_ms", BigInteger),
    _required("reason", String(CODE_CHARS)),
    _required("detail", String(DETAIL_CHARS)),
    _required("payload", LargeBinary),
    _optional("boot", BigInteger),
    _optional("seq", BigInteger),
)

quarantine_total: Final = _table(
    "quarantine_total",
    Column("reason", String(CODE_CHARS), primary_key=True),
    _required("payloads", BigInteger),
)

heartbeat: Final = _table("heartbeat", _key("no", Tiny), _required("beats", BigInteger))

device: Final = _table(
    "device",
    Column("pdu_id", String(PDU_ID_CHARS), primary_key=True),
    _required("name", String(NAME_CHARS)),
    _required("created_ms", BigInteger),
    _required("bcrypt_hash", String(NAME_CHARS)),
    _required("mosquitto_hash", String(NAME_CHARS)),
    _required("labels", Text),
)

desired: Final = _table(
    "desired",
    Column("pdu_id", String(PDU_ID_CHARS), primary_key=True),
    _required("version", BigInteger),
    _required("settings", Text),
)

command: Final = _table(
    "command",
    Column("no", RowId, primary_key=True, autoincrement=True),
    _required("id", String(64), unique=True),
    _required("pdu_id", String(PDU_ID_CHARS)),
    _required("action", String(CODE_CHARS)),
    _optional("outlet", Tiny),
    _optional("wanted_on", Tiny),
    _optional("off_ms", Integer),
    _optional("source", String(6)),
    _required("given_by", String(NAME_CHARS)),
    _required("status", String(CODE_CHARS)),
    _required("code", String(CODE_CHARS)),
    _required("created_ms", BigInteger),
    _optional("settled_ms", BigInteger),
    Column("idempotency_key", String(NAME_CHARS), unique=True, nullable=True),
    _required("detail", Text),
    Index("command_by_pdu", "pdu_id", "no"),
)

alarm: Final = _table(
    "alarm",
    Column("id", RowId, primary_key=True, autoincrement=True),
    _required("pdu_id", String(PDU_ID_CHARS)),
    _required("kind", String(CODE_CHARS)),
    _optional("outlet", Tiny),
    _optional("source", String(6)),
    _required("severity", String(8)),
    _required("first_ms", BigInteger),
    _required("last_ms", BigInteger),
    _required("times", BigInteger),
    _optional("cleared_ms", BigInteger),
    _optional("acknowledged_ms", BigInteger),
    _required("acknowledged_by", String(NAME_CHARS)),
    _required("note", Text),
    _required("detail", Text),
    Index("alarm_by_clearing", "cleared_ms"),
)

user: Final = _table(
    "user",
    Column("name", String(NAME_CHARS), primary_key=True),
    _required("password_hash", String(NAME_CHARS)),
    _required("created_ms", BigInteger),
)

session: Final = _table(
    "session",
    Column("token_sha256", String(64), primary_key=True),
    _required("user", String(NAME_CHARS), ForeignKey("user.name")),
    _required("created_ms", BigInteger),
    _required("expires_ms", BigInteger),
)

schedule: Final = _table(
    "schedule",
    Column("id", String(ID_CHARS), primary_key=True),
    _required("name", String(NAME_CHARS), unique=True),
    _required("version", BigInteger),
    _required("enabled", Tiny),
    _required("plan", Text),
    _required("decided_ms", BigInteger),
    _required("created_ms", BigInteger),
    _required("changed_ms", BigInteger),
    _required("changed_by", String(NAME_CHARS)),
)

schedule_run: Final = _table(
    "schedule_run",
    _key("schedule_id", String(ID_CHARS)),
    _key("start_ms", BigInteger),
    _key("edge", String(5)),
    _key("pdu_id", String(PDU_ID_CHARS)),
    _key("outlet", Tiny),
    _required("schedule_name", String(NAME_CHARS)),
    _required("due_ms", BigInteger),
    _required("decided_ms", BigInteger),
    _required("action", String(CODE_CHARS)),
    _required("result", String(CODE_CHARS)),
    _required("code", String(CODE_CHARS)),
    _optional("command_id", String(ID_CHARS)),
    _required("detail", Text),
    Index("schedule_run_by_time", "due_ms"),
)

schedule_mark: Final = _table(
    "schedule_mark",
    _key("schedule_id", String(ID_CHARS)),
    _key("start_ms", BigInteger),
    _key("pdu_id", String(PDU_ID_CHARS)),
    _key("outlet", Tiny),
    _key("kind", String(CODE_CHARS)),
    _required("at_ms", BigInteger),
    _required("given_by", String(NAME_CHARS)),
)

hold_off: Final = _table(
    "hold_off",
    _key("pdu_id", String(PDU_ID_CHARS)),
    _key("outlet", Tiny),
    _required("since_ms", BigInteger),
    _required("given_by", String(NAME_CHARS)),
)

holiday: Final = _table(
    "holiday", Column("day", String(10), primary_key=True), _required("name", String(NAME_CHARS))
)

energy_price: Final = _table(
    "energy_price",
    _key("start_ms", BigInteger),
    _required("until_ms", BigInteger),
    _required("micro_per_kwh", BigInteger),
)

site: Final = _table(
    "site",
    Column("site_id", String(PDU_ID_CHARS), primary_key=True),
    _required("version", BigInteger),
    _required("config", Text),
    _required("state", Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
)

outlet_group: Final = _table(
    "outlet_group",
    Column("group_id", String(PDU_ID_CHARS), primary_key=True),
    _required("version", BigInteger),
    _required("name", String(NAME_CHARS)),
    _required("members", Text),
)

planned: Final = _table(
    "planned",
    Column("plan_id", String(ID_CHARS), primary_key=True),
    _required("created_ms", BigInteger),
    _required("given_by", String(NAME_CHARS)),
    _required("is_open", Tiny),
    _required("steps", Text().with_variant(mysql.MEDIUMTEXT(), "mysql")),
    Index("planned_by_time", "is_open", "created_ms"),
)
