"""Raw rows become records of eight outlets and both sources; rollups count on meters that never fall.

Everything is kept. In MariaDB each change of a table commits by itself, so every step may run again after it was cut off:
raw rows are copied anew as long as the old tables are there, and counters that were counted on once show no fall any more.
"""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from loadcenter.adapters.storage.dialect import SQLITE, create_view, utc_text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TINY = sa.SmallInteger().with_variant(mysql.TINYINT(), "mysql")
MEDIUM = sa.Integer().with_variant(mysql.MEDIUMINT(), "mysql")
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BLOB = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
BIG = sa.BigInteger()
INT = sa.Integer()
SMALL = sa.SmallInteger()

SLOTS = range(1, 9)
HOUR_S, DAY_S = 3_600, 86_400
DAY_MS = DAY_S * 1000
DAYS_MOST = 60
"""Partitions made for the days that are there; older ones share the first."""
NAMES = ("voltage_mv", "current_ma", "power_mw", "energy_mwh", "power_min_mw", "power_max_mw")
TIERS = ("1m", "15m", "1h", "1d")

_log = logging.getLogger(__name__)


def _of_slot(name: str) -> str:
    return "CASE s.slot " + " ".join(f"WHEN {slot} THEN r.{name}_{slot}" for slot in SLOTS) + " END"


def _quality(value: str) -> str:
    return f"CASE COALESCE({value}, 0) WHEN 0 THEN 'good' WHEN 1 THEN 'stale' ELSE 'invalid' END"


_SLOT_TABLE = " UNION ALL ".join(f"SELECT {slot} AS slot" for slot in SLOTS)
READINGS = f"""
SELECT p.pdu_id, d.name AS pdu_name, r.bank * 8 + s.slot AS outlet, r.ts_ms, $at_utc AS at_utc,
  CASE WHEN (r.on_bits >> (s.slot - 1)) & 1 = 1 THEN 1 ELSE 0 END AS is_on,
  {_of_slot("voltage_mv")} * 0.001 AS volts, {_of_slot("current_ma")} * 0.001 AS amps, {_of_slot("power_mw")} * 0.001 AS watts,
  {_of_slot("power_min_mw")} * 0.001 AS watts_min, {_of_slot("power_max_mw")} * 0.001 AS watts_max,
  {_of_slot("energy_mwh")} * 0.000001 AS kwh, {_quality(_of_slot("quality"))} AS quality, r.samples
FROM raw_record r JOIN ({_SLOT_TABLE}) s ON (r.reported >> (s.slot - 1)) & 1 = 1
JOIN pdu p ON p.pdu_no = r.pdu_no LEFT JOIN device d ON d.pdu_id = p.pdu_id
"""
SOURCE_READINGS = f"""
SELECT p.pdu_id, d.name AS pdu_name, s.source, r.ts_ms, $at_utc AS at_utc,
  CASE s.bit WHEN 8 THEN r.main_mv ELSE r.backup_mv END * 0.001 AS volts,
  CASE s.bit WHEN 8 THEN r.main_mhz ELSE r.backup_mhz END * 0.001 AS hertz,
  {_quality("CASE s.bit WHEN 8 THEN r.main_quality ELSE r.backup_quality END")} AS quality, r.samples
FROM raw_record r JOIN (SELECT 'main' AS source, 8 AS bit UNION ALL SELECT 'backup', 9) s ON (r.reported >> s.bit) & 1 = 1
JOIN pdu p ON p.pdu_no = r.pdu_no LEFT JOIN device d ON d.pdu_id = p.pdu_id
"""


def upgrade() -> None:
    """Make the new tables, move what is there, drop the old ones."""
    tables = set(sa.inspect(op.get_bind()).get_table_names())
    _new_tables(_days() if "raw_outlet" in tables else [])
    _views()
    if "raw_outlet" in tables:
        _copy_raw()
    for tier in TIERS:
        _count_on(f"outlet_rollup_{tier}")
    if "dirty_bucket" in tables:
        _settle()
    _meters()
    for name in ("raw_outlet", "raw_source", "dirty_bucket"):
        op.drop_table(name, if_exists=True)


def downgrade() -> None:
    """Refuse: going back means restoring a backup."""
    raise NotImplementedError("revisions only go forward: restore a backup from before the update")


def _table(name: str, *parts: Any, clustered: bool = False, **options: Any) -> None:
    op.create_table(
        name,
        *parts,
        if_not_exists=True,
        sqlite_with_rowid=not clustered,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        **options,
    )


