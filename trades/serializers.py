"""What the API of trades, positions and issues gives. Numbers are strings: none loses a digit."""

from rest_framework import serializers

from trades.forms import LONGEST_REASON
from trades.issues import KINDS
from trades.models import IntegrityIssue, Position, PositionTrade, Trade
from web.api import MomentField
from web.apishapes import Answer, BoundedPage, PageByKey


def number(**more: object) -> serializers.DecimalField:
    return serializers.DecimalField(25, 10, normalize_output=True, **more)


def total(**more: object) -> serializers.DecimalField:
    return serializers.DecimalField(60, 10, normalize_output=True, **more)


class TradeData(serializers.ModelSerializer):
    account = serializers.CharField(source="account.name")
    instrument = serializers.CharField(source="instrument.symbol")
    quantity = number()
    price = number()
    commission = number()
    executed_at = MomentField()
    import_id = serializers.IntegerField(
        source="import_row_log.import_log_id",
        allow_null=True,
        default=None,
        help_text="Of the import that made it; null if none did.",
    )
    row_number = serializers.IntegerField(
        source="import_row_log.row_number",
        allow_null=True,
        default=None,
        help_text="Its line in the file of that import.",
    )

    class Meta:
        model = Trade
        fields = [
            "id",
            "account",
            "instrument",
            "execution_id",
            "side",
            "quantity",
            "price",
            "commission",
            "executed_at",
            "order_id",
            "name",
            "entry_exit",
            "broker_position",
            "connection",
            "notes",
            "reviewed",
            "batch_id",
            "import_id",
            "row_number",
        ]


class TradeList(Answer):
    trades = TradeData(many=True)
    pagination = BoundedPage()


class TradeDetail(Answer):
    trade = TradeData()
    positions = serializers.ListField(
        child=serializers.IntegerField(), help_text="The one or two positions it is a part of."
    )


class PositionData(serializers.ModelSerializer):
    account = serializers.CharField(source="account.name")
    instrument = serializers.CharField(source="instrument.symbol")
    opened_at = MomentField()
    closed_at = MomentField(allow_null=True)
    peak_quantity = total()
    open_quantity = total()
    entry_quantity = total()
    exit_quantity = total()
    average_entry = total()
    average_exit = total(allow_null=True)
    average_open = total(allow_null=True)
    gross_pnl = total(allow_null=True, help_text="Null: unknown, as is what a point is worth.")
    commission = total()
    net_pnl = total(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Position
        fields = [
            "id",
            "account",
            "instrument",
            "direction",
            "status",
            "opened_at",
            "closed_at",
            "peak_quantity",
            "open_quantity",
            "entry_quantity",
            "exit_quantity",
            "average_entry",
            "average_exit",
            "average_open",
            "gross_pnl",
            "commission",
            "net_pnl",
            "currency",
            "fills",
            "notes",
            "tags",
        ]


class FillData(serializers.ModelSerializer):
    """A trade's part in a position; one that reverses has a part in two."""

    quantity = number(help_text="Of this part.")
    commission = number(help_text="Of this part.")
    trade = TradeData()

    class Meta:
        model = PositionTrade
        fields = ["quantity", "commission", "trade"]


class IssueData(serializers.ModelSerializer):
    kind = serializers.ChoiceField(list(KINDS))
    account = serializers.CharField(source="account.name")
    instrument = serializers.CharField(source="instrument.symbol")
    is_error = serializers.SerializerMethodField(help_text="False: it may be meant so.")
    position_id = serializers.IntegerField(allow_null=True)
    trade_ids = serializers.ListField(
        child=serializers.IntegerField(), help_text="The fills that cause it, in their order."
    )
    occurred_at = MomentField()
    dismissed_at = MomentField(allow_null=True)
    dismissed_by = serializers.CharField(
        source="dismissed_by.username", allow_null=True, default=None
    )

    class Meta:
        model = IntegrityIssue
        fields = [
            "id",
            "kind",
            "is_error",
            "account",
            "instrument",
            "position_id",
            "trade_ids",
            "message",
            "occurred_at",
            "dismissed_at",
            "dismissed_by",
            "dismissal_reason",
        ]

    def get_is_error(self, issue: IntegrityIssue) -> bool:
        return KINDS[issue.kind].is_error


class PositionList(Answer):
    positions = PositionData(many=True)
    pagination = BoundedPage()


class PositionDetail(Answer):
    position = PositionData()
    is_being_computed = serializers.BooleanField(help_text="It will soon be another.")
    fills = FillData(many=True)
    issues = IssueData(many=True, help_text="Those that stand; empty without the right to them.")
    pagination = PageByKey(help_text="Of the fills.")


class IssueList(Answer):
    issues = IssueData(many=True)
    pagination = BoundedPage()


class OneIssue(Answer):
    issue = IssueData()


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="Why it is in order.")
