"""The first tables.

A revision is a record of the past: it repeats the columns and does not import `schema`, which goes on.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from loadcenter.adapters.storage.dialect import create_view, utc_text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TINY = sa.SmallInteger().with_variant(mysql.TINYINT(), "mysql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PDU_NO = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
BIG = sa.BigInteger()
INT = sa.Integer()
SMALL = sa.SmallInteger()
TEXT = sa.Text()

READINGS = """
SELECT p.pdu_id, d.name AS pdu_name, r.outlet, r.ts_ms, $at_utc AS at_utc, r.is_on,
  r.voltage_mv * 0.001 AS volts, r.current_ma * 0.001 AS amps, r.power_mw * 0.001 AS watts,
  r.power_min_mw * 0.001 AS watts_min, r.power_max_mw * 0.001 AS watts_max, r.energy_mwh * 0.000001 AS kwh,
  CASE r.quality WHEN 0 THEN 'good' WHEN 1 THEN 'stale' ELSE 'invalid' END AS quality
FROM raw_outlet r JOIN pdu p ON p.pdu_no = r.pdu_no LEFT JOIN device d ON d.pdu_id = p.pdu_id
"""
SOURCE_READINGS = """
SELECT p.pdu_id, d.name AS pdu_name, r.source, r.ts_ms, $at_utc AS at_utc,
  r.voltage_mv * 0.001 AS volts, r.frequency_mhz * 0.001 AS hertz,
  CASE r.quality WHEN 0 THEN 'good' WHEN 1 THEN 'stale' ELSE 'invalid' END AS quality
