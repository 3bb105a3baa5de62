"""The tables of trades, positions and issues: their columns, and how each cell looks."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2 import Column, Table

from trades.badges import REVIEWED, issue_badge, position_badge
from trades.decimals import plain
from trades.listing import named
from trades.models import IntegrityIssue, Position, Trade
from trades.origins import positions_of, trades_by_key

NUMBER = {"td": {"class": "tl-number"}}
MOMENT = {"td": {"class": "tl-moment"}}
CHOSEN = {"td": {"class": "tl-chosen"}}
SMALL = Decimal(1)
LONGEST_ID = 20  # characters of an execution id in a list
RIGHTS = (
    "imports.view_importexecutionlog",
    "trades.view_trade",
    "trades.view_position",
    "trades.change_instrument",
    "trades.dismiss_issue",
    "batches.add_batch",
)


def moment(value: datetime) -> SafeString:
    words = date_format(timezone.localtime(value), "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)


def rounded(number: Decimal) -> str:
    """An average in a list: to 4 decimals, a small one to 8. Its own page has all of them."""
    return plain(round(number, 8 if abs(number) < SMALL else 4))


def money(number: Decimal) -> str:
    return f"{number:,.2f}"


def won_or_lost(number: Decimal) -> SafeString:
    """An amount, whose colour says no more than its sign."""
    colour = "tl-won" if number > 0 else "tl-lost" if number < 0 else ""
    return format_html('<span class="{}">{}</span>', colour, money(number))


def link(view: str, key: int, words: object, name: str = "") -> SafeString:
    # Isolated: a text that is written from right to left leaves what follows alone.
    page = reverse(view, args=[key])
    name = format_html(' id="{}"', name) if name else ""
    return format_html('<a class="tl-link"{} href="{}"><bdi>{}</bdi></a>', name, page, words)


def box(name: str, key: int, words: object) -> SafeString:
    """To choose a row by; it is sent with the form below the list."""
    return format_html(
        '<input type="checkbox" name="{}" value="{}" form="act" aria-label="Choose: {}">',
        name,
        key,
        words,
    )


def line_of(trade: Trade, *, has_page: bool) -> SafeString | None:
    """The way back to the file: the line's place on the page of its import; None if it has none."""
    row = trade.import_row_log
    if row is None:
        return None
    words = format_html("line {} of <bdi>{}</bdi>", row.row_number, row.import_log.file_name)
    page = f"{row.import_log.get_absolute_url()}?from={row.row_number}#line-{row.row_number}"
    return format_html('<a class="tl-link" href="{}">{}</a>', page, words) if has_page else words


class ListTable(Table):
    """Columns that sort are named as the filters' `sort_by` names them. What is empty shows as —.

    `may`: what this user may do, by the name of the right.
    """

    def __init__(self, rows: Iterable[object], request: HttpRequest, **more: object) -> None:
        super().__init__(rows, orderable=False, **more)
        self.may = named(RIGHTS, request)

    def cells(self) -> Iterator[SafeString]:
        """The cells of each row, for a template that would take twice as long to put them down."""
        begin = {
            column.name: format_html(
                '<td data-label="{}" class="tl-{} {}"><bdi>',
                column.header,
                column.name,
                column.attrs["td"].get("class", ""),
            )
            for column in self.columns
        }
        for row in self.rows:
            texts = (
                f"{begin[column.name]}{conditional_escape(cell)}" for column, cell in row.items()
            )
            yield SafeString("</bdi></td>".join([*texts, ""]))


class TradeTable(ListTable):
    """Trades are chosen for a batch, by those who may make one."""

    chosen = Column(accessor="pk", verbose_name="", attrs=CHOSEN)
    executed_at = Column(verbose_name="Executed", attrs=MOMENT)
    account = Column()
    instrument = Column()
    side = Column()
    quantity = Column(verbose_name="Qty", attrs=NUMBER)
    price = Column(attrs=NUMBER)
    commission = Column(attrs=NUMBER)
    execution_id = Column(verbose_name="Execution ID", attrs={"td": {"class": "tl-name tl-id"}})
    positions = Column(accessor="pk", verbose_name="Position")
    line = Column(accessor="pk", verbose_name="From", attrs={"td": {"class": "tl-name"}})

    def __init__(self, rows: list[Trade], request: HttpRequest) -> None:
        may_choose = request.user.has_perm("batches.add_batch")
        super().__init__(rows, request, exclude=() if may_choose else ("chosen",))
        self.positions_of = positions_of(rows) if self.may["view_position"] else {}

    def render_chosen(self, value: int, record: Trade) -> SafeString:
        return box("trade", value, record)

    def render_executed_at(self, value: datetime, record: Trade) -> SafeString:
        words = link("trade", record.pk, moment(value), f"trade-{record.pk}")
        return format_html("{} {}", words, REVIEWED.html("Reviewed")) if record.reviewed else words

    def render_execution_id(self, value: str) -> SafeString | str:
        """One that was made of the content is long and says nothing; its beginning is enough."""
        if len(value) <= LONGEST_ID:
            return value
        return format_html('<span title="{}">{}…</span>', value, value[: LONGEST_ID - 4])

    def render_quantity(self, value: Decimal) -> str:
        return plain(value)

    def render_price(self, value: Decimal) -> str:
        return plain(value)

    def render_commission(self, value: Decimal) -> str:
        return plain(value)

    def render_positions(self, record: Trade) -> SafeString | str:
        found = self.positions_of.get(record.pk, [])
        links = ((link("position", key, key),) for key in found)
        return format_html_join(", ", "{}", links) if found else "—"

    def render_line(self, record: Trade) -> SafeString | str:
        return line_of(record, has_page=self.may["view_importexecutionlog"]) or "no file"


