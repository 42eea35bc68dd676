"""Links to files: which are taken, where a redirect may lead, and what a file is called."""

import pytest
from session_runner.messages.errors import MediaError
from session_runner.messages.links import after_redirect, check_link, filename_of, pause_after, seconds_for


@pytest.mark.parametrize(
    "link",
    [
        "https://files.example.com/a%20b.png?token=x&y=1",
        "https://93.184.216.34/a.png",
        "https://[2606:2800:21f:cb07::1]/a.png",
        "http://n8n.automation.svc:5678/a",
        "HTTPS://Example.com",
    ],
)
def test_an_address_by_http_is_a_link(link: str) -> None:
    """What of it may be connected to is the guard's business; a fragment is not sent."""
    assert link == check_link(f" {link}#part\n", field="image.link")


@pytest.mark.parametrize(
    "link",
    [
        "",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "//example.com/a",
        "https:///a",
        "https://user:word@example.com/a",
        "https://example.com:0/a",
        "https://example.com:99999/a",
        "https://[::1/a",
        "https://exa mple.com/a",
        "https://example.com\\@127.0.0.1/a",
        "https://2130706433/a",
        "https://0x7f000001/a",
        "https://0177.0.0.1/a",
        "https://127.1/a",
        "https://1.2.3.4.5/a",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_what_is_none_is_refused_without_repeating_it(link: str) -> None:
    """Loopback in an unusual form among it; the error says what would be a link."""
    with pytest.raises(MediaError) as caught:
        check_link(link, field="image.link")

    assert str(caught.value).startswith("image.link ")
    assert not link or link not in str(caught.value)


def test_a_redirect_leads_to_another_link_or_nowhere() -> None:
    """It may be relative; what is no link of ours is not followed."""
    link = "https://example.com/a/b?c"

    assert "https://example.com/d" == after_redirect(link, "/d#e")
    assert "https://other.example/" == after_redirect(link, " https://other.example/ ")
    assert [None] * 5 == [
        after_redirect(link, location)
        for location in (None, "https://127.1/", "file:///etc/passwd", "https://[", "/" + "a" * 2048)
    ]
    assert after_redirect("https://example.com/" + "a" * 2000 + "/", "a" * 100) is None


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://example.com/a/bill%20of%20May.pdf?x=y.z", "bill of May.pdf"),
        ("https://example.com/download?id=7", None),
        ("https://example.com/a%2Fb.pdf", None),
        ("https://example.com/", None),
        ("https://example.com/" + "a" * 201 + ".pdf", None),
    ],
)
def test_a_file_has_the_name_that_ends_its_link(link: str, name: str | None) -> None:
    """If it looks like one of a file."""
    assert name == filename_of(link)


def test_a_large_file_may_take_longer_and_pauses_grow() -> None:
    """Each has a bound."""
    assert 60 < seconds_for(5 << 20) < seconds_for(100 << 20) < 600
    assert [2.0, 4.0, 8.0] == [pause_after(tries) for tries in range(3)]
    assert pause_after(10) == pause_after(1000)
