"""The page's address and the allowed hosts: what the operator refuses at start, and that the runner refuses no more."""

import pytest
from host_cases import ALLOWED, HOSTS, PAGES, Case, Page
from hypothesis import given
from hypothesis import strategies as st
from session_runner.settings import SettingsError, read_settings
from whatsapp_operator.app.hosts import allowed_hosts, page_host
from whatsapp_operator.app.settings import BadSettings, load

REQUIRED = {"PROFILE_DIR": "/profile", "TOKEN_DIR": "/tokens", "SESSION_UID": "s-1", "POD_UID": "p-1"}


def operator_says(page: Page) -> str | None:
    """What the operator ends with at start, None when it starts."""
    try:
        load(runner_image="r:1", whatsapp_web_url=page.url, allowed_hosts=page.allowed)
    except BadSettings as error:
        return str(error)
    return None


def runner_says(page: Page) -> str | None:
    """What a runner ends with that gets these settings as they are, None when it starts."""
    try:
        read_settings(REQUIRED | {"WHATSAPP_WEB_URL": page.url, "ALLOWED_HOSTS": page.allowed})
    except SettingsError as error:
        return str(error)
    return None


@pytest.mark.parametrize("case", HOSTS, ids=lambda case: case.host)
def test_a_host_is_judged_as_the_browser_does(case: Case) -> None:
    """`*.domain` means any name below it, a plain name or address means itself."""
    assert case.expected is allowed_hosts(ALLOWED).allows(case.host)


@pytest.mark.parametrize("page", PAGES)
def test_operator_and_runner_refuse_the_same_pages(page: Page) -> None:
    """An operator that starts makes no pod that ends with BadConfiguration; both name the variable to mend."""
    operator_answer, runner_answer = operator_says(page), runner_says(page)

    assert (page.wrong is None, page.wrong is None) == (operator_answer is None, runner_answer is None)
    assert page.wrong is None or (page.wrong in str(operator_answer) and page.wrong in str(runner_answer))


def test_a_page_on_another_host_is_refused_with_what_to_do() -> None:
    """Which setting, which host, and what happens otherwise."""
    page = Page("https://web.example.org/", "*.whatsapp.com,*.whatsapp.net", "ALLOWED_HOSTS")

    assert operator_says(page) == (
        "ALLOWED_HOSTS does not contain web.example.org, the host of WHATSAPP_WEB_URL: add it there, or no session can "
        "open its page"
    )


def test_a_list_that_is_none_says_what_one_looks_like() -> None:
    """It would become a rule of every browser."""
    page = Page("https://web.whatsapp.com/", "https://web.whatsapp.com", "ALLOWED_HOSTS")

    assert operator_says(page) == (
        'ALLOWED_HOSTS: should be host names or "*.domain" by comma, without scheme, port or path'
    )


def test_an_address_that_is_none_says_what_one_looks_like() -> None:
    """A page without https is no secure context."""
    page = Page("http://web.whatsapp.com/", "*.whatsapp.com", "WHATSAPP_WEB_URL")

    assert operator_says(page) == (
        "WHATSAPP_WEB_URL: should be an https:// address with a host, such as https://web.whatsapp.com/"
    )


@given(
    url=st.one_of(st.text(max_size=30), st.text("aA.:/@[]*1-x", max_size=20).map("https://{}".format)),
    allowed=st.text("aA.:/,* 1-x", max_size=20),
)
def test_whatever_the_operator_starts_with_the_runner_starts_with(url: str, allowed: str) -> None:
    """For any two texts: the check at start is at least as strict as the one in every pod."""
    page = Page(url, allowed, None)

    assert operator_says(page) is not None or runner_says(page) is None


@given(labels=st.lists(st.from_regex("[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4))
def test_a_page_is_allowed_by_its_own_host(labels: list[str]) -> None:
    """Adding what the message says to add is enough, for every host name."""
    host = ".".join([*labels, "example"])

    assert operator_says(Page(f"https://{host}/", host, None)) is None
    assert page_host(f"https://{host}:1/") == host