class PositionTable(ListTable):
    opened_at = Column(verbose_name="Opened", attrs=MOMENT)
    closed_at = Column(verbose_name="Closed", attrs=MOMENT)
    account = Column()
    instrument = Column()
    direction = Column()
    status = Column()
    peak_quantity = Column(verbose_name="Peak", attrs=NUMBER)
    average_entry = Column(verbose_name="Entry", attrs=NUMBER)
    average_exit = Column(verbose_name="Exit", attrs=NUMBER)
    net_pnl = Column(verbose_name="Net P&L", attrs=NUMBER, empty_values=())
    fills = Column(attrs=NUMBER)
    tags = Column(empty_values=([], None))

    def render_opened_at(self, value: datetime, record: Position) -> SafeString:
        return link("position", record.pk, moment(value), f"position-{record.pk}")

    def render_closed_at(self, value: datetime) -> SafeString:
        return moment(value)

    def render_status(self, record: Position) -> SafeString:
        """In words, how much is held: a column of its own would be empty but for a few."""
        badge = position_badge(record)
        held = record.open_quantity
        return format_html("{} {} held", badge, plain(held)) if held else badge

    def render_peak_quantity(self, value: Decimal) -> str:
        return plain(value)

    def render_average_entry(self, value: Decimal) -> str:
        return rounded(value)

    def render_average_exit(self, value: Decimal) -> str:
        return rounded(value)

    def render_net_pnl(self, value: Decimal | None, record: Position) -> SafeString | str:
        if value is not None:
            return format_html("{} {}", won_or_lost(value), record.currency)
        if not self.may["change_instrument"]:
            return "unknown"
        return link("point-value", record.instrument_id, "unknown")

    def render_fills(self, value: int) -> str:
        return f"{value:,}"

    def render_tags(self, value: list[str]) -> str:
        return ", ".join(value)


class IssueTable(ListTable):
    chosen = Column(accessor="pk", verbose_name="", attrs=CHOSEN)
    occurred_at = Column(verbose_name="At", attrs=MOMENT)
    kind = Column()
    account = Column()
    instrument = Column()
    message = Column(attrs={"td": {"class": "tl-message"}})
    causes = Column(
        accessor="pk", verbose_name="Fills and lines", attrs={"td": {"class": "tl-lines"}}
    )
    position = Column(accessor="position_id")
    state = Column(accessor="pk")

    def __init__(
        self, rows: list[IntegrityIssue], request: HttpRequest, exclude: tuple[str, ...] = ()
    ) -> None:
        may_dismiss = request.user.has_perm("trades.dismiss_issue")
        super().__init__(rows, request, exclude=exclude if may_dismiss else ("chosen", *exclude))
        self.trades = trades_by_key(key for issue in rows for key in issue.trade_ids)

    def render_chosen(self, value: int, record: IntegrityIssue) -> SafeString:
        return box("issue", value, record.message)

    def render_occurred_at(self, value: datetime) -> SafeString:
        return moment(value)

    def render_kind(self, record: IntegrityIssue) -> SafeString:
        return issue_badge(record)

    def render_causes(self, record: IntegrityIssue) -> SafeString | str:
        found = [self.trades[key] for key in record.trade_ids if key in self.trades]
        return format_html_join("", "<div>{}</div>", ((self.fill(one),) for one in found)) or "—"

    def fill(self, trade: Trade) -> SafeString:
        words = link("trade", trade.pk, trade) if self.may["view_trade"] else trade
        line = line_of(trade, has_page=self.may["view_importexecutionlog"]) or "no file"
        return format_html("{}, {}", words, line)

    def render_position(self, value: int) -> SafeString | str:
        return link("position", value, value) if self.may["view_position"] else str(value)

    def render_state(self, record: IntegrityIssue) -> SafeString | str:
        if record.dismissed_at is None:
            return "Standing"
        who = f" by {record.dismissed_by}" if record.dismissed_by else ""
        return format_html("Dismissed{}: <bdi>{}</bdi>", who, record.dismissal_reason or "—")
