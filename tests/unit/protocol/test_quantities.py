"""Quantities: the same amounts as the API server reads, and texts that people recognise."""

from decimal import Decimal, localcontext

import pytest
import strategies
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.utils import quantity
from session_protocol.quantities import GI, KI, MAXIMUM, MI, NANO, BadQuantity, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("384Mi", 384 * MI),
        ("1Gi", GI),
        ("1.5Gi", Decimal("1.5") * GI),
        ("1Ki", KI),
        ("100m", Decimal("0.1")),
        ("2", Decimal(2)),
        (2, Decimal(2)),
        ("0.5", Decimal("0.5")),
        (".5", Decimal("0.5")),
        ("5.", Decimal(5)),
        ("+5", Decimal(5)),
        ("-5Mi", -5 * MI),
        ("1k", Decimal(1000)),
        ("1E", Decimal(10**18)),
        ("1E3", Decimal(1000)),
        ("1e3", Decimal(1000)),
        ("1e-3", Decimal("0.001")),
        ("5n", Decimal("5e-9")),
        ("7u", Decimal("7e-6")),
        ("0", Decimal(0)),
        ("0Gi", Decimal(0)),
    ],
)
def test_every_form_has_its_amount(text: str | int, amount: Decimal) -> None:
    """Suffixes of both kinds, fractions, signs and exponents are read as the API server reads them."""
    assert amount == parse_quantity(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "lots", "1 Gi", "1gi", "1MI", "1K", "Mi", "1.2.3", "1e", "--1", "1Gi ", "١Gi", "0x10", "1_000", "1" * 65],
)
def test_a_text_that_is_no_quantity_is_refused(text: str) -> None:
    """The message shows what a quantity looks like."""
    with pytest.raises(BadQuantity, match="should be a quantity such as 384Mi"):
        parse_quantity(text)


def test_a_truth_value_is_no_quantity() -> None:
    """Python counts True as 1; a manifest does not."""
    with pytest.raises(BadQuantity):
        parse_quantity(True)


def test_a_decimal_passes_unchanged() -> None:
    """Code that computes amounts constructs models with them."""
    assert Decimal("1.25") == parse_quantity(Decimal("1.25"))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("9E", Decimal(9) * 10**18),
        ("10E", MAXIMUM),
        ("8Ei", MAXIMUM),
        ("-10E", -MAXIMUM),
        ("1e999999999", MAXIMUM),
        ("-1e999999999", -MAXIMUM),
        ("0e999999999", Decimal(0)),
    ],
)
def test_a_great_amount_is_cut_to_the_api_servers_maximum(text: str, amount: Decimal) -> None:
    """Whatever the exponent, reading takes no time and no memory."""
    assert amount == parse_quantity(text)


@pytest.mark.parametrize(
    ("text", "amount"), [("0.1n", NANO), ("1.1n", 2 * NANO), ("-0.1n", -NANO), ("1e-999999999", NANO), ("1e-12", NANO)]
)
def test_a_tiny_amount_is_rounded_away_from_zero(text: str, amount: Decimal) -> None:
    """Nothing that was asked for becomes nothing."""
    assert amount == parse_quantity(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (2304 * MI, "2304Mi"),
        (768 * MI, "768Mi"),
        (8 * GI, "8Gi"),
        (1024 * MI, "1Gi"),
        (Decimal(8 * 10**9), "8G"),
        (Decimal("0.1"), "100m"),
        (Decimal(1), "1"),
        (Decimal("1.5"), "1500m"),
        (Decimal(1500), "1500"),
        (Decimal(1000), "1k"),
        (Decimal(0), "0"),
        (-5 * MI, "-5Mi"),
        (Decimal("0.000000001"), "1n"),
        (Decimal(1536), "1536"),
    ],
)
def test_an_amount_has_its_shortest_exact_text(amount: Decimal, text: str) -> None:
    """Memory comes out in binary units, CPUs in thousandths, as people write them."""
    assert text == format_quantity(amount)


@given(strategies.quantity_texts())
def test_formatting_keeps_the_amount(text: str) -> None:
    """Whatever was read comes back as the same amount."""
    amount = parse_quantity(text)

    assert amount == parse_quantity(format_quantity(amount))


@given(strategies.quantity_texts())
def test_a_formatted_amount_is_a_fixed_point(text: str) -> None:
    """Writing twice writes the same, or status would change without a cause."""
    once = format_quantity(parse_quantity(text))

    assert once == format_quantity(parse_quantity(once))


@given(strategies.near_quantity_texts())
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    """No text makes reading fail in another way."""
    try:
        amount = parse_quantity(text)
    except BadQuantity:
        return

    assert abs(amount) <= MAXIMUM


@given(st.lists(strategies.memory_amounts(at_least=1), max_size=10))
def test_sums_of_memory_are_exact(amounts: list[Decimal]) -> None:
    """A quota that is full to the byte is full."""
    total = sum(amounts, Decimal(0))

    assert total == parse_quantity(format_quantity(total))


@given(strategies.quantity_texts())
def test_the_client_library_reads_the_same(text: str) -> None:
    """It is the oracle where an amount is neither cut nor rounded."""
    with localcontext(
        prec=400
    ):  # it keeps as many digits as the context, and an amount may have more than the usual 28
        try:
            theirs = quantity.parse_quantity(text)  # type: ignore[no-untyped-call]
        except ValueError:  # it knows no number that ends in a dot, and other suffixes of exponents
            return
        ours = parse_quantity(text)

        assert ours == theirs or abs(theirs) > MAXIMUM or theirs % NANO
