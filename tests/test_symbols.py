import csv
import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades import symbols
from trades.symbols import FUTURES, MONTH_CODES, MONTH_NAMES, Symbol, UnknownSymbol, parse_symbol

AUTUMN_2025 = datetime.date(2025, 10, 15)
MNQ_DECEMBER = Symbol("MNQ 12-25", "MNQ", datetime.date(2025, 12, 1), "future")


def every_spelling(root: str, month: int, year: int) -> list[str]:
    code, name, two_digits = MONTH_CODES[month - 1], MONTH_NAMES[month - 1], f"{year % 100:02}"
    spellings = [
        f"{root} {month:02}-{two_digits}",
        f"{root} {month:02}.{two_digits}",
        f"{root} {month}-{two_digits}",
        f"{root} {month:02}-{year}",
        f"{root} {name}{two_digits}",
        f"{root} {name}{year}",
        f"{root}{code}{year % 10}",
        f"{root}{code}{two_digits}",
        f"{root}{code}{year}",
    ]
    return [*spellings, *(f"/{text}" for text in spellings), *(text.lower() for text in spellings)]


@given(
    root=st.sampled_from(sorted(FUTURES)),
    month=st.integers(1, 12),
    year=st.integers(2020, 2039),
    days_before_expiry=st.integers(0, 365),
)
def test_every_spelling_of_a_contract_is_the_same_symbol(root, month, year, days_before_expiry):
    expiry = datetime.date(year, month, 1)
    traded_on = expiry - datetime.timedelta(days=days_before_expiry)
    expected = Symbol(f"{root} {expiry:%m-%y}", root, expiry, "future")

    parsed = {text: parse_symbol(text, traded_on) for text in every_spelling(root, month, year)}

    assert parsed == dict.fromkeys(parsed, expected)


@pytest.mark.parametrize(
    "text",
    [
        *("MNQ 12-25", "MNQ DEC25", "MNQ DEC2025", "MNQZ5", "MNQZ25", "MNQZ2025", "/MNQZ25"),
        *("MNQ 12.25", "MNQ 12-2025", "mnq dec25", "mnqz5", "Mnq 12-25"),
        *("  MNQ 12-25  ", "MNQ  12-25", "MNQ\u00a012-25", "\u00a0MNQ \u202f12-25\u00a0"),
    ],
)
def test_case_and_spaces_do_not_make_another_contract(text):
    assert parse_symbol(text, AUTUMN_2025) == MNQ_DECEMBER


@pytest.mark.parametrize(
    ("text", "symbol", "root"),
    [
        ("M2KM6", "M2K 06-26", "M2K"),
        ("6EZ5", "6E 12-25", "6E"),
        ("10YH6", "10Y 03-26", "10Y"),
        ("2YYH6", "2YY 03-26", "2YY"),
        ("SR3H6", "SR3 03-26", "SR3"),
        ("ZQ3", "Z 08-33", "Z"),
        ("ZQQ3", "ZQ 08-33", "ZQ"),
        ("123AZ5", "123A 12-25", "123A"),
        ("FDAX 12-25", "FDAX 12-25", "FDAX"),
        ("XYZ 3-26", "XYZ 03-26", "XYZ"),
    ],
)
def test_the_root_may_hold_digits_or_be_unknown(text, symbol, root):
    parsed = parse_symbol(text, AUTUMN_2025)

    assert (parsed.symbol, parsed.root, parsed.kind) == (symbol, root, "future")


@pytest.mark.parametrize(
    ("text", "traded_on", "symbol"),
    [
        ("ESZ5", datetime.date(2025, 12, 19), "ES 12-25"),
        ("ESZ5", datetime.date(2026, 1, 31), "ES 12-25"),
        ("ESZ5", datetime.date(2026, 2, 1), "ES 12-35"),
        ("ESX5", datetime.date(2025, 12, 31), "ES 11-25"),
        ("ESV5", datetime.date(2025, 12, 1), "ES 10-35"),
        ("ESF6", datetime.date(2026, 2, 28), "ES 01-26"),
        ("ESF6", datetime.date(2026, 3, 1), "ES 01-36"),
        ("ESH0", datetime.date(2029, 12, 1), "ES 03-30"),
        ("CLZ4", datetime.date(2025, 6, 1), "CL 12-34"),
    ],
)
def test_a_single_digit_year_is_the_first_that_could_still_trade(text, traded_on, symbol):
    assert parse_symbol(text, traded_on).symbol == symbol


@pytest.mark.parametrize("text", ["ES ##-##", "/es ##-##", " ES  ##-## "])
def test_a_continuous_contract_is_a_future_without_a_month(text):
    assert parse_symbol(text, AUTUMN_2025) == Symbol("ES ##-##", "ES", None, "future")


