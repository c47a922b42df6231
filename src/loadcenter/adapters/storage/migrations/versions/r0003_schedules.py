"""Schedules with their runs and marks, outlets held off, holidays and imported prices: new tables only."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TINY = sa.SmallInteger().with_variant(mysql.TINYINT(), "mysql")
BIG = sa.BigInteger()
TEXT = sa.Text()


def upgrade() -> None:
    """Add the tables."""
    _schedules()
    _circumstances()


def downgrade() -> None:
    """Refuse: going back means restoring a backup."""
    raise NotImplementedError("revisions only go forward: restore a backup from before the update")


def _table(name: str, *parts: Any) -> None:
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


def _text(length: int) -> sa.String:
    return sa.String(length)


def _schedules() -> None:
    _table(
        "schedule",
        _key("id", _text(64)),
        _col("name", _text(255)),
        _col("version", BIG),
        _col("enabled", TINY),
        _col("plan", TEXT),
        _col("decided_ms", BIG),
        _col("created_ms", BIG),
        _col("changed_ms", BIG),
        _col("changed_by", _text(255)),
        sa.UniqueConstraint("name"),
    )
    _table(
        "schedule_run",
        _key("schedule_id", _text(64)),
        _key("start_ms", BIG),
        _key("edge", _text(5)),
        _key("pdu_id", _text(32)),
        _key("outlet", TINY),
        _col("schedule_name", _text(255)),
        _col("due_ms", BIG),
        _col("decided_ms", BIG),
        _col("action", _text(40)),
        _col("result", _text(40)),
        _col("code", _text(40)),
        _null("command_id", _text(64)),
        _col("detail", TEXT),
    )
    op.create_index("schedule_run_by_time", "schedule_run", ["due_ms"], if_not_exists=True)
    _table(
        "schedule_mark",
        _key("schedule_id", _text(64)),
        _key("start_ms", BIG),
        _key("pdu_id", _text(32)),
        _key("outlet", TINY),
        _key("kind", _text(40)),
        _col("at_ms", BIG),
        _col("given_by", _text(255)),
    )


def _circumstances() -> None:
    """Add what schedules depend on: outlets held off, holidays, prices."""
    _table(
        "hold_off",
        _key("pdu_id", _text(32)),
        _key("outlet", TINY),
        _col("since_ms", BIG),
        _col("given_by", _text(255)),
    )
    _table("holiday", _key("day", _text(10)), _col("name", _text(255)))
    _table("energy_price", _key("start_ms", BIG), _col("until_ms", BIG), _col("micro_per_kwh", BIG))
