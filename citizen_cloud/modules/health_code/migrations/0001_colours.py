"""Create the tables of events, standings and rule versions."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from citizen_cloud.modules.health_code.rules.profiles import PROFILES

revision = "health_code_0001"
down_revision = None
branch_labels = ("health_code",)
depends_on = ("accounts_0001", "organisations_0001")

# What a city starts with; any other version needs a shadow run and two people.
_FIRST = sa.text(
    """
    INSERT INTO health_code.rule_version (number, profile, rules, status, note, live_from)
    VALUES (1, 'a', cast(:rules AS jsonb), 'live', 'Hangzhou 2020', timestamptz '2020-01-01')
    """
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("evidence", sa.String(length=16), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("details_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("source_kind", sa.String(length=16), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=True),
        sa.Column("approval_id", sa.Uuid(), nullable=True),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("withdraws", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'withdrawn') = (withdraws IS NOT NULL)", name=op.f("ck_event_withdraws")
        ),
        sa.CheckConstraint(
            "kind IN ('declared','checked_in','trip','test_result','exposure','recovery','exclusion','assigned','withdrawn')",
            name=op.f("ck_event_kind"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('assigned','withdrawn') OR approval_id IS NOT NULL",
            name=op.f("ck_event_by_hand"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('test_result','exposure','recovery','exclusion') OR batch_id IS NOT NULL OR approval_id IS NOT NULL",
            name=op.f("ck_event_reported"),
        ),
        sa.CheckConstraint(
            "source_kind IN ('citizen','authority','officer','system')",
            name=op.f("ck_event_source_kind"),
        ),
        sa.CheckConstraint("occurred_at <= recorded_at", name=op.f("ck_event_not_ahead")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_event_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["withdraws"], ["health_code.event.id"], name=op.f("fk_event_withdraws")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        schema="health_code",
    )
    op.create_index(
        "ix_event_approval",
        "event",
        ["approval_id"],
        unique=False,
        schema="health_code",
        postgresql_where=sa.text("approval_id IS NOT NULL"),
    )
    op.create_index(
        "ix_event_batch",
        "event",
        ["batch_id"],
        unique=False,
        schema="health_code",
        postgresql_where=sa.text("batch_id IS NOT NULL"),
    )
    op.create_index(
        "ix_event_person", "event", ["person_id", "occurred_at"], unique=False, schema="health_code"
    )
    op.create_index(
        "ix_event_withdraws",
        "event",
        ["withdraws"],
        unique=False,
        schema="health_code",
        postgresql_where=sa.text("withdraws IS NOT NULL"),
    )
    op.create_table(
        "standing",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.String(length=8), server_default=sa.text("'none'"), nullable=False),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("next_change_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("green_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("streak", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("holds_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "colour IN ('none','green','yellow','red')", name=op.f("ck_standing_colour")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_standing_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_standing")),
        schema="health_code",
    )
    op.create_index(
        "ix_standing_due",
        "standing",
        ["holds_until"],
        unique=False,
        schema="health_code",
        postgresql_where=sa.text("holds_until IS NOT NULL"),
    )
    op.create_index(
        "ix_standing_version",
        "standing",
        ["rule_version", "person_id"],
        unique=False,
        schema="health_code",
    )
    op.create_table(
        "rule_version",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("profile", sa.String(length=8), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "expected",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.String(length=8), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("live_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approval_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(live_from IS NULL) = (status IN ('draft','shadow'))",
            name=op.f("ck_rule_version_live_from"),
        ),
        sa.CheckConstraint(
            "(live_until IS NULL) = (status <> 'retired')", name=op.f("ck_rule_version_live_until")
        ),
        sa.CheckConstraint("profile IN ('a','b','c')", name=op.f("ck_rule_version_profile")),
        sa.CheckConstraint(
            "status IN ('draft','shadow','live','retired')", name=op.f("ck_rule_version_status")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["accounts.account.id"], name=op.f("fk_rule_version_created_by")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rule_version")),
        sa.UniqueConstraint("id", name=op.f("uq_rule_version_id")),
        schema="health_code",
    )
    op.create_index(
        "uq_rule_version_live",
        "rule_version",
        [sa.literal_column("(status = 'live')")],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text("status = 'live'"),
    )
    op.create_table(
        "shadow_run",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'running'"), nullable=False
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "flips",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("unexpected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('running','finished')", name=op.f("ck_shadow_run_status")),
        sa.ForeignKeyConstraint(
            ["against"], ["health_code.rule_version.number"], name=op.f("fk_shadow_run_against")
        ),
        sa.ForeignKeyConstraint(
            ["number"], ["health_code.rule_version.number"], name=op.f("fk_shadow_run_number")
        ),
        sa.ForeignKeyConstraint(
            ["started_by"], ["accounts.account.id"], name=op.f("fk_shadow_run_started_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_run")),
        schema="health_code",
    )
    op.create_index(
        "ix_shadow_run_number", "shadow_run", ["number", "id"], unique=False, schema="health_code"
    )
    op.create_index(
        "uq_shadow_run_running",
        "shadow_run",
        ["number"],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_table(
        "shadow_flip",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.String(length=8), nullable=False),
        sa.Column("after", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_shadow_flip_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["health_code.shadow_run.id"], name=op.f("fk_shadow_flip_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "person_id", name=op.f("pk_shadow_flip")),
        schema="health_code",
    )
    # -- by hand: up
    # What was said stays said: deleting is for an erasure, and nothing is ever changed.
    op.execute("REVOKE UPDATE ON health_code.event FROM citizen_cloud_app")
    # Only the seal may be written anew, under another key.
    op.execute("GRANT UPDATE (details_sealed) ON health_code.event TO citizen_cloud_app")
    op.execute("REVOKE UPDATE, DELETE ON health_code.rule_version FROM citizen_cloud_app")
    op.execute(
        "GRANT UPDATE (status, live_from, live_until, approval_id) "
        "ON health_code.rule_version TO citizen_cloud_app"
    )
    op.execute(_FIRST.bindparams(rules=json.dumps(PROFILES["a"], ensure_ascii=False)))
    # -- end


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("shadow_flip", schema="health_code")
    op.drop_table("shadow_run", schema="health_code")
    op.drop_table("rule_version", schema="health_code")
    op.drop_table("standing", schema="health_code")
    op.drop_table("event", schema="health_code")
