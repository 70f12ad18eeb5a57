"""Create the tables of the oidc room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "oidc_0001"
down_revision = None
branch_labels = ("oidc",)
depends_on = ("organisations_0001",)

TIME = sa.DateTime(timezone=True)
JSON = postgresql.JSONB(astext_type=sa.Text())
NOW = sa.text("statement_timestamp()")
NEW_ID = sa.text("uuidv7()")


def texts(length: int) -> postgresql.ARRAY[str]:
    """Return the type of a list of short texts."""
    return postgresql.ARRAY(sa.String(length=length))


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(length=32), nullable=False),
        sa.Column("alg", sa.String(length=8), nullable=False),
        sa.Column("public_jwk", JSON, nullable=False),
        sa.Column("private_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("active_from", TIME, nullable=False),
        sa.Column("retires_at", TIME, nullable=True),
        sa.CheckConstraint("alg IN ('RS256','ES256')", name=op.f("ck_signing_key_alg")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
        schema="oidc",
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", JSON, nullable=False),
        sa.Column("purpose", JSON, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("sector", sa.String(length=253), nullable=False),
        sa.Column("redirect_uris", texts(500), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "post_logout_redirect_uris", texts(500), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("scopes", texts(64), nullable=False),
        sa.Column(
            "id_token_alg", sa.String(length=8), server_default=sa.text("'RS256'"), nullable=False
        ),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'active'"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.CheckConstraint("type IN ('web','native','h5','service')", name=op.f("ck_client_type")),
        sa.CheckConstraint("status IN ('active','suspended')", name=op.f("ck_client_status")),
        sa.CheckConstraint(
            "(type = 'service') = (account_id IS NOT NULL)", name=op.f("ck_client_service_account")
        ),
        sa.CheckConstraint(
            "id_token_alg IN ('RS256','ES256')", name=op.f("ck_client_id_token_alg")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_client_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_client_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("account_id", name=op.f("uq_client_account_id")),
        schema="oidc",
    )
    op.create_index("ix_client_organisation", "client", ["organisation_id"], schema="oidc")
    op.create_table(
        "client_secret",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc.client.id"], name=op.f("fk_client_secret_client_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_secret")),
        schema="oidc",
    )
    op.create_index("ix_client_secret_client", "client_secret", ["client_id"], schema="oidc")
    _grants()


def _grants() -> None:
    """Create what citizens were asked for, agreed to, and what was given."""
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=2000), nullable=True),
        sa.Column("nonce", sa.String(length=2000), nullable=True),
        sa.Column("scopes", texts(64), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("login", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("max_age_s", sa.Integer(), nullable=True),
        sa.Column("level", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc.client.id"], name=op.f("fk_request_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_request_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        schema="oidc",
    )
    op.create_index("ix_request_account", "request", ["account_id"], schema="oidc")
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", texts(64), nullable=False),
        sa.Column("granted_at", TIME, server_default=NOW, nullable=False),
        sa.Column("changed_at", TIME, server_default=NOW, nullable=False),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc.client.id"], name=op.f("fk_consent_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_consent_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        schema="oidc",
    )
    op.create_index("ix_consent_client", "consent", ["client_id"], schema="oidc")
    op.create_index(
        "uq_consent_live",
        "consent",
        ["account_id", "client_id"],
        unique=True,
        schema="oidc",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    _issued()


def _issued() -> None:
    op.create_table(
        "issuance",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("scopes", texts(64), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("amr", sa.String(length=32), nullable=False),
        sa.Column("auth_time", TIME, nullable=False),
        sa.Column("nonce", sa.String(length=2000), nullable=True),
        sa.Column("redirect_uri", sa.String(length=500), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_expires_at", TIME, nullable=False),
        sa.Column("code_used_at", TIME, nullable=True),
        sa.Column("refresh_number", sa.Integer(), nullable=True),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", TIME, nullable=True),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.Column("revoked_because", sa.String(length=32), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_issuance_level")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc.client.id"], name=op.f("fk_issuance_client_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_issuance_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["oidc.consent.id"], name=op.f("fk_issuance_consent_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_issuance_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuance")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_issuance_code_hash")),
        schema="oidc",
    )
    op.create_index("ix_issuance_account", "issuance", ["account_id"], schema="oidc")
    op.create_index("ix_issuance_consent", "issuance", ["consent_id"], schema="oidc")
    op.create_table(
        "token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("issuance_id", sa.Uuid(), nullable=True),
        sa.Column("scopes", texts(64), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["oidc.client.id"], name=op.f("fk_token_client_id")),
        sa.ForeignKeyConstraint(
            ["issuance_id"], ["oidc.issuance.id"], name=op.f("fk_token_issuance_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_token")),
        schema="oidc",
    )
    op.create_index("ix_token_issuance", "token", ["issuance_id"], schema="oidc")
    op.create_index("ix_token_client", "token", ["client_id"], schema="oidc")
    op.create_index("ix_token_expires_at", "token", ["expires_at"], schema="oidc")


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "token",
        "issuance",
        "consent",
        "request",
        "client_secret",
        "client",
        "signing_key",
    ):
        op.drop_table(table, schema="oidc")
