"""The first tables: users, payment methods, products, variants, orders, items, payments, shipments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "desk_products",
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_desk_products")),
        sa.UniqueConstraint("name", name=op.f("uq_desk_products_name")),
    )
    op.create_table(
        "desk_users",
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("first_name", sa.String(length=200), nullable=False),
        sa.Column("last_name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("address1", sa.String(length=200), nullable=False),
        sa.Column("address2", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("zip", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_desk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_desk_users_email")),
    )
    op.create_table(
        "desk_payment_methods",
        sa.Column("method_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("brand", sa.String(length=200), nullable=True),
        sa.Column("last_four", sa.String(length=4), nullable=True),
        sa.Column("balance", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'gift_card') = (balance IS NOT NULL)", name=op.f("ck_desk_payment_methods_balance")
        ),
        sa.CheckConstraint(
            "kind IN ('credit_card', 'paypal', 'gift_card')", name=op.f("ck_desk_payment_methods_kind")
        ),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_desk_payment_methods_covered")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["desk_users.user_id"], name=op.f("fk_desk_payment_methods_user_id")
        ),
        sa.PrimaryKeyConstraint("method_id", name=op.f("pk_desk_payment_methods")),
    )
    op.create_index(
        op.f("ix_desk_payment_methods_user_id"), "desk_payment_methods", ["user_id"], unique=False
    )
    op.create_table(
        "desk_variants",
        sa.Column("item_id", sa.String(length=100), nullable=False),
        sa.Column("product_id", sa.String(length=100), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_desk_variants_price")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["desk_products.product_id"], name=op.f("fk_desk_variants_product_id")
        ),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_desk_variants")),
    )
    op.create_index(op.f("ix_desk_variants_product_id"), "desk_variants", ["product_id"], unique=False)
    op.create_table(
        "desk_orders",
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=100), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("address1", sa.String(length=200), nullable=False),
        sa.Column("address2", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("zip", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=200), nullable=False),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("request_method_id", sa.String(length=100), nullable=True),
        sa.Column("exchange_difference", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'pending (item modified)', 'processed', 'delivered', 'cancelled', "
            "'return requested', 'exchange requested')",
            name=op.f("ck_desk_orders_status"),
        ),
        sa.ForeignKeyConstraint(
            ["request_method_id"],
            ["desk_payment_methods.method_id"],
            name=op.f("fk_desk_orders_request_method_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["desk_users.user_id"], name=op.f("fk_desk_orders_user_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_desk_orders")),
    )
    op.create_index(op.f("ix_desk_orders_user_id"), "desk_orders", ["user_id"], unique=False)
    op.create_table(
        "desk_order_items",
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.String(length=100), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("return_requested", sa.Boolean(), nullable=False),
        sa.Column("exchange_item_id", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["exchange_item_id"], ["desk_variants.item_id"], name=op.f("fk_desk_order_items_exchange_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["desk_variants.item_id"], name=op.f("fk_desk_order_items_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["desk_orders.order_id"], name=op.f("fk_desk_order_items_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_desk_order_items")),
    )
    op.create_table(
        "desk_payments",
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("method_id", sa.String(length=100), nullable=False),
        sa.CheckConstraint("kind IN ('payment', 'refund')", name=op.f("ck_desk_payments_kind")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_desk_payments_amount")),
        sa.ForeignKeyConstraint(
            ["method_id"], ["desk_payment_methods.method_id"], name=op.f("fk_desk_payments_method_id")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["desk_orders.order_id"], name=op.f("fk_desk_payments_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_desk_payments")),
    )
    op.create_table(
        "desk_shipments",
        sa.Column("order_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tracking_ids", sa.JSON(), nullable=False),
        sa.Column("item_ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["desk_orders.order_id"], name=op.f("fk_desk_shipments_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", "number", name=op.f("pk_desk_shipments")),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("desk_shipments")
    op.drop_table("desk_payments")
    op.drop_table("desk_order_items")
    op.drop_index(op.f("ix_desk_orders_user_id"), table_name="desk_orders")
    op.drop_table("desk_orders")
    op.drop_index(op.f("ix_desk_variants_product_id"), table_name="desk_variants")
    op.drop_table("desk_variants")
    op.drop_index(op.f("ix_desk_payment_methods_user_id"), table_name="desk_payment_methods")
    op.drop_table("desk_payment_methods")
    op.drop_table("desk_users")
    op.drop_table("desk_products")
