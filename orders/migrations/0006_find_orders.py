import re
import unicodedata

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Coalesce

AT_A_TIME = 1_000
TRAITS = ("network", "category", "host", "haystack")
# As the desk read links and names when this was written: a migration must not change when the desk does.
NETWORKS = {
    "instagram": "instagram", "ig": "instagram", "tiktok": "tiktok", "youtube": "youtube", "yt": "youtube",
    "telegram": "telegram", "twitter": "x", "x": "x", "facebook": "facebook", "fb": "facebook", "spotify": "spotify",
    "discord": "discord",
}  # fmt: skip
LONGEST_HOST, LONGEST_HAYSTACK = 100, 2_000
INDEXES = {
    "order_service_newest": ["service", "-id"],
    "order_person_newest": ["placed_by", "-id"],
    "order_network_newest": ["network", "-id"],
    "order_category_newest": ["category", "-id"],
    "order_host_newest": ["host", "-id"],
    "order_cost": ["cost", "id"],
    "order_day": ["created_at", "id"],
}


def traits_of(order):
    """Network, category, host and haystack."""
    service, person = order.service, order.placed_by
    head, cut, rest = order.link.partition("://")
    bare = (rest if cut and head.isalpha() else order.link).removeprefix("www.")
    named = (service.upstream_id, service.name, service.category, person.name, person.username)
    words = " ".join(map(str, (bare, str(order.body.get("username", "")), *named)))
    folded = " ".join(unicodedata.normalize("NFKC", words.replace("\0", " ")).casefold().split())
    return network_of(service.category, service.name), service.category, host_of(rest), folded[:LONGEST_HAYSTACK]


def network_of(*texts):
    words = (word for text in texts for word in re.findall(r"\w+", text.casefold()))
    return next((NETWORKS[word] for word in words if word in NETWORKS), "")


def host_of(rest):
    """Of what follows `://`; the host is behind the last @."""
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    host = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return host.casefold().removeprefix("www.")[:LONGEST_HOST]


def fill(apps, schema_editor):
    """Orders from before get what they are found by."""
    orders = apps.get_model("orders", "Order").objects.select_related("service", "placed_by").order_by("pk")
    values = ", ".join(f"{name} = %s" for name in TRAITS)
    last = 0
    while batch := list(orders.filter(pk__gt=last)[:AT_A_TIME]):
        last = batch[-1].pk
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE orders_order SET {values} WHERE id = %s",  # noqa: S608  our own names
                [(*traits_of(order), order.pk) for order in batch],
            )


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_bulk"),
        ("catalog", "0001_services"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.CharField(max_length=40)),
                (
                    "by",
                    models.BigIntegerField(help_text="+1 for an order that came to this status, -1 for one that left."),
                ),
            ],
            options={"verbose_name_plural": "tally"},
        ),
        migrations.AddField("order", "category", models.CharField(blank=True, editable=False, max_length=300)),
        migrations.AddField("order", "network", models.CharField(blank=True, editable=False, max_length=20)),
        migrations.AddField("order", "host", models.CharField(blank=True, editable=False, max_length=100)),
        migrations.AddField(
            "order",
            "haystack",
            models.TextField(blank=True, editable=False, help_text="Link, service and person, folded, for search."),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddField(
            "order",
            "cost",
            models.GeneratedField(
                db_persist=True,
                expression=Coalesce("charge", "expected_charge"),
                help_text="Upstream's charge, and until it names one our estimate.",
                output_field=models.DecimalField(decimal_places=6, max_digits=18),
            ),
        ),
        migrations.AlterField(
            "order",
            "placed_by",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "order",
            "service",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="catalog.service",
            ),
        ),
        migrations.AddIndex(
            "task",
            models.Index(
                condition=models.Q(("kind__in", ("refill", "cancel")), ("over_at", None)),
                fields=["kind", "-order"],
                name="task_wish_pending",
            ),
        ),
        migrations.AddIndex(
            "task",
            models.Index(
                condition=models.Q(("kind__in", ("refill", "cancel")), ("outcome", "unclear"), ("over_at", None)),
                fields=["kind", "-order"],
                name="task_wish_unclear",
            ),
        ),
        migrations.RemoveIndex("order", "order_link"),
        migrations.AddIndex(
            "order",
            models.Index(
                models.Func(
                    models.F("link"), template="SUBSTR(%(expressions)s, 1, 200)", output_field=models.CharField()
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="order_link",
            ),
        ),
        *(migrations.AddIndex("order", models.Index(fields=fields, name=name)) for name, fields in INDEXES.items()),
    ]
