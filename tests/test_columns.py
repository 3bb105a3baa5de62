"""One cell: numbers, sides, names and ids as brokers write them, or a sentence why not."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imports.columns import (
    Floating,
    Identifier,
    Moment,
    Name,
    Number,
    Price,
    Quantity,
    Text,
    read_number,
)
from imports.dialect import Dialect
from imports.formats import all_formats
from imports.problems import CellError

POINT, COMMA = Dialect("."), Dialect(",")
EXECUTIONS = {column.field: column for column in all_formats()["ninjatrader-executions"].columns}


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1", "1"),
        ("$0.52", "0.52"),
        ("$$0.52", "0.52"),
        ("-$1", "-1"),
        ("$-1", "-1"),
        ("($22.48)", "-22.48"),
        ("$(6.25)", "-6.25"),
        ("( 6.25 )", "-6.25"),
        ("- 2.50", "-2.50"),
        ("2.50-", "-2.50"),
        ("−2.50", "-2.50"),
        ("+2.50", "2.50"),
        ("1,234.50", "1234.50"),
        ("$1,330.10", "1330.10"),
        ("1,234,567", "1234567"),
        ("4 577.86", "4577.86"),
        ("4\u00a0577.86", "4577.86"),
        ("4\u202f577.86", "4577.86"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        (" 5 ", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("58.00 USD", "58"),
        ("USD 58.00", "58"),
        ("R$ 58.00", "58"),
        ("¤58.00", "58"),
        ("(¤58.00)", "-58"),
        ("0.0000000001", "0.0000000001"),
        ("99999.9999999999", "99999.9999999999"),
        ("007", "7"),
        ("1.5000000000000000000000", "1.5"),
    ],
)
def test_a_number_is_read_with_a_decimal_point(cell: str, number: str) -> None:
    assert read_number(cell, ".") == Decimal(number)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("58,00 $", "58"),
        ("0,62 $", "0.62"),
        ("307,42 €", "307.42"),
        ("-58,00 $", "-58"),
        ("58,00- €", "-58"),
        ("(58,00 $)", "-58"),
        ("-$ 200,00", "-200"),
        ("4 577,86", "4577.86"),
        ("4.577,86", "4577.86"),
        ("4'577,86", "4577.86"),
        ("7200,75", "7200.75"),
        ("1.234", "1234"),
        ("5", "5"),
        (",5", "0.5"),
    ],
)
def test_a_number_is_read_with_a_decimal_comma(cell: str, number: str) -> None:
    assert read_number(cell, ",") == Decimal(number)


@pytest.mark.parametrize(
    "cell",
    [
        *["abc", "-", "--1", "-(1)", "(-1)", "(1", "1)", "1-1", "1+", "$", "()", ".", ",", "+"],
        *["1.2.3", "1,2,3", "12,34.5", "1,2345", "1,234 567", "12 34", "1,,234"],
        *["5$25", "12€50", "1 USD 234", "1 $ 234", "USD5USDX", "5 LOTS", "2 L", "1e5", "1E+5"],
        *["NaN", "Infinity", "-INF", "0x10", "1_000", "٣", "１", "½", "110'16.5", "110'165", "1/2"],
        *["#REF!", "=1+1", "1%", "0,62", "7200,75", "1.234,50", "true"],
    ],
)
def test_what_is_no_number_is_not_guessed(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        read_number(cell, ".")


@pytest.mark.parametrize(
    "cell",
    [
        "1234567890123456",
        "0.12345678901",
        "4396.900000000001",
        "1" + "0" * 90,
        "0." + "0" * 90 + "1",
    ],
)
def test_a_number_that_cannot_be_kept_exactly_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="more digits than can be kept exactly"):
        read_number(cell, ".")


@pytest.mark.parametrize("cell", ["9" * 2_000_000, "$" * 60_000 + "x", "( " * 30_000], ids=len)
def test_a_cell_without_end_is_refused_at_once(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a number: it has .* characters"):
        read_number(cell, ".")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("4396.900000000001", "4396.9"),
        ("4396.899999999999", "4396.9"),
        ("0.1300000000000000044", "0.13"),
        ("-0.5000000000001", "-0.5"),
        ("110.515625", "110.515625"),
        ("7494.25", "7494.25"),
    ],
)
def test_what_floating_point_has_blurred_is_clear(cell: str, number: str) -> None:
    assert Floating("invalid_price")(cell, POINT) == Decimal(number)


def test_what_is_more_than_blurred_is_refused() -> None:
    with pytest.raises(CellError, match="more digits"):
        Floating("invalid_price")("4396.123456789123", POINT)


@pytest.mark.parametrize("cell", ["-0", "($0.00)", "-0.00", "0.00-"])
def test_zero_has_no_sign(cell: str) -> None:
    assert not read_number(cell, ".").is_signed()


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        *[("110'16.5", "110.515625"), ("110’16,5", "110.515625"), (" 110'00 ", "110")],
        *[("99'31.75", "99.9921875"), ("103'08.125", "103.25390625"), ("110.5", "110.5")],
    ],
)
def test_the_price_of_a_bond_may_be_in_32nds(cell: str, price: str) -> None:
    assert Price("invalid_price")(cell, Dialect()) == Decimal(price)


@pytest.mark.parametrize(
    "cell", ["110'165", "110'32", "110'5", "1'110'16", "-110'16", "110'16.5.0"]
)
def test_what_may_be_no_32nds_is_not_guessed(cell: str) -> None:
    with pytest.raises(CellError, match="is not a number"):
        Price("invalid_price")(cell, Dialect())


def test_the_other_decimal_sign_is_named() -> None:
    with pytest.raises(ValueError, match="^'0,62' is not a number with a decimal point"):
        read_number("0,62", ".")
    with pytest.raises(ValueError, match="^'21350.50' is not a number with a decimal comma"):
        read_number("21350.50", ",")


def rendered(number: Decimal, decimal: str, group: str) -> str:
    digits = f"{abs(number):,f}"
    return digits.translate(str.maketrans({",": group, ".": decimal}))


WRAPPINGS = ["{}", "${}", "$ {}", "{} $", "{} €", "{} USD", "USD {}", "¤{}", " {} "]
NEGATIVE = ["-{}", "- {}", "{}-", "({})", "−{}"]


@given(
    digits=st.integers(0, 10**15 - 1),
    places=st.integers(0, 10),
    decimal_and_group=st.sampled_from([".,", ". ", ".", ",.", ", ", ",", ".\u00a0", ",\u202f"]),
    money=st.sampled_from(WRAPPINGS),
    sign=st.sampled_from(["{}", *NEGATIVE]),
    sign_outside=st.booleans(),
)
@example(123456789012345, 10, ",.", "{} €", "({})", True)
def test_a_number_rendered_in_any_convention_reads_back_exactly(
    digits: int, places: int, decimal_and_group: str, money: str, sign: str, sign_outside: bool
) -> None:
    number = Decimal(digits).scaleb(-places)
    decimal, group = decimal_and_group[0], decimal_and_group[1:]
    text = rendered(number, decimal, group)
    cell = sign.format(money.format(text)) if sign_outside else money.format(sign.format(text))
    assert read_number(cell, decimal) == (-number if sign in NEGATIVE else number)


@given(cell=st.text(max_size=30), decimal=st.sampled_from(".,"))
def test_any_cell_is_a_number_or_a_value_error(cell: str, decimal: str) -> None:
    try:
        number = read_number(cell, decimal)
    except ValueError:
        return
    assert number.is_finite()
    assert [c for c in cell if c.isdigit()]


# --- The columns of a format


@pytest.mark.parametrize(
    ("column", "cell", "code", "sentence"),
    [
        (Number("invalid_price"), "abc", "invalid_price", "'abc' is not a number"),
        (Number("invalid_price"), " ", "invalid_price", "is empty; expected a number"),
        (Quantity("invalid_quantity"), "0", "invalid_quantity", "'0' is not above zero"),
        (Quantity("invalid_quantity"), "-1", "invalid_quantity", "'-1' is not above zero"),
        (Name(9, "missing_account", "a name"), "\t", "missing_account", "expected a name"),
        (Text(3), "four", "too_long", "has 4 characters; at most 3 fit"),
        (Moment(), "", "invalid_timestamp", "is empty; expected a date with a time"),
        (Identifier(9), "3.24E+11", "invalid_id", "a spreadsheet has rounded"),
        (Identifier(9), "3,24E+11", "invalid_id", "a spreadsheet has rounded"),
        (EXECUTIONS["side"].read, "Hold", "unknown_action", "expected one of buy, buytocover"),
        (EXECUTIONS["side"].read, "", "unknown_action", "'' is no action"),
        (EXECUTIONS["native_id"].read, "1.2E+17", "invalid_id", "'1.2E+17' is an id"),
    ],
)
def test_a_cell_that_cannot_be_read_says_why(
    column: Text, cell: str, code: str, sentence: str
) -> None:
    with pytest.raises(CellError) as caught:
        column(cell, POINT)
    assert caught.value.code == code
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("action", "side"),
    [
        ("Buy", "buy"),
        ("BUY ", "buy"),
        ("Sell", "sell"),
        ("SellShort", "sell_short"),
        ("Sell Short", "sell_short"),
        ("BuyToCover", "buy_to_cover"),
        ("Buy to cover", "buy_to_cover"),
    ],
)
def test_an_action_is_a_side_however_it_is_spelled(action: str, side: str) -> None:
    assert EXECUTIONS["side"].read(action, POINT) == side


@pytest.mark.parametrize("cell", ["", " ", "\u00a0"])
def test_no_commission_is_none(cell: str) -> None:
    assert EXECUTIONS["commission"].read(cell, COMMA) == 0


@pytest.mark.parametrize("identity", ["", "exec-1", "4e10", "12E45", "1.5", "7e5a0c12E+4"])
def test_an_id_is_kept_as_it_stands(identity: str) -> None:
    assert Identifier(200)(f" {identity} ", POINT) == identity


def test_a_long_cell_is_cut_in_the_message() -> None:
    with pytest.raises(CellError) as caught:
        Number("invalid_price")("x" * 10_000, POINT)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("cell", [" a", "a ", "1.5E+10", "y" * 201])
def test_ids_are_kept_as_they_stand_only_where_each_is_read_so(cell: str) -> None:
    assert Identifier(200).keeps(("a", "E", "1E5", "é 1", ""))
    assert not Identifier(200).keeps(("a", cell))