@pytest.mark.parametrize(
    "text",
    [
        *("AAPL", "T", "BRK.B", "NAS100", "US30", "UK100", "BTC", "EUR", "7203", "/ES", "ES"),
        *("MNQ 13-25", "MNQ 00-25", "MNQ 0-25", "MNQ DEZ25", "MNQA5", "MNQZ125", "MNQZ1925"),
        *("MNQ 12-5", "MNQ 12-125", "ABCDE 12-25", "ABCDEZ5", "12 12-25", "1Z5", "##-##"),
        *("USDUSD", "BTCBTC", "EURXXX", "AAPL 261316C00150000", "AAPL 260230C00150000"),
        *("AAPL 260116X00150000", "MNQZ\u0665", "MNQ 12-2\u0665"),
    ],
)
def test_everything_else_is_a_stock_under_its_own_name(text):
    assert parse_symbol(text, AUTUMN_2025) == Symbol(text, text, None, "stock")


def test_a_stock_is_spelled_in_upper_case_with_single_spaces():
    assert parse_symbol(" brk\u00a0 b ", AUTUMN_2025).symbol == "BRK B"


@pytest.mark.parametrize("traded_on", [datetime.date.min, datetime.date.max])
def test_a_single_digit_year_outside_this_century_names_no_contract(traded_on):
    assert parse_symbol("ESF0", traded_on).kind == "stock"


def test_a_pair_is_priced_in_its_second_currency_unless_that_is_a_coin() -> None:
    pairs = ("EURUSD", "USD/JPY", "BTC-EUR", "BTCUSDT", "ETHBTC", "AAPL", "MNQZ5")
    found = [parse_symbol(pair, AUTUMN_2025).currency for pair in pairs]
    assert found == ["USD", "JPY", "EUR", "", "", "", ""]


@pytest.mark.parametrize(
    ("text", "symbol", "kind"),
    [
        ("EURUSD", "EURUSD", "forex"),
        ("eur/usd", "EURUSD", "forex"),
        ("EUR.USD", "EURUSD", "forex"),
        ("XAUUSD", "XAUUSD", "forex"),
        ("BTCUSD", "BTCUSD", "crypto"),
        ("BTC/USDT", "BTCUSDT", "crypto"),
        ("BTC-USD", "BTCUSD", "crypto"),
        ("dogeusdt", "DOGEUSDT", "crypto"),
        ("ETHBTC", "ETHBTC", "crypto"),
        ("EURUSDT", "EURUSDT", "crypto"),
        ("USDTUSD", "USDTUSD", "crypto"),
    ],
)
def test_a_pair_of_currencies_is_forex_and_one_with_a_coin_is_crypto(text, symbol, kind):
    assert parse_symbol(text, AUTUMN_2025) == Symbol(symbol, symbol, None, kind)


def test_two_pairs_never_share_a_spelling():
    codes = f"{symbols.CURRENCIES}|{symbols.COINS}".split("|")
    pairs = [base + quote for base in codes for quote in codes if base != quote]

    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("text", "symbol", "root"),
    [
        ("AAPL  260116C00150000", "AAPL 260116C00150000", "AAPL"),
        ("AAPL260116C00150000", "AAPL 260116C00150000", "AAPL"),
        ("aapl 260116p00150000", "AAPL 260116P00150000", "AAPL"),
        ("GOOGL1260116C00150000", "GOOGL1 260116C00150000", "GOOGL1"),
    ],
)
def test_an_occ_option_belongs_to_its_underlying(text, symbol, root):
    january = datetime.date(2026, 1, 1)

    assert parse_symbol(text, AUTUMN_2025) == Symbol(symbol, root, january, "option")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        (" \u00a0 ", "is empty"),
        ("A" * 41, "has 41 characters; at most 40"),
        ("MNQ\x0012-25", "contains a control or invisible character"),
        ("MNQ\n12-25", "contains a control or invisible character"),
        ("MNQ\t12-25", "contains a control or invisible character"),
        ("\ufeffMNQ", "contains a control or invisible character"),
        ("MNQ\ud800", "contains a control or invisible character"),
    ],
)
def test_impossible_text_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(UnknownSymbol, match=sentence) as refusal:
        parse_symbol(text, AUTUMN_2025)

    assert str(refusal.value).encode().endswith(b".")


def test_forty_characters_are_still_a_symbol():
    assert parse_symbol("A" * 40, AUTUMN_2025).symbol == "A" * 40


THIS_CENTURY = st.dates(datetime.date(2001, 1, 1), datetime.date(2088, 12, 31))
NEAR_SYMBOLS = st.text("AFZP01259/.-# \u00a0", max_size=12) | st.text(max_size=45)


@given(text=NEAR_SYMBOLS, traded_on=THIS_CENTURY)
def test_a_canonical_symbol_means_the_same_on_every_day(text, traded_on):
    try:
        parsed = parse_symbol(text, traded_on)
    except UnknownSymbol:
        return

    assert parse_symbol(parsed.symbol, AUTUMN_2025) == parsed


def test_futures_hold_every_line_of_the_table_beside_the_code():
    with Path(symbols.__file__).with_name("futures.csv").open(encoding="utf-8") as lines:
        roots = [row["root"] for row in csv.DictReader(lines)]

    assert list(FUTURES) == roots


def test_a_future_knows_its_point_value_and_tick_exactly():
    yen = FUTURES["6J"]

    assert (yen.point_value, yen.tick_size) == (Decimal("12500000"), Decimal("0.0000005"))
