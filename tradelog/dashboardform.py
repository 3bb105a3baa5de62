"""What the dashboard is asked for: a time, accounts, and which currency it shows."""

from django import forms

from trades.filters import UNKNOWN
from trades.models import Account
from web.periods import PeriodForm


class DashboardForm(PeriodForm):
    """What cannot be understood makes it invalid; it never counts as "nothing found"."""

    account = forms.ModelMultipleChoiceField(
        queryset=Account.objects.all(),
        to_field_name="name",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    currency = forms.CharField(
        max_length=len(UNKNOWN), required=False, widget=forms.HiddenInput({"form": "filters"})
    )
    field_order = ["account", "period", "start_date", "end_date", "currency"]