FROM raw_source r JOIN pdu p ON p.pdu_no = r.pdu_no LEFT JOIN device d ON d.pdu_id = p.pdu_id
"""


def upgrade() -> None:
    """Create all tables and views."""
    _measurements()
    _rollups()
    _records()
    _quarantine()
    _registry()
    _commands()
    _alarms()
    _people()
    _views()


def downgrade() -> None:
    """Refuse: going back means restoring a backup."""
    raise NotImplementedError("revisions only go forward: restore a backup from before the update")


def _table(name: str, *parts: Any, clustered: bool = False) -> None:
    checks = [
        sa.CheckConstraint(
            f"length({column.name}) <= {column.type.length}", f"{name}_{column.name}_length"
        ).ddl_if(dialect="sqlite")
        for column in parts
        if isinstance(column, sa.Column) and isinstance(column.type, sa.String) and column.type.length
    ]
    op.create_table(
        name,
        *parts,
        *checks,
        if_not_exists=True,
        sqlite_with_rowid=not clustered,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _col(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _null(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _id(name: str = "id", kind: Any = ROW_ID) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=True, nullable=False)


def _text(length: int) -> sa.String:
    return sa.String(length)


def _measurements() -> None:
    _table("pdu", _id("pdu_no", PDU_NO), _col("pdu_id", _text(32)), sa.UniqueConstraint("pdu_id"))
    _table(
        "raw_outlet",
        _key("pdu_no", SMALL),
        _key("outlet", TINY),
        _key("ts_ms", BIG),
        _col("samples", INT),
        _col("is_on", TINY),
        _null("voltage_mv", INT),
        _null("current_ma", INT),
        _null("power_mw", INT),
        _null("energy_mwh", BIG),
        _null("power_min_mw", INT),
        _null("power_max_mw", INT),
        _col("quality", TINY),
        clustered=True,
    )
    _table(
        "raw_source",
        _key("pdu_no", SMALL),
        _key("source", _text(6)),
        _key("ts_ms", BIG),
        _col("samples", INT),
        _null("voltage_mv", INT),
        _null("frequency_mhz", INT),
        _col("quality", TINY),
        clustered=True,
    )


def _statistic(quantity: str, unit: str) -> list[sa.Column[Any]]:
    return [
        _col(f"{quantity}_count", INT),
        _null(f"{quantity}_min_{unit}", INT),
        _null(f"{quantity}_max_{unit}", INT),
        _null(f"{quantity}_sum_{unit}", BIG),
    ]


def _rollups() -> None:
    for tier in ("1m", "15m", "1h", "1d"):
        _table(
            f"outlet_rollup_{tier}",
            _key("pdu_no", SMALL),
            _key("outlet", TINY),
            _key("start_ms", BIG),
            _col("covered_ms", BIG),
            *_statistic("power", "mw"),
            *_statistic("voltage", "mv"),
            *_statistic("current", "ma"),
            _null("first_ts_ms", BIG),
            _null("first_mwh", BIG),
            _null("last_ts_ms", BIG),
            _null("last_mwh", BIG),
            _null("reset_mwh", BIG),
            clustered=True,
        )
        _table(
            f"source_rollup_{tier}",
            _key("pdu_no", SMALL),
            _key("source", _text(6)),
            _key("start_ms", BIG),
            _col("covered_ms", BIG),
            *_statistic("voltage", "mv"),
            *_statistic("frequency", "mhz"),
            clustered=True,
        )
    _table(
        "dirty_bucket",
        _key("tier_s", INT),
        _key("pdu_no", SMALL),
        _key("channel", _text(6)),
        _key("start_ms", BIG),
        clustered=True,
    )


def _records() -> None:
    _table(
        "stream_position",
        _key("pdu_no", SMALL),
        _key("boot", BIG),
        _key("stream", _text(9)),
        _col("seq", BIG),
        sa.ForeignKeyConstraint(["pdu_no"], ["pdu.pdu_no"]),
        clustered=True,
    )
    _table(
        "event",
        _id(),
        _col("pdu_no", SMALL),
        _col("ts_ms", BIG),
        _col("boot", BIG),
        _null("seq", BIG),
        _col("code", _text(40)),
        _col("severity", _text(8)),
        _null("outlet", TINY),
        _null("source", _text(6)),
        _null("cause", _text(40)),
        _null("because_seq", BIG),
        _col("data", TEXT),
        sa.ForeignKeyConstraint(["pdu_no"], ["pdu.pdu_no"]),
        sa.UniqueConstraint("pdu_no", "boot", "seq", name="event_of_device"),
    )
    op.create_index("event_by_pdu", "event", ["pdu_no", "id"], if_not_exists=True)
    op.create_index("event_by_time", "event", ["ts_ms"], if_not_exists=True)
    _table(
        "gap",
        _id(),
        _col("pdu_no", SMALL),
        _col("boot", BIG),
        _col("stream", _text(9)),
        _col("first_seq", BIG),
        _col("last_seq", BIG),
        _col("reason", _text(40)),
        _null("missing", BIG),
        _col("ts_ms", BIG),
        sa.ForeignKeyConstraint(["pdu_no"], ["pdu.pdu_no"]),
    )
    op.create_index("gap_by_pdu", "gap", ["pdu_no", "ts_ms"], if_not_exists=True)


def _quarantine() -> None:
    _table(
        "quarantine",
        _id(),
        _col("pdu_id", _text(32)),
        _col("topic", _text(255)),
        _col("ts_ms", BIG),
        _col("reason", _text(40)),
        _col("detail", _text(1000)),
        _col("payload", sa.LargeBinary()),
        _null("boot", BIG),
        _null("seq", BIG),
    )
    _table("quarantine_total", _key("reason", _text(40)), _col("payloads", BIG))
    _table("heartbeat", _key("no", TINY), _col("beats", BIG))


def _registry() -> None:
    _table(
        "device",
        _key("pdu_id", _text(32)),
        _col("name", _text(255)),
        _col("created_ms", BIG),
        _col("bcrypt_hash", _text(255)),
        _col("mosquitto_hash", _text(255)),
        _col("labels", TEXT),
    )
    _table("desired", _key("pdu_id", _text(32)), _col("version", BIG), _col("settings", TEXT))


def _commands() -> None:
    _table(
        "command",
        _id("no"),
        _col("id", _text(64)),
        _col("pdu_id", _text(32)),
        _col("action", _text(40)),
        _null("outlet", TINY),
        _null("wanted_on", TINY),
        _null("off_ms", INT),
        _null("source", _text(6)),
        _col("given_by", _text(255)),
        _col("status", _text(40)),
        _col("code", _text(40)),
        _col("created_ms", BIG),
        _null("settled_ms", BIG),
        _null("idempotency_key", _text(255)),
        _col("detail", TEXT),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    op.create_index("command_by_pdu", "command", ["pdu_id", "no"], if_not_exists=True)


def _alarms() -> None:
    _table(
        "alarm",
        _id(),
        _col("pdu_id", _text(32)),
        _col("kind", _text(40)),
        _null("outlet", TINY),
        _null("source", _text(6)),
        _col("severity", _text(8)),
        _col("first_ms", BIG),
        _col("last_ms", BIG),
        _col("times", BIG),
        _null("cleared_ms", BIG),
        _null("acknowledged_ms", BIG),
        _col("acknowledged_by", _text(255)),
        _col("note", TEXT),
        _col("detail", TEXT),
    )
    op.create_index("alarm_by_clearing", "alarm", ["cleared_ms"], if_not_exists=True)


def _people() -> None:
    _table("user", _key("name", _text(255)), _col("password_hash", _text(255)), _col("created_ms", BIG))
    _table(
        "session",
        _key("token_sha256", _text(64)),
        _col("user", _text(255)),
        _col("created_ms", BIG),
        _col("expires_ms", BIG),
        sa.ForeignKeyConstraint(["user"], ["user.name"]),
    )


def _views() -> None:
    dialect = op.get_bind().dialect
    at_utc = utc_text(dialect, "r.ts_ms")
    op.execute(create_view(dialect, "readings", READINGS.replace("$at_utc", at_utc)))
    op.execute(create_view(dialect, "source_readings", SOURCE_READINGS.replace("$at_utc", at_utc)))
