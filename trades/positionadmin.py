"""Positions and what does not fit together in them, in the admin: computed, so never edited.

Notes and tags are the user's; an issue can be dismissed, and that taken back.
"""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.forms import ActionForm
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminTextInputWidget

from audit.admin import AuditedAdmin
from trades.badges import issue_badge, position_badge
from trades.decimals import plain
from trades.forms import LONGEST_REASON, NO_REASON, ReasonForm, TagsField
from trades.issues import IntegrityIssue
from trades.positionmodels import Position
from web.dayrange import DayRangeFilter

MOST_SHOWN = 200  # fills on the page of a position


class PositionForm(forms.ModelForm):
    tags = TagsField(widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Position
        fields = ["notes", "tags"]


@admin.register(Position)
class PositionAdmin(AuditedAdmin):
    form = PositionForm
    list_display = [
        "opened_at",
        "closed_at",
        "account",
        "instrument",
        "direction",
        "state",
        "shown_peak",
        "shown_entry",
        "shown_exit",
        "shown_net",
        "currency",
        "fills",
    ]
    list_display_links = ["opened_at"]
    list_filter = [
        ("account", AutocompleteSelectFilter),
        ("instrument", AutocompleteSelectFilter),
        ("status", ChoicesDropdownFilter),
        ("direction", ChoicesDropdownFilter),
        ("opened_at", DayRangeFilter),
        ("gross_pnl", admin.EmptyFieldListFilter),
    ]
    list_filter_submit = True
    list_select_related = ["account", "instrument"]
    list_per_page = 50
    search_fields = ["notes", "tags"]
    search_help_text = "Notes or tags"
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = [
        ("account", "instrument"),
        ("direction", "state"),
        ("opened_at", "closed_at"),
        ("shown_peak", "shown_open"),
        ("shown_entry", "shown_exit"),
        ("shown_gross", "shown_commission", "shown_net", "currency"),
        "trades",
        "notes",
        "tags",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Position | None = None) -> list[str]:
        names = [name for row in self.fields for name in (row if isinstance(row, tuple) else [row])]
        return [name for name in names if name not in ("notes", "tags")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Position | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Position, form: forms.ModelForm, change: bool
    ) -> None:
        # Nothing else: it may have been computed anew since the page was opened.
        written = {name: form.cleaned_data[name] for name in ("notes", "tags")}
        Position.objects.filter(pk=obj.pk).update(**written)

    @admin.display(description="Status", ordering="status")
    def state(self, position: Position) -> SafeString:
        return position_badge(position)

    @admin.display(description="Peak", ordering="peak_quantity")
    def shown_peak(self, position: Position) -> str:
        return plain(position.peak_quantity)

    @admin.display(description="Open")
    def shown_open(self, position: Position) -> str:
        return plain(position.open_quantity)

    @admin.display(description="Entry", ordering="average_entry")
    def shown_entry(self, position: Position) -> str:
        return plain(position.average_entry)

    @admin.display(description="Exit", ordering="average_exit")
    def shown_exit(self, position: Position) -> str | None:
        return plain(position.average_exit) or None

    @admin.display(description="Gross", ordering="gross_pnl", empty_value="unknown")
    def shown_gross(self, position: Position) -> str | None:
        return plain(position.gross_pnl) or None

    @admin.display(description="Commission", ordering="commission")
    def shown_commission(self, position: Position) -> str:
        return plain(position.commission)

    @admin.display(description="Net", ordering="net_pnl", empty_value="unknown")
    def shown_net(self, position: Position) -> str | None:
        return plain(position.net_pnl) or None

    @admin.display(description="Trades")
    def trades(self, position: Position) -> SafeString:
        """Its fills, the first of them if they are many, each a way to the trade."""
        parts = position.parts.exclude(trade__pk=None).select_related("trade")[:MOST_SHOWN]
        rows = (
            (
                reverse("admin:trades_trade_change", args=[part.trade_id]),
                f"{part.trade.executed_at:%Y-%m-%d %H:%M:%S} UTC",
                part.trade.get_side_display(),
                plain(part.quantity),
                plain(part.trade.price),
            )
            for part in parts
        )
        shown = format_html_join(
            "", '<li><a class="tl-link" href="{}">{}: {} {} at {}</a></li>', rows
        )
        more = position.fills - MOST_SHOWN
        rest = format_html("<p>… and {} more.</p>", f"{more:,}") if more > 0 else ""
        return format_html('<ul class="tl-list">{}</ul>{}', shown, rest)


class StandingFilter(admin.SimpleListFilter):
    """Those that nobody has dismissed yet, unless others are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        return [("standing", "Standing"), ("dismissed", "Dismissed")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[IntegrityIssue]
    ) -> QuerySet[IntegrityIssue]:
        if self.value() == "dismissed":
            return queryset.exclude(dismissed_at=None)
        return queryset.standing() if self.value() == "standing" else queryset


class DismissalForm(ActionForm):
    """Beside the action; who takes a dismissal back need not say why."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        required=False,
        label="",
        widget=forms.TextInput(
            {
                "placeholder": "Why this is in order",
                "aria-label": "Reason",
                "class": "bg-white/20 px-3 py-1 rounded-default text-white placeholder-white",
            }
        ),
    )


@admin.register(IntegrityIssue)
class IssueAdmin(AuditedAdmin):
    """What does not fit together, with the fills that cause it."""

    list_display = ["occurred_at", "what", "account", "instrument", "message", "fills", "state"]
    list_display_links = ["occurred_at"]
    list_filter = [
        StandingFilter,
        ("kind", ChoicesDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("instrument", AutocompleteSelectFilter),
        ("occurred_at", DayRangeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["account", "instrument"]
    list_per_page = 50
    search_fields = ["message", "key"]
    search_help_text = "Message or execution ID"
    paginator = InfinitePaginator
    show_full_result_count = False
    actions = ["dismiss_selected", "restore_selected"]
    action_form = DismissalForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: IntegrityIssue | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: IntegrityIssue | None = None
    ) -> bool:
        return False

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("trades.dismiss_issue")

    @admin.action(description="Dismiss", permissions=["dismiss"])
    def dismiss_selected(self, request: HttpRequest, queryset: QuerySet[IntegrityIssue]) -> None:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            messages.error(request, NO_REASON)
            return
        count = in_one_statement(queryset).dismiss(request.user, form.cleaned_data["reason"])
        messages.success(request, f"{count:,} issues are dismissed.")

    @admin.action(description="Take the dismissal back", permissions=["dismiss"])
    def restore_selected(self, request: HttpRequest, queryset: QuerySet[IntegrityIssue]) -> None:
        messages.success(request, f"{in_one_statement(queryset).restore():,} issues are back.")

    @admin.display(description="Kind", ordering="kind")
    def what(self, issue: IntegrityIssue) -> SafeString:
        return issue_badge(issue)

    @admin.display(description="Trades")
    def fills(self, issue: IntegrityIssue) -> SafeString:
        links = ((reverse("admin:trades_trade_change", args=[pk]), pk) for pk in issue.trade_ids)
        return format_html_join(" ", '<a class="tl-link" href="{}">{}</a>', links)

    @admin.display(description="State")
    def state(self, issue: IntegrityIssue) -> str:
        return "Dismissed" if issue.dismissed_at else "Standing"


def in_one_statement(queryset: QuerySet[IntegrityIssue]) -> QuerySet[IntegrityIssue]:
    return IntegrityIssue.objects.filter(pk__in=queryset.order_by().values("pk"))
