"""The shapes that the answers of every room have in common."""

from rest_framework import serializers

from web.api import PER_PAGE


class Answer(serializers.Serializer):
    success = serializers.BooleanField(default=True, help_text="Always true.")


class PageByNumber(serializers.Serializer):
    page = serializers.IntegerField()
    per_page = serializers.ChoiceField(PER_PAGE)
    total = serializers.IntegerField()
    pages = serializers.IntegerField()


class BoundedPage(PageByNumber):
    total = serializers.IntegerField(
        help_text="Counted to 10,000 behind this page; there may be more if `is_cut`."
    )
    is_cut = serializers.BooleanField()


class PageByKey(serializers.Serializer):
    per_page = serializers.ChoiceField(PER_PAGE)
    next = serializers.IntegerField(
        allow_null=True, help_text="Give it as `after` for the next page; null on the last."
    )
