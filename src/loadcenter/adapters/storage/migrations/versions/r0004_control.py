"""Sites with what their shedding remembers, groups of outlets, and orders for later: new tables only."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TINY = sa.SmallInteger().with_variant(mysql.TINYINT(), "mysql")
BIG = sa.BigInteger()
TEXT = sa.Text()
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql")


def upgrade() -> None:
    """Add the tables."""
    _table("site", _key("site_id", 32), _col("version", BIG), _col("config", TEXT), _col("state", LONG))
    _table(
        "outlet_group",
        _key("group_id", 32),
        _col("version", BIG),
        _col("name", sa.String(255)),
        _col("members", TEXT),
    )
    _table(
        "planned",
        _key("plan_id", 64),
        _col("created_ms", BIG),
        _col("given_by", sa.String(255)),
        _col("is_open", TINY),
        _col("steps", LONG),
    )
    op.create_index("planned_by_time", "planned", ["is_open", "created_ms"], if_not_exists=True)


def downgrade() -> None:
    """Refuse: going back means restoring a backup."""
    raise NotImplementedError("revisions only go forward: restore a backup from before the update")


def _table(name: str, *columns: sa.Column[Any]) -> None:
    checks = [
        sa.CheckConstraint(
            f"length({column.name}) <= {column.type.length}", f"{name}_{column.name}_length"
        ).ddl_if(dialect="sqlite")
        for column in columns
        if isinstance(column.type, sa.String) and column.type.length
    ]
    op.create_table(
        name,
        *columns,
        *checks,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _key(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), primary_key=True, nullable=False)


def _col(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
