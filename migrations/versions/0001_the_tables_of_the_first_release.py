"""The tables of the first release."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Bring the schema forward; there is no way back but a backup."""
    op.create_table(
        "aliases",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("typed", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "typed", name=op.f("pk_aliases")),
    )
    op.create_table(
        "assignments",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.String(), nullable=True),
        sa.Column("lms_id", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", "course", "cycle", name=op.f("pk_assignments")),
    )
    op.create_index(
        "ix_assignments_completed",
        "assignments",
        ["company_id", "completed_at"],
        unique=False,
        sqlite_where=sa.text("completed_at IS NOT NULL"),
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_assignments_course", "assignments", ["company_id", "course", "user_id", "cycle"], unique=False
    )
    op.create_index(
        "ix_assignments_due",
        "assignments",
        ["company_id", "due_on", "user_id"],
        unique=False,
        sqlite_where=sa.text("withdrawn_at IS NULL AND completed_at IS NULL AND due_on IS NOT NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL AND completed_at IS NULL AND due_on IS NOT NULL"),
    )
    op.create_index(
        "ix_assignments_outbox",
        "assignments",
        ["company_id", "user_id"],
        unique=False,
        sqlite_where=sa.text("delivery IN ('to_send', 'sending', 'to_withdraw', 'withdrawing')"),
        postgresql_where=sa.text("delivery IN ('to_send', 'sending', 'to_withdraw', 'withdrawing')"),
    )
    op.create_index(
        "uq_assignments_open",
        "assignments",
        ["company_id", "user_id", "course"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL AND completed_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL AND completed_at IS NULL"),
    )
    op.create_table(
        "changes",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("desired_hash", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("outcome_detail", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "run", "user_id", "course", "kind", name=op.f("pk_changes")),
    )
    op.create_index(
        "ix_changes_held",
        "changes",
        ["company_id", "user_id"],
        unique=False,
        sqlite_where=sa.text("outcome = 'held'"),
        postgresql_where=sa.text("outcome = 'held'"),
    )
    op.create_index(
        "ix_changes_losing",
        "changes",
        ["company_id", "run", "user_id"],
        unique=False,
        sqlite_where=sa.text("kind IN ('withdraw', 'pause') AND counted"),
        postgresql_where=sa.text("kind IN ('withdraw', 'pause') AND counted"),
    )
    op.create_index("ix_changes_user_id", "changes", ["company_id", "user_id", "run"], unique=False)
    op.create_table(
        "companies",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("groups", sa.Boolean(), nullable=False),
        sa.Column("strict", sa.Boolean(), nullable=False),
        sa.Column("removal", sa.String(), nullable=False),
        sa.Column("brake_percent", sa.Integer(), nullable=False),
        sa.Column("brake_people", sa.Integer(), nullable=False),
        sa.Column("rehire_days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
    )
    op.create_table(
        "courses",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("training_id", sa.BigInteger(), nullable=True),
        sa.Column("due_days", sa.Integer(), nullable=True),
        sa.Column("family", sa.String(), nullable=True),
        sa.Column("valid_days", sa.Integer(), nullable=True),
        sa.Column("superseded_by", sa.String(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "code", name=op.f("pk_courses")),
    )
    op.create_table(
        "daily_figures",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("completed", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "day", name=op.f("pk_daily_figures")),
    )
    op.create_table(
        "exemption_proposals",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "company_id", "user_id", "course", "cycle", name=op.f("pk_exemption_proposals")
        ),
    )
    op.create_table(
        "exemptions",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", "course", name=op.f("pk_exemptions")),
    )
    op.create_table(
        "flags",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_run", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_run", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_flags")),
    )
    op.create_index(
        "ix_flags_open_rule",
        "flags",
        ["company_id", "rule", "subject", "id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_flags_user_id", "flags", ["company_id", "user_id", "id"], unique=False)
    op.create_index(
        "uq_flags_open",
        "flags",
        ["company_id", "user_id", "rule", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "journeys",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("courses", sa.Text(), nullable=False),
        sa.Column("linear", sa.Boolean(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "code", name=op.f("pk_journeys")),
    )
    op.create_table(
        "leases",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("next_due", sa.Double(), nullable=False),
        sa.Column("last_run", sa.Integer(), nullable=False),
        sa.Column("last_run_at", sa.Double(), nullable=True),
        sa.Column("interval_run", sa.Integer(), nullable=False),
        sa.Column("active_learners", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_leases")),
    )
    op.create_table(
        "lms_learners",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("lms_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery", sa.String(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("sent_hash", sa.String(), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "user_id", name=op.f("pk_lms_learners")),
    )
    op.create_index(
        "ix_lms_learners_work",
        "lms_learners",
        ["company_id", "user_id"],
        unique=False,
        sqlite_where=sa.text("delivery IN ('creating', 'to_check')"),
        postgresql_where=sa.text("delivery IN ('creating', 'to_check')"),
    )
    op.create_index("uq_lms_learners_lms_id", "lms_learners", ["company_id", "lms_id"], unique=True)
    op.create_table(
        "lms_refusals",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("person_version", sa.Integer(), nullable=False),
        sa.Column("catalog_version", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", "course", "cycle", name=op.f("pk_lms_refusals")),
    )
    op.create_table(
        "lms_states",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rest_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("resume_after", sa.String(), nullable=True),
        sa.Column("whole_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("whole_read_seconds", sa.Double(), nullable=False),
        sa.Column("started_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_lms_states")),
    )
    op.create_table(
        "operator_sessions",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "operator_id", "digest", name=op.f("pk_operator_sessions")),
    )
    op.create_index("uq_operator_sessions_digest", "operator_sessions", ["digest"], unique=True)
    op.create_table(
        "people_counts",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_people_counts")),
    )
    op.create_table(
        "people_queue",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("seen_version", sa.Integer(), nullable=False),
        sa.Column("planned_version", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_run", sa.Integer(), nullable=True),
        sa.Column("active_learner", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", name=op.f("pk_people_queue")),
    )
    op.create_index(
        "ix_people_queue_held_run",
        "people_queue",
        ["company_id", "held_run"],
        unique=False,
        sqlite_where=sa.text("held_run IS NOT NULL"),
        postgresql_where=sa.text("held_run IS NOT NULL"),
    )
    op.create_index(
        "ix_people_queue_next_at",
        "people_queue",
        ["company_id", "next_at"],
        unique=False,
        sqlite_where=sa.text("next_at IS NOT NULL"),
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        "ix_people_queue_out_of_date",
        "people_queue",
        ["company_id", "user_id"],
        unique=False,
        sqlite_where=sa.text("planned_version < seen_version AND held_run IS NULL"),
        postgresql_where=sa.text("planned_version < seen_version AND held_run IS NULL"),
    )
    op.create_table(
        "pins",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", "course", name=op.f("pk_pins")),
    )
    op.create_table(
        "provisioning_log",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_id", sa.String(), nullable=True),
        sa.Column("idp", sa.String(), nullable=True),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=True),
        sa.Column("resource_id", sa.String(), nullable=True),
        sa.Column("user_name", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("scim_type", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_provisioning_log")),
    )
    op.create_index(
        "ix_provisioning_log_resource", "provisioning_log", ["company_id", "resource_id", "id"], unique=False
    )
    op.create_table(
        "request_counts",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "day", "operation", name=op.f("pk_request_counts")),
    )
    op.create_table(
        "rules",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "position", name=op.f("pk_rules")),
    )
    op.create_table(
        "runs",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("active_learners", sa.Integer(), nullable=False),
        sa.Column("braked", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "number", name=op.f("pk_runs")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_attempts")),
    )
    op.create_table(
        "sign_in_links",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "operator_id", "digest", name=op.f("pk_sign_in_links")),
    )
    op.create_index("uq_sign_in_links_digest", "sign_in_links", ["digest"], unique=True)
    op.create_table(
        "suppressions",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("course", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("desired_hash", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "user_id", "course", "kind", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "token_uses",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "token_id", name=op.f("pk_token_uses")),
    )
    op.create_table(
        "access_tokens",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_access_tokens_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_access_tokens")),
    )
    op.create_index("uq_access_tokens_digest", "access_tokens", ["digest"], unique=True)
    op.create_table(
        "catalogs",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_losing", sa.Integer(), nullable=False),
        sa.Column("approved_gaining", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_catalogs_company_id")),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_catalogs")),
    )
    op.create_table(
        "groups",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("shadow", sa.Text().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("display_name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("identity_key", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_groups_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_groups")),
    )
    op.create_index("ix_groups_display_name_key", "groups", ["company_id", "display_name_key"], unique=False)
    op.create_index("ix_groups_external_id", "groups", ["company_id", "external_id"], unique=False)
    op.create_index("uq_groups_identity_key", "groups", ["company_id", "identity_key"], unique=True)
    op.create_table(
        "operators",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("issuer", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_operators_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_operators")),
    )
    op.create_index("uq_operators_email_key", "operators", ["email_key"], unique=True)
    op.create_index(
        "uq_operators_subject",
        "operators",
        ["issuer", "subject"],
        unique=True,
        sqlite_where=sa.text("subject IS NOT NULL"),
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_table(
        "single_sign_on",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("sealed_secret", sa.String(), nullable=False),
        sa.Column("required", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_single_sign_on_company_id")),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_single_sign_on")),
    )
    op.create_table(
        "users",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("away_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("shadow", sa.Text().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column(
            "user_name_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("user_type", sa.String(), nullable=True),
        sa.Column("given_name", sa.String(), nullable=True),
        sa.Column("middle_name", sa.String(), nullable=True),
        sa.Column("family_name", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("employee_number", sa.String(), nullable=True),
        sa.Column("training_tags", sa.Text(), nullable=True),
        sa.Column("entitlements", sa.Text(), nullable=True),
        sa.Column("learner_role", sa.String(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("department", sa.String(), nullable=True),
        sa.Column("placeholder_path", sa.Boolean(), nullable=False),
        sa.Column("rehire_of", sa.String(), nullable=True),
        sa.Column(
            "family_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "given_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "type_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "role_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "state_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "country_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "department_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.Column(
            "location_key",
            sa.String().with_variant(sa.String(collation="C"), "postgresql"),
            server_default="",
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_users_company_id")),
        sa.PrimaryKeyConstraint("company_id", "id", name=op.f("pk_users")),
    )
    op.create_index(
        "ix_users_deleted_name",
        "users",
        ["company_id", "user_name_key"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("ix_users_external_id", "users", ["company_id", "external_id"], unique=False)
    op.create_index(
        "ix_users_given_key",
        "users",
        ["company_id", "given_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_users_listing",
        "users",
        [
            "company_id",
            "family_key",
            "given_key",
            "id",
            "active",
            "type_key",
            "role_key",
            "state_key",
            "country_key",
            "department_key",
            "location_key",
        ],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_users_visible",
        "users",
        ["company_id", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_users_visible_name",
        "users",
        ["company_id", "user_name_key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "group_members",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "group_id"],
            ["groups.company_id", "groups.id"],
            name=op.f("fk_group_members_company_id_group_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "group_id", "member_id", name=op.f("pk_group_members")),
    )
    op.create_index("ix_group_members_member_id", "group_members", ["company_id", "member_id"], unique=False)
    op.create_table(
        "user_emails",
        sa.Column("company_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "value_key", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("type_key", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id", "user_id"],
            ["users.company_id", "users.id"],
            name=op.f("fk_user_emails_company_id_user_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "user_id", "position", name=op.f("pk_user_emails")),
    )
    op.create_index("ix_user_emails_value_key", "user_emails", ["company_id", "value_key"], unique=False)
