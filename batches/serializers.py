"""What the API of batches takes and gives. What it gives is written by batches/export.py."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from batches.fields import FIELDS
from batches.models import FIRST, LAST, MOST_PARALLEL, USUAL, BatchTemplate
from batches.states import Status, TradeStatus
from imports.serializers import LineProblem
from trades.models import Trade, validate_zone
from web.api import MomentField
from web.apishapes import Answer, PageByKey, PageByNumber


def number(**more: Any) -> serializers.DecimalField:
    """A string, so that no digit is lost."""
    return serializers.DecimalField(25, 10, allow_null=True, **more)


def moment(**more: Any) -> MomentField:
    return MomentField(allow_null=True, **more)


# --- What is given


class Progress(serializers.Serializer):
    batch_id = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    total_trades = serializers.IntegerField(help_text="Fixed when the batch was made.")
    processed_trades = serializers.IntegerField(help_text="Executed, failed and cancelled.")
    failed_trades = serializers.IntegerField()
    progress_percentage = serializers.IntegerField(help_text="100 exactly when it is final.")
    is_completed = serializers.BooleanField()
    is_active = serializers.BooleanField(help_text="Started and not final.")
    updated_at = MomentField()


class BatchData(Progress):
    id = serializers.IntegerField()
    name = serializers.CharField()
    executor = serializers.CharField()
    executor_settings = serializers.DictField()
    priority = serializers.IntegerField(help_text="1 comes first, 10 last.")
    parallel = serializers.IntegerField(help_text="How many are executed at the same time.")
    executed_trades = serializers.IntegerField()
    cancelled_trades = serializers.IntegerField()
    cancel_requested = serializers.BooleanField()
    summary = serializers.CharField()
    template_id = serializers.IntegerField(allow_null=True)
    created_at = MomentField()
    queued_at = moment(help_text="When it was started by a user.")
    started_at = moment(help_text="When a worker took it.")
    completed_at = moment()
    archived_at = moment()
    undone_at = moment(help_text="When its trades were rolled back.")


class BatchList(Answer):
    batches = BatchData(many=True)
    pagination = PageByNumber()


class SomeBatches(Answer):
    batches = BatchData(many=True)


class BatchDetail(Answer):
    batch = BatchData()


class NewBatchAnswer(BatchDetail):
    message = serializers.CharField()


class DeedDone(BatchDetail):
    message = serializers.CharField()


class Deleted(Answer):
    message = serializers.CharField()


class Result(serializers.Serializer):
    """A line of a batch: what was asked for, and what became of it."""

    sequence = serializers.IntegerField()
    row_number = serializers.IntegerField(allow_null=True, help_text="Line of the CSV file.")
    status = serializers.ChoiceField(TradeStatus.choices)
    account = serializers.CharField()
    instrument = serializers.CharField()
    side = serializers.CharField(help_text="Empty if it could not be read.")
    quantity = number()
    price = number()
    commission = number()
    executed_at = moment(help_text="Null: when it is executed.")
    order_id = serializers.CharField()
    trade_name = serializers.CharField()
    notes = serializers.CharField()
    attempts = serializers.IntegerField()
    message = serializers.CharField()
    finished_at = moment()
    trade_id = serializers.IntegerField(allow_null=True)
    execution_id = serializers.CharField()
    filled_quantity = number()
    filled_price = number()
    filled_commission = number()
    filled_at = moment()


class BatchTradeData(Result):
    errors = LineProblem(many=True, help_text="What is wrong with the line.")
    raw = serializers.DictField(help_text="The line as it was given.")


class BatchTrades(Answer):
    batch_id = serializers.UUIDField()
    trades = BatchTradeData(many=True)
    pagination = PageByKey()


class BatchCounts(serializers.Serializer):
    pending = serializers.IntegerField(help_text="And executing.")
    executed = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class Results(Answer):
    batch_id = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    summary = serializers.CharField()
    counts = BatchCounts()
    started_at = moment()
    completed_at = moment()
    results = Result(many=True, help_text="Those that were executed.")
    pagination = PageByKey()


class ErrorGroup(serializers.Serializer):
    message = serializers.CharField()
    count = serializers.IntegerField()
    sequences = serializers.ListField(
        child=serializers.IntegerField(), help_text="The first twenty."
    )


class Errors(Answer):
    batch_id = serializers.UUIDField()
    failed_trades = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Different ones; the first hundred are given.")
    errors = ErrorGroup(many=True)


# --- What is taken


class InstructionBody(serializers.Serializer):
    """What cannot be read does not refuse the request: it is a batch trade that failed."""

    account = serializers.CharField(required=False)
    instrument = serializers.CharField(required=False)
    side = serializers.ChoiceField(Trade.Side.choices, required=False)
    quantity = serializers.CharField(required=False)
    price = serializers.CharField(required=False)
    commission = serializers.CharField(required=False)
    executed_at = serializers.CharField(required=False)
    order_id = serializers.CharField(required=False)
    trade_name = serializers.CharField(required=False)
    notes = serializers.CharField(required=False)


@extend_schema_field(InstructionBody)
class Anything(serializers.JSONField):
    pass


class Texts(serializers.DictField):
    """By field of a batch trade, a text. As JSON where it comes in a form."""

    child = serializers.CharField(allow_blank=True, max_length=1000)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            data = serializers.JSONField(binary=True).to_internal_value(data)
        return super().to_internal_value(data)

    def get_value(self, dictionary: Any) -> Any:
        """Of a form: its JSON, not what begins with our name."""
        return dictionary.get(self.field_name, serializers.empty)


class Settings(Texts):
    """By setting of the executor, its value."""

    child = serializers.JSONField()


class WishesBody(serializers.Serializer):
    """What is left out is as in the template, and without one as usual."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    executor = serializers.CharField(required=False, allow_blank=True, max_length=50)
    executor_settings = Settings(required=False)
    template = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="Its name or its number."
    )
    priority = serializers.IntegerField(required=False, min_value=FIRST, max_value=LAST)
    parallel = serializers.IntegerField(required=False, min_value=1, max_value=MOST_PARALLEL)
    columns = Texts(required=False, help_text="By field: the heading or key it is read from.")
    defaults = Texts(required=False, help_text="By field: what stands for an empty cell.")
    timezone = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=64,
        help_text="IANA zone of times that name none; else that of each account.",
    )
    start = serializers.BooleanField(
        required=False, default=False, help_text="Start it at once; needs the right to start."
    )

    def validate_timezone(self, name: str) -> str:
        if name:
            validate_zone(name)
        return name


