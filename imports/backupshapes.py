"""What the API takes for a backup: a file, or what its lines would say."""

from rest_framework import serializers

from imports.backuplines import HEADINGS, NAME, OF_DELETED, OF_POSITIONS, READABLE, SETTINGS


class BackupUpload(serializers.Serializer):
    file = serializers.FileField(
        allow_empty_file=True, max_length=1000, help_text="As `manage.py backup` writes it."
    )


class Metadata(serializers.Serializer):
    filename = serializers.CharField(max_length=1000)
    file_size = serializers.IntegerField(
        min_value=0,
        max_value=2**63 - 1,
        required=False,
        help_text="Taken, but not used: what has arrived is counted.",
    )
    format = serializers.ChoiceField([NAME], required=False)
    version = serializers.ChoiceField(READABLE, required=False)


def objects(names: list[str] | tuple[str, ...], required: bool = False) -> serializers.ListField:
    fields = ", ".join(f"`{name}`" for name in names)
    return serializers.ListField(
        child=serializers.DictField(), required=required, help_text=f"Each with {fields}."
    )


class BackupBody(serializers.Serializer):
    """A trade that cannot be read fails alone. Numbers are strings, so that none loses a digit."""

    _metadata = Metadata()
    accounts = objects(SETTINGS["account"][1])
    instruments = objects(SETTINGS["instrument"][1])
    deleted = objects(list(OF_DELETED))
    trades = objects(HEADINGS, required=True)
    positions = objects(list(OF_POSITIONS))
