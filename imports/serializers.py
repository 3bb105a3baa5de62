"""What the API of imports takes and gives. What it gives is written by imports/export.py."""

from datetime import date

from rest_framework import serializers

from imports.daterange import problem_of, usual_range
from imports.formats import all_formats
from imports.models import ImportExecutionLog, ImportRowLog
from trades.models import validate_zone
from trades.serializers import TradeData
from web.api import MomentField
from web.apishapes import Answer, PageByKey, PageByNumber

# --- What is given


class ImportData(serializers.ModelSerializer):
    import_time = MomentField(source="queued_at")
    affected_accounts = serializers.ListField(child=serializers.CharField())
    retry_of = serializers.IntegerField(allow_null=True, help_text="ID of an import.")

    class Meta:
        model = ImportExecutionLog
        fields = [
            "id",
            "import_batch_id",
            "import_type",
            "file_name",
            "import_time",
            "status",
            "total_rows",
            "success_rows",
            "failed_rows",
            "skipped_rows",
            "processing_time_ms",
            "affected_accounts",
            "error_summary",
            "retry_of",
        ]


class LineProblem(serializers.Serializer):
    field = serializers.CharField(help_text="Heading of the column, or empty.")
    code = serializers.CharField()
    error = serializers.CharField()


class RowData(serializers.ModelSerializer):
    row_number = serializers.IntegerField(help_text="Physical line of the file.")
    created_trade_id = serializers.IntegerField(allow_null=True)
    error_category = serializers.CharField(help_text="Why it was not taken in, or empty.")
    validation_errors = LineProblem(many=True)
    raw_row_data = serializers.DictField(
        child=serializers.CharField(), help_text="The cells exactly as read, by heading."
    )

    class Meta:
        model = ImportRowLog
        fields = [
            "id",
            "row_number",
            "status",
            "created_trade_id",
            "error_message",
            "error_category",
            "validation_errors",
            "raw_row_data",
        ]


class ImportList(Answer):
    imports = ImportData(many=True)
    pagination = PageByNumber()


class NewestImports(Answer):
    imports = ImportData(many=True)


class RowPage(PageByKey):
    total = serializers.IntegerField(help_text="Lines of this status, or all.")


class DayFailed(serializers.Serializer):
    date = serializers.DateField()
    error = serializers.CharField(help_text="Why the source could not be asked.")


class Days(serializers.Serializer):
    """A day is done when the source has been asked for it, also if it had nothing."""

    start_date = serializers.DateField()
    end_date = serializers.DateField()
    days_done = serializers.ListField(child=serializers.DateField())
    days_failed = DayFailed(many=True)
    days_waiting = serializers.ListField(child=serializers.DateField())


class ImportDetail(Answer):
    import_summary = ImportData()
    date_range = Days(allow_null=True, help_text="Null unless days of a source were asked for.")
    rows_deleted_at = serializers.DateTimeField(
        allow_null=True, help_text="Null unless its row logs, being old, were deleted."
    )
    row_logs = RowData(many=True)
    pagination = RowPage()


class AffectedTrades(Answer):
    import_batch_id = serializers.UUIDField()
    file_name = serializers.CharField()
    trades = TradeData(many=True)
    count = serializers.IntegerField(help_text="Trades in this answer.")
    pagination = PageByKey()


class NewImport(Answer):
    message = serializers.CharField()
    id = serializers.IntegerField()
    import_batch_id = serializers.UUIDField()


class Retried(Answer):
    message = serializers.CharField()
    new_batch_id = serializers.UUIDField()
    id = serializers.IntegerField(help_text="Of the new import.")


class RollbackPreview(Answer):
    trades = serializers.IntegerField()
    positions = serializers.IntegerField(
        allow_null=True,
        help_text="That have a fill of it, and so change; null: of more than 50,000 trades.",
    )
    accounts = serializers.ListField(child=serializers.CharField())
    trades_with_notes = serializers.IntegerField()
    trades_reviewed = serializers.IntegerField()
    later_imports = ImportData(many=True, help_text="They skipped lines because of this one.")
    imports_restored = serializers.IntegerField(
        help_text="That this import of a backup brought back; they go with it."
    )


class RolledBack(Answer):
    message = serializers.CharField()
    trades_deleted = serializers.IntegerField(
        allow_null=True, help_text="Null while a worker deletes them: see the import's status."
    )


class Cleared(serializers.Serializer):
    message = serializers.CharField()
    logs_deleted = serializers.IntegerField()


class DayData(serializers.Serializer):
    date = serializers.DateField()
    success = serializers.IntegerField()
    partial = serializers.IntegerField()
    failed = serializers.IntegerField()
    other = serializers.IntegerField()


class Counts(Answer):
    """Over all imports, counted by the database."""

    total_imports = serializers.IntegerField()
    by_status = serializers.DictField(child=serializers.IntegerField())
    by_type = serializers.DictField(child=serializers.IntegerField())
    total_rows = serializers.IntegerField()
    success_rows = serializers.IntegerField()
    failed_rows = serializers.IntegerField()
    skipped_rows = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="Percent.")
    average_time_ms = serializers.IntegerField(allow_null=True)
    last_import = MomentField(allow_null=True)
    last_24_hours = serializers.IntegerField()
    by_day = DayData(many=True, help_text="The last 30 days.")


# --- What is taken


class Upload(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True, max_length=1000)
    account = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text="Of the lines that name none.",
    )
    timezone = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=64, help_text="IANA zone."
    )
    format = serializers.ChoiceField(
        sorted(all_formats()),
        required=False,
        allow_blank=True,
        default="",
        help_text="Found out by itself if it is not given.",
    )

    def validate_timezone(self, name: str) -> str:
        if name:
            validate_zone(name)
        return name


class Correction(serializers.Serializer):
    file = serializers.FileField(
        required=False, allow_empty_file=True, max_length=1000, help_text="Corrected lines."
    )


class DateRange(serializers.Serializer):
    """Without dates, the last seven days; one date alone is not enough."""

    start_date = serializers.DateField(required=False)
    end_date = serializers.DateField(required=False, help_text="This day included.")

    def validate(self, given: dict[str, date]) -> dict[str, date]:
        """Both dates, if the days between them can be asked for."""
        if not given:
            return dict(zip(("start_date", "end_date"), usual_range(), strict=True))
        for name in ("start_date", "end_date"):
            if name not in given:
                raise serializers.ValidationError({name: "is missing; give both dates, or none"})
        if problem := problem_of(given["start_date"], given["end_date"]):
            raise serializers.ValidationError({problem[0]: problem[1]})
        return given


class Confirmation(serializers.Serializer):
    confirm = serializers.BooleanField(help_text="Must be true.")
