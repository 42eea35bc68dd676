"""Durations in PromQL are divided, and nothing else is touched."""

import pytest
from session_devtools.monitoring.promql import NoDurationError, divide_duration, divide_expression, selectors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m", "30s"),
        ("1h30m", "270s"),
        ("1m", "3s"),
        ("30s", "1500ms"),
        ("1d", "4320s"),
        ("100ms", "5ms"),
        ("0s", "0s"),
    ],
)
def test_a_duration_is_divided_to_the_millisecond(text: str, expected: str) -> None:
    """Whatever units it was written in."""
    assert expected == divide_duration(text, 20)


@pytest.mark.parametrize("text", ["", "10", "10 m", "ten", "-1m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """It would pass as something that was divided."""
    with pytest.raises(NoDurationError):
        divide_duration(text, 20)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(a[5m]) > 0.1", "rate(a[15s]) > 0.1"),
        ("a offset 1h", "a offset 180s"),
        ("max_over_time(a[10m:1m])", "max_over_time(a[30s:3s])"),
        ("time() - a > 600", "time() - a > 600 / 20"),
        ("time() - a > 10 * 60 and b > 3", "time() - a > (10 * 60) / 20 and b > 3"),
        ("max by (x) (time() - a) >= bool 600", "max by (x) (time() - a) >= bool 600 / 20"),
        ("a - time() < 7 * 86400", "a - time() < (7 * 86400) / 20"),
        ("600 < time() - a", "600 / 20 < time() - a"),
        ("(time() - a > 600) * on (s) group_left () b == 1", "(time() - a > 600 / 20) * on (s) group_left () b == 1"),
        ("predict_linear(a[6h], 24 * 3600) < 0", "predict_linear(a[1080s], (24 * 3600) / 20) < 0"),
        ("last_over_time(a[5m]) unless b[1m:]", "last_over_time(a[15s]) unless b[3s:]"),
    ],
)
def test_durations_and_what_ages_are_compared_with_are_divided(expression: str, expected: str) -> None:
    """Ranges, offsets, subqueries, ages, and how far a line is drawn on."""
    assert expected == divide_expression(expression, 20)


@pytest.mark.parametrize(
    "expression",
    [
        'a{reason="5m", state=~"time.*"} > 600',
        "histogram_quantile(0.9, sum by (le) (a_bucket)) > 300",
        "a / b > 0.9 and c5m == 1",
        "job:a5m:rate > 20  # of 10m",
        "absent(a) or vector(1e3)",
    ],
)
def test_all_else_stays(expression: str) -> None:
    """Strings, names, remarks, counts, shares, and seconds that somebody has measured."""
    assert expression == divide_expression(expression, 20)


@pytest.mark.parametrize("expression", ["time() - a > b", "time() - a", "sum(time() - a) * 2", "a > (b"])
def test_an_age_without_a_constant_is_refused(expression: str) -> None:
    """It would fire as slowly as ever, and a test would wait for it."""
    with pytest.raises(NoDurationError):
        divide_expression(expression, 20)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("up", ["up"]),
        ('sum by (a, b) (rate(x_total{c=~"5..|<error>", d!="b"}[5m])) > 3', ['x_total{c=~"5..|<error>", d!="b"}']),
        ("max(x) without (a) and on (b) y:z:held unless on () q offset 1h", ["x", "y:z:held", "q"]),
        ('a * ignoring (s) group_left () b or label_replace(c, "r", "d", "", "")', ["a", "b", "c"]),
        ("count(a) / count(b == bool 1) > 0.1", ["a", "b"]),
        ("time() - min_over_time(a[1h:5m]) > 2 * 60", ["a"]),
    ],
)
def test_the_series_of_an_expression_are_found(expression: str, expected: list[str]) -> None:
    """No function, no aggregation, and no label that something is grouped or matched by."""
    assert expected == [selector.text for selector in selectors(expression)]


def test_a_selector_has_its_series_and_labels() -> None:
    """To look for both in a scrape."""
    (found,) = selectors('increase(x_total{a="b{c}", d!~"e"}[1h]) > 0')

    assert ("x_total", frozenset({"a", "d"})) == (found.series, found.labels)
