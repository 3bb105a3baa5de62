"""What the API of the open orders gives."""

from rest_framework import serializers

from orders.building import FIELDS
from orders.freshness import State
from orders.models import OpenOrder
from web.api import MomentField
from web.apishapes import Answer, PageByNumber


def number() -> serializers.DecimalField:
    """A string, so that no digit is lost."""
    return serializers.DecimalField(25, 10, normalize_output=True, allow_null=True)


class ValueProblem(serializers.Serializer):
    field = serializers.CharField(help_text="Ours; empty if the row as a whole is meant.")
    column = serializers.CharField(help_text="The source's.")
    value = serializers.CharField(help_text="As the source gave it.")
    error = serializers.CharField()


class OrderData(serializers.ModelSerializer):
    """What is empty in the source is an empty text, or null."""

    id = serializers.CharField(source="key", help_text="The same from sync to sync.")
    quantity = number()
    filled = number()
    remaining = number()
    limit_price = number()
    stop_price = number()
    submitted_at = MomentField(allow_null=True)
    updated_at = MomentField(allow_null=True)
    problems = ValueProblem(many=True)

    class Meta:
        model = OpenOrder
        fields = ["id", *FIELDS, "problems"]


class SyncData(serializers.Serializer):
    """How far the orders can be trusted."""

    state = serializers.ChoiceField(State.values)
    taken_at = MomentField(allow_null=True, help_text="When the source had these orders.")
    sentence = serializers.CharField()
    is_running = serializers.BooleanField(help_text="A sync waits or is at work.")


class OpenOrderList(Answer):
    open_orders = OrderData(many=True)
    pagination = PageByNumber()
    sync = SyncData()


class OpenOrderDetail(Answer):
    open_order = OrderData()
    sync = SyncData()


class SyncQueued(Answer):
    message = serializers.CharField()
    job_log = serializers.CharField(help_text="Name of the job log that will tell how it went.")