class NewBatch(WishesBody):
    trades = serializers.ListField(child=Anything(allow_null=True), required=False)
    trade_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**18 - 1),
        required=False,
        help_text="Trades that are to be done again, in place of `trades`.",
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if ("trades" in given) == ("trade_ids" in given):
            raise serializers.ValidationError({"trades": "give either trades or trade_ids"})
        return given


class NewBatchFile(WishesBody):
    file = serializers.FileField(allow_empty_file=True, max_length=1000, help_text="CSV.")


class Priority(serializers.Serializer):
    priority = serializers.IntegerField(min_value=FIRST, max_value=LAST)


class TemplateData(serializers.ModelSerializer):
    executor = serializers.CharField(max_length=50, default="journal")
    executor_settings = Settings(default=dict)
    priority = serializers.IntegerField(min_value=FIRST, max_value=LAST, default=USUAL)
    parallel = serializers.IntegerField(min_value=1, max_value=MOST_PARALLEL, default=1)
    columns = Texts(default=dict, help_text=f"By field: {', '.join(FIELDS)}.")
    defaults = Texts(default=dict)
    created_at = MomentField(read_only=True)

    class Meta:
        model = BatchTemplate
        fields = [
            "id",
            "name",
            "executor",
            "executor_settings",
            "priority",
            "parallel",
            "columns",
            "defaults",
            "created_at",
        ]


class TemplateList(Answer):
    templates = TemplateData(many=True)


class TemplateDetail(Answer):
    template = TemplateData()