def _col(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _null(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _new_tables(day_ends: list[int]) -> None:
    kinds = (MEDIUM, MEDIUM, INT, BIG, INT, INT)
    slots = [
        column
        for slot in SLOTS
        for column in (
            *(_null(f"{name}_{slot}", kind) for name, kind in zip(NAMES, kinds, strict=True)),
            _null(f"quality_{slot}", TINY),
        )
    ]
    sources = [
        _null(f"{source}_{name}", kind)
        for source in ("main", "backup")
        for name, kind in (("mv", MEDIUM), ("mhz", MEDIUM), ("quality", TINY))
    ]
    days = "".join(f"PARTITION p{_day(end)} VALUES LESS THAN ({end}), " for end in day_ends)
    _table(
        "raw_record",
        _key("pdu_no", SMALL),
        _key("ts_ms", BIG),
        _key("bank", TINY),
        _col("samples", INT),
        _null("period_ms", INT),
        _col("reported", SMALL),
        _col("on_bits", SMALL),
        *sources,
        *slots,
        clustered=True,
        mysql_partition_by=f"RANGE (ts_ms) ({days}PARTITION later VALUES LESS THAN MAXVALUE)",
    )
    _table(
        "unfolded",
        sa.Column("no", ROW_ID, primary_key=True, autoincrement=True, nullable=False),
        _col("records", INT),
        _col("packed", BLOB),
    )
    channel = _key("pdu_no", SMALL), _key("outlet", TINY)
    _table("meter", *channel, _col("shown_mwh", BIG), _col("offset_mwh", BIG), clustered=True)
    channel = _key("pdu_no", SMALL), _key("outlet", TINY)
    _table("meter_reset", *channel, _key("ts_ms", BIG), _col("hidden_mwh", BIG), clustered=True)


def _day(end_ms: int) -> str:
    """Return the UTC day that ends at `end_ms`, as in the name of its partition."""
    return str(
        _one(
            f"SELECT DATE_FORMAT(TIMESTAMPADD(SECOND, {end_ms // 1000 - 86_400}, '1970-01-01'), '%%Y%%m%%d')"
        )
    )


def _days() -> list[int]:
    """Return the ends of the days that raw rows are of, the newest `DAYS_MOST`; only MariaDB partitions by them."""
    if _lite():
        return []
    newest = _one("SELECT MAX(ts_ms) FROM raw_outlet")
    if newest is None:
        return []
    last = newest // DAY_MS
    first = max(_one("SELECT MIN(ts_ms) FROM raw_outlet") // DAY_MS, last - DAYS_MOST + 1)
    return [(day + 1) * DAY_MS for day in range(first, last + 1)]


def _views() -> None:
    dialect = op.get_bind().dialect
    at_utc = utc_text(dialect, "r.ts_ms")
    for name, select in (("readings", READINGS), ("source_readings", SOURCE_READINGS)):
        op.execute(f"DROP VIEW IF EXISTS {name}") if _lite() else None
        op.execute(create_view(dialect, name, select.replace("$at_utc", at_utc)))


def _copy_raw() -> None:
    """Copy raw rows PDU by PDU and day by day, each day a transaction in MariaDB."""
    _run("DELETE FROM raw_record" if _lite() else "TRUNCATE TABLE raw_record")
    rows = _one("SELECT COUNT(*) FROM raw_outlet")
    if rows:
        _log.warning("%d raw rows take another shape: let it come to its end, it takes some minutes", rows)
    spans: dict[int, tuple[int, int]] = {}
    for table in ("raw_outlet", "raw_source"):
        for pdu_no, least, most in _all(
            f"SELECT pdu_no, MIN(ts_ms), MAX(ts_ms) FROM {table} GROUP BY pdu_no"
        ):
            known = spans.get(pdu_no, (least, most))
            spans[pdu_no] = min(least, known[0]), max(most, known[1])
    banks = _one("SELECT MAX(outlet) FROM raw_outlet") or 0
    for pdu_no, (least, most) in spans.items():
        for since_ms in range(least, most + 1, DAY_MS):
            where = f"pdu_no = {pdu_no} AND ts_ms >= {since_ms} AND ts_ms < {since_ms + DAY_MS}"
            for bank in range((banks + 7) // 8):
                _run(_outlets_of(bank, where))
            _run(_sources_of(where))
            if not _lite():
                _run("COMMIT")


def _outlets_of(bank: int, where: str) -> str:
    first = bank * 8 + 1
    values = [
        f"{'NULLIF(' if name == 'quality' else ''}MAX(CASE outlet WHEN {first + slot - 1} THEN {name} END)"
        f"{', 0)' if name == 'quality' else ''}"
        for slot in SLOTS
        for name in (*NAMES, "quality")
    ]
    outlets = ", ".join(str(first + slot - 1) for slot in SLOTS)
    return (
        f"INSERT INTO raw_record SELECT pdu_no, ts_ms, {bank}, MAX(samples), NULL, SUM(1 << (outlet - {first})), "
        f"SUM(is_on << (outlet - {first})), NULL, NULL, NULL, NULL, NULL, NULL, {', '.join(values)} "
        f"FROM raw_outlet WHERE outlet IN ({outlets}) AND {where} GROUP BY pdu_no, ts_ms"
    )


def _sources_of(where: str) -> str:
    columns = [f"{source}_{name}" for source in ("main", "backup") for name in ("mv", "mhz", "quality")]
    values = [
        value
        for source in ("main", "backup")
        for value in (
            f"MAX(CASE source WHEN '{source}' THEN voltage_mv END)",
            f"MAX(CASE source WHEN '{source}' THEN frequency_mhz END)",
            f"NULLIF(MAX(CASE source WHEN '{source}' THEN quality END), 0)",
        )
    ]
    new = "excluded.{0}" if _lite() else "VALUES({0})"
    changes = [f"{name} = {new.format(name)}" for name in columns]
    changes.append(f"reported = raw_record.reported + {new.format('reported')}")
    clash = "ON CONFLICT DO UPDATE SET" if _lite() else "ON DUPLICATE KEY UPDATE"
    return (
        f"INSERT INTO raw_record (pdu_no, ts_ms, bank, samples, reported, on_bits, {', '.join(columns)}) "
        "SELECT pdu_no, ts_ms, 0, MAX(samples), SUM(CASE source WHEN 'main' THEN 256 ELSE 512 END), 0, "
        f"{', '.join(values)} FROM raw_source WHERE {where} GROUP BY pdu_no, ts_ms {clash} {', '.join(changes)}"
    )


def _count_on(table: str) -> None:
    """Let the counters of a rollup table count on where the device began again, and drop `reset_mwh`."""
    if "reset_mwh" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}:
        return
    falls = _all(
        "SELECT pdu_no, outlet, start_ms, reset_mwh, CASE WHEN first_mwh < before_mwh AND first_ts_ms > before_ts_ms "
        "THEN before_mwh ELSE 0 END FROM (SELECT pdu_no, outlet, start_ms, first_ts_ms, first_mwh, reset_mwh, "
        "LAG(last_mwh) OVER (PARTITION BY pdu_no, outlet ORDER BY start_ms) AS before_mwh, "
        "LAG(last_ts_ms) OVER (PARTITION BY pdu_no, outlet ORDER BY start_ms) AS before_ts_ms "
        f"FROM {table} WHERE first_mwh IS NOT NULL) spans "
        "WHERE reset_mwh > 0 OR (first_mwh < before_mwh AND first_ts_ms > before_ts_ms) ORDER BY 1, 2, 3"
    )
    for pdu_no, outlet, start_ms, reset_mwh, before_mwh in falls:
        channel = f"pdu_no = {pdu_no} AND outlet = {outlet}"
        both = "first_mwh = first_mwh + {0}, last_mwh = last_mwh + {0}"
        _run(f"UPDATE {table} SET {both.format(before_mwh)} WHERE {channel} AND start_ms >= {start_ms}")
        _run(f"UPDATE {table} SET {both.format(reset_mwh)} WHERE {channel} AND start_ms > {start_ms}")
        _run(
            f"UPDATE {table} SET last_mwh = last_mwh + {reset_mwh}, reset_mwh = 0 WHERE {channel} AND start_ms = {start_ms}"
        )
    op.drop_column(table, "reset_mwh")


def _settle() -> None:
    """Rebuild the buckets that were waiting for it, finest first; from now on they never wait."""
    for tier_s, tier, finer in ((900, "15m", "1m"), (3600, "1h", "15m"), (86_400, "1d", "15m")):
        waiting = set(_all(f"SELECT pdu_no, channel, start_ms FROM dirty_bucket WHERE tier_s = {tier_s}"))
        for pdu_no, channel, start_ms in _all(
            "SELECT pdu_no, channel, start_ms FROM dirty_bucket WHERE tier_s = 900"
        ):
            if tier_s == HOUR_S:
                waiting.add((pdu_no, channel, start_ms - start_ms % 3_600_000))
            elif tier_s == DAY_S:
                waiting |= {(pdu_no, channel, day) for day in _day_of(pdu_no, channel, start_ms)}
        for pdu_no, channel, start_ms in sorted(waiting):
            _rebuild(tier, finer, pdu_no, channel, start_ms, _end(tier_s, pdu_no, channel, start_ms))


def _kind(channel: str) -> tuple[str, str]:
    """Return the kind of rollup of a channel and the condition for it."""
    return (
        ("outlet", f"outlet = {int(channel)}") if channel.isdigit() else ("source", f"source = '{channel}'")
    )


def _day_of(pdu_no: int, channel: str, start_ms: int) -> list[int]:
    """Return the local midnight before a quarter, as far as there is a row of its day."""
    kind, this = _kind(channel)
    found = _one(
        f"SELECT MAX(start_ms) FROM {kind}_rollup_1d WHERE pdu_no = {pdu_no} AND {this} AND start_ms <= {start_ms}"
    )
    return [found] if found is not None and start_ms < found + DAY_MS + 3_600_000 else []


def _end(tier_s: int, pdu_no: int, channel: str, start_ms: int) -> int:
    """Return where a bucket ends; a local day is an hour shorter or longer where the next one says so."""
    if tier_s != DAY_S:
        return start_ms + tier_s * 1000
    kind, this = _kind(channel)
    following = _one(
        f"SELECT MIN(start_ms) FROM {kind}_rollup_1d WHERE pdu_no = {pdu_no} AND {this} AND start_ms > {start_ms}"
    )
    is_next = following is not None and abs(following - start_ms - DAY_MS) <= 2 * 3_600_000
    return following if is_next else start_ms + DAY_MS


def _rebuild(tier: str, finer: str, pdu_no: int, channel: str, start_ms: int, end_ms: int) -> None:
    kind, this = _kind(channel)
    of_source = [("voltage", "mv"), ("frequency", "mhz")]
    quantities = of_source if kind == "source" else [("power", "mw"), ("voltage", "mv"), ("current", "ma")]
    values = ["SUM(covered_ms)"]
    for name, unit in quantities:
        values += [
            f"SUM({name}_count)",
            f"MIN({name}_min_{unit})",
            f"MAX({name}_max_{unit})",
            f"SUM({name}_sum_{unit})",
        ]
    if kind == "outlet":
        values += ["MIN(first_ts_ms)", "MIN(first_mwh)", "MAX(last_ts_ms)", "MAX(last_mwh)"]
    where = f"pdu_no = {pdu_no} AND {this}"
    source = f"FROM {kind}_rollup_{finer} WHERE {where} AND start_ms >= {start_ms} AND start_ms < {end_ms}"
    if not _one(f"SELECT COUNT(*) {source}"):
        return
    _run(f"DELETE FROM {kind}_rollup_{tier} WHERE {where} AND start_ms = {start_ms}")
    _run(
        f"INSERT INTO {kind}_rollup_{tier} SELECT pdu_no, {kind}, {start_ms}, {', '.join(values)} {source} "
        f"GROUP BY pdu_no, {kind}"
    )


def _meters() -> None:
    """Let each meter stand where its last raw row and its last minute say."""
    for pdu_no, outlet in _all("SELECT DISTINCT pdu_no, outlet FROM outlet_rollup_1d"):
        bank, slot = divmod(outlet - 1, 8)
        energy = f"energy_mwh_{slot + 1}"
        shown = _one(
            f"SELECT {energy} FROM raw_record WHERE pdu_no = {pdu_no} AND bank = {bank} AND {energy} IS NOT NULL "
            "ORDER BY ts_ms DESC LIMIT 1"
        )
        total = _one(
            f"SELECT last_mwh FROM outlet_rollup_1m WHERE pdu_no = {pdu_no} AND outlet = {outlet} "
            "AND last_mwh IS NOT NULL ORDER BY start_ms DESC LIMIT 1"
        )
        if shown is not None and total is not None:
            _run(f"DELETE FROM meter WHERE pdu_no = {pdu_no} AND outlet = {outlet}")
            _run(f"INSERT INTO meter VALUES ({pdu_no}, {outlet}, {shown}, {max(0, total - shown)})")


def _lite() -> bool:
    return op.get_bind().dialect.name == SQLITE


def _run(statement: str) -> None:
    op.get_bind().exec_driver_sql(statement).close()


def _all(query: str) -> list[Any]:
    return [tuple(row) for row in op.get_bind().exec_driver_sql(query).fetchall()]


def _one(query: str) -> Any:
    return op.get_bind().exec_driver_sql(query).scalar()
