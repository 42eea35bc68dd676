"""What a foreign text may not bring into a log, an event or a status, and what must survive."""

import base64

import pytest
import secret_strategies
from hypothesis import example, given
from hypothesis import strategies as st
from session_protocol.redaction import LONGEST, redact

KEY = "aB3" * 14 + "="
QR = f"2@{KEY},{KEY},{KEY},{KEY},1"
SHORT_QR = "2@AbCdEf0123456789+/AbCdEf0123456789+/AbCd,Kj8s0Zk1LmNoPqRsTuVwXyZ0123456789=,AbCd=,1"
TOKEN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\nabc=\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("call +49 170 1234567 now", "call [number] now"),
        ("call 491701234567", "call [number]"),
        ("call (0170) 123-45678.", "call [number]."),
        ("at (555) 222-3333.", "at [number]."),
        ("0171/1234567", "[number]"),
        ("49.171.123.45.67", "[number]"),
        ("(0)171-123 45 67", "[number]"),
        ("+49\u00a0171\u202f1234567", "[number]"),
        ("+49\u200b171\u20111234567", "[number]"),
        ("＋４９１７１１２３４５６７", "[number]"),
        ("+٤٩ ١٧١ ١٢٣٤٥٦٧", "[number]"),
        ("4\ufe0f\u20e39\ufe0f\u20e31\ufe0f\u20e37\ufe0f\u20e31\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e3", "[number]"),
        ("tel:+491711234567", "tel:[number]"),
        ("%2B491711234567", "[number]"),
        ("49%20171%20123%2045%2067", "[number]"),
        (r"\u002b49\u00a0171 1234567", "[number]"),
        ('{"phone":"+491711234567"}', '{"phone":"[number]"}'),
        (r"{\"phone\":\"+49 171 1234567\"}", r"{\"phone\":\"[number]\"}"),
        ("49 171\n1234567", "[number]"),
        ("chat_491701234567_left", "chat_[number]_left"),
        ("+49•171·1234567", "[number]"),
        ("+49&nbsp;171&nbsp;1234567", "[number]"),
        ("+49,171,123,45,67", "[number]"),
        ("4917112345ms", "[number]ms"),
        ("491711234Ki", "[number]Ki"),
    ],
)
def test_numbers_go(text: str, left: str) -> None:
    """A phone number goes in every spelling, and nothing around it."""
    assert left == redact(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("from 491701234567@c.us", "from [account]"),
        ("from 491701234567:12@s.whatsapp.net gone", "from [account] gone"),
        ("group 120363025246125486@g.us", "group [account]"),
        ("lid 123456789012345@lid left", "lid [account] left"),
        ("false_491701234567@c.us_3EB0AB is unknown", "[account] is unknown"),
        ("491701234567%40s.whatsapp.net", "[account]"),
        ("see wa.me/491711234567?text=hi", "see [account]"),
        (f"shown {SHORT_QR} to nobody", "shown [code] to nobody"),
        (f"code {QR}", "code [code]"),
        (f"https://wa.me/settings/linked_devices#{SHORT_QR}", "[code]"),
        (f"{QR},https://faq.whatsapp.com/r/ld", "[code]"),
        ("https://chat.whatsapp.com/AbCdEfGhIjK", "[code]"),
        ("HTTPS://Chat.WhatsApp.com:443/AbCdEf", "[code]"),
        ("call.whatsapp.com/voice/AbCdEf", "[code]"),
    ],
)
def test_accounts_and_qr_codes_go(text: str, left: str) -> None:
    """Ids of people and groups, and what links a phone or joins a group."""
    assert left == redact(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"Authorization: Bearer {TOKEN}", "Authorization: [secret]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [secret]"),
        ('{"Authorization": "Bearer abc.def"}', '{"Authorization": "[secret]"}'),
        ("Bearer abc.def", "Bearer [secret]"),
        ("Basic dXNlcjpwYXNz", "Basic [secret]"),
        ("X-Api-Key: abc", "X-Api-Key: [secret]"),
        ("Cookie: a=b; c=d", "Cookie: [secret]"),
        ("Set-Cookie: sid=abc; Path=/; HttpOnly done", "Set-Cookie: [secret] done"),
        ("token=abcdef123", "token=[secret]"),
        ("token:\n abc123", "token: [secret]"),
        ('"token": "abc"', '"token": "[secret]"'),
        (r"{\"accessToken\":\"a b\"}", r"{\"accessToken\":\"[secret]\"}"),
        ("password: hunter2", "password: [secret]"),
        ("password=correct horse", "password=[secret] horse"),
        ("passwd hunter2", "passwd [secret]"),
        ('the password was "hunter2"', 'the password was "[secret]"'),
        ("PIN 123456", "PIN [secret]"),
        ("password=b&user=bob", "password=[secret]&user=bob"),
        ("token=bananas", "token=[secret]"),
        ("token=b'bananas'", "token=b'[secret]'"),
        ("Passwort ist hunter2", "Passwort ist [secret]"),
        ("password=&quot;hunter2&quot;", "password=&quot;[secret]&quot;"),
        ('{"name":"API_KEY","value":"abc"}', '{"name":"API_KEY","value":"[secret]"}'),
        ("- name: PASSWORD\n  value: hunter2", "- name: PASSWORD value: [secret]"),
        ("EnvVar{Name:API_KEY,Value:abc }", "EnvVar{Name:API_KEY,Value:[secret] }"),
        ('spec.password: Invalid value: "hunter2": too short', 'spec.password: Invalid value: "[secret]": too short'),
        ('{"password":{"value":"hunter2"}}', '{"password":{"[secret]}}'),
        ('{"password":["hunter2","sesame"]}', '{"password":["[secret]]}'),
        ('Basic "dXNlcjpwYXNz"', 'Basic "[secret]"'),
        ("basic:dXNlcjpwYXNz", "basic:[secret]"),
        ("Basic YTpi", "Basic [secret]"),
        ('bearer "abc"', 'bearer "[secret]"'),
        ('Authorization: Bearer "abc" sent', 'Authorization: [secret]" sent'),
        ("Authorization: Bearer <abc>", "Authorization: [secret]>"),
        ('Authorization: Digest username="anna", nonce="abc" done', "Authorization: [secret] done"),
        ("http://x/eyJhbGciOiJIUzI1NiJ9.e30.x-_/y", "http://x/[secret]/y"),
        ("2026-11-22eyJ000000A000000", "[number][secret]"),
        (f"http://x/?token={TOKEN}&next=/", "http://x/?token=[secret]&next=/"),
        ("https://user:pass@host/x", "https://[secret]@host/x"),
        ("postgres://u:p@ss/w0rd@db/x", "postgres://[secret]@db/x"),
        (f"{PEM} after", "[secret] after"),
        (f"sent {TOKEN}", "sent [secret]"),
        (f"NAME={TOKEN}", "NAME=[secret]"),
        (f"NAME={KEY}", "NAME=[secret]"),
        (f"0x{TOKEN}", "[secret]"),
        (f"{TOKEN[:20]}\n{TOKEN[20:40]}\n{TOKEN[40:]}", "[secret]"),
        ("9f 86 d0 81 88 4c 7d 65 9a 2f ea a0 c5 5a d0 15", "[secret]"),
        (f"key {KEY} here", "key [secret] here"),
        ("data MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC", "data [secret]"),
        ("dXNlcjpwYXNzd29yZA==", "[secret]"),
        (JWT, "[secret]"),
        ("curl -u anna:hunter2 https://x/", "curl -u [secret] https://x/"),
        ("curl --user=anna:hunter2", "curl --user=[secret]"),
        ("curl --proxy-user 'anna:hunter2'", "curl --proxy-user '[secret]'"),
        ("curl --user 'anna:hunter 2' x", "curl --user '[secret]' x"),
        ("curl -u 'anna:hunter 2", "curl -u '[secret]"),
        ("curl -uanna:hunter2 x", "curl -u[secret] x"),
        ("Command '['curl', '-u', 'anna:hunter2', 'x']' failed", "Command '['curl', '-u', '[secret]', 'x']' failed"),
        ('["--user","anna:hunter 2"]', '["--user","[secret]"]'),
        ("Command '['x', '--password', 'hunter 2', '-v']'", "Command '['x', '--password', '[secret]', '-v']'"),
        ('["--api-token","hunter2"]', '["--api-token","[secret]"]'),
        ("proxy anna:hunter2@proxy.shop:3128 refused", "proxy [secret]@proxy.shop:3128 refused"),
        ("PROXY=anna:p@ss@10.0.0.1", "PROXY=[secret]@10.0.0.1"),
        ("<password>hunter2</password>", "<password>[secret]</password>"),
        ('<ns:apiKey type="x">abc def</ns:apiKey>', '<ns:apiKey type="x">[secret]</ns:apiKey>'),
        ("<token>\nabc</token>", "<token> [secret]</token>"),
        ("<secret><![CDATA[abc]]></secret>", "<secret><![CDATA[[secret]</secret>"),
        ("\u0440\u0430sswor\u0501: hunter2", "\u0440\u0430sswor\u0501: [secret]"),
        ("t\u043e\u043a\u0435n=hunter2", "t\u043e\u043a\u0435n=[secret]"),
    ],
)
def test_secrets_go(text: str, left: str) -> None:
    """Tokens, passwords and keys go, whatever announces them."""
    assert left == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        *("ABCD-1EFG", "abcd-1efg", "/pair/ABCD-1EFG", "WXYZ-ABCD", "ABCD\u20111EFG", "A B C D 1 E F G"),
        *("A B C D - 1 E F G", "A-B-C-D-1-E-F-G", "ABCD 1EFG", "code abcd1efg", "pairing code is abcd 1efg"),
        *("code: ABCD1EFG", '{"pairingCode":"ABCD1EFG"}', "ABCD1EFG is the pairing code"),
        *("ABCD - 1EFG", "A\nB\nC\nD\n-\n1\nE\nF\nG", "['A', 'B', 'C', 'D', '1', 'E', 'F', 'G']", '["ABCD", "1EFG"]'),
        *("ABCD_1EFG", "ABCD.1EFG", "ABCD/1EFG", "\u0410\u0412\u0421D-1\u0415FG"),
    ],
)
def test_pairing_codes_go(text: str) -> None:
    """A code goes with and without its dash, in small letters, and spelled."""
    left = redact(text)

    assert "[code]" in left or "[secret]" in left
    assert not any(part in left.upper() for part in ("ABCD", "1EFG", "WXYZ", "D 1", "D-1"))


@pytest.mark.parametrize(
    "text",
    [
        "OutOfMemory: the kernel killed a browser process at 805306 kB",
        "2026-11-22T17:42:00.123Z ERROR page died",
        "2026-11-22 17:35:00,123 +0000",
        "2026-11-22T17:35:00.123Z and 2026-11-22",
        "pod 3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b was evicted",
        "pvc-3f2b8c1e-9d4a-4e6b-8f7a-0c1d2e3f4a5b",
        "no route to 10.244.12.101:8080",
        "fe80::1ff:fe23:4567:890a and 2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "File /opt/app/session_runner/page/launch.py, line 104, in start",
        "net::ERR_NAME_NOT_RESOLVED at https://web.whatsapp.com/",
        "net::ERR_CERT_AUTHORITY_INVALID at https://web.standin.localhost:41234/",
        "Timeout 30000ms exceeded.",
        "exit code 137 after 45.5 s, 805306 bytes",
        "Chromium 156.0.8078.79, page 2.3000.1028401234",
        "resourceVersion 123456",
        f"ghcr.io/x/y@sha256:{TOKEN}",
        "PROFILE_DIR=/profile is held by another runner; end that one first, or give each session its own claim.",
        "TOKEN_DIR=/run/tokens has no file named state with a token; mount the session's Secret there.",
        "WAWebUserPrefsMultiDeviceIsRegisteredLongModuleNameWithoutDigits",
        "whatsapp-session-operator-5d6f7c8b9d-abcde on ip-10-0-12-101.eu-central-1.compute.internal",
        "key_id 20261122t174200-3f2a1b",
        'MountVolume.SetUp failed for volume "tokens" : secret "anna-whatsapp" not found',
        'failed to fetch token: pod "a" not found',
        'secrets "a" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets" in API group ""',
        "read tcp 10.244.0.5:43210->10.96.0.1:443: read: connection reset by peer",
        "Container runner was using 1048576Ki, request is 384Mi, has larger consumption of memory.",
        "rpc error: code = NotFound desc = failed to pull image",
        "[1:1:1122/174200.123456:ERROR:gpu_process_host.cc(123)] GPU process exited: exit_code=34304",
        "[23:45:1122/174200.123456:ERROR:bus.cc(407)] Failed to connect to the bus",
        "WWW-Authenticate says Basic realm=standin1",
        "refused with code a1b2",
        "The token expired; READ-ONLY, node-0001",
        "CVE-2026-1234567 and CVE-2025-12345",
        "chown -u 1000:1000, docker run --user 10001:10001",
        "choose from '--token', '--password', '--token-file'",
        f"registry:5000/team/whatsapp-runner:0.1.0@sha256:{TOKEN}",
        "npm i http://registry:4873/@scope/package registry:4873/@scope/package",
        "mailto:help@example.com, git@example.com:team/repository.git",
        "code 12, 34, 56, 78 and 1,234 bytes",
        "HTTP_1_1_REQUIRED, ERR_HTTP2_PROTOCOL_ERROR, /etc/ssl, UTF8_TEXT",
    ],
)
def test_what_one_searches_for_survives(text: str) -> None:
    """Times, UUIDs, addresses, versions, names, small numbers, and what Kubernetes and the browser say of errors."""
    assert text == redact(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb\r\n\tc\x1b d ", "a b c d"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;aGVsbG8=\x07x", "x"),
        ("a\u202eb\u2066c\u200bd\ufeff", "abcd"),
        ("a\u2028b\x00c", "a b c"),
    ],
)
def test_a_text_is_one_printable_line(text: str, line: str) -> None:
    """What a terminal obeys, what turns the reading direction and what nobody sees is gone."""
    assert line == redact(text)


def test_the_end_of_a_long_text_is_kept() -> None:
    """The last line of a traceback says what happened."""
    redacted = redact("frame " * 1000 + "RuntimeError: no page")

    assert redacted.endswith("RuntimeError: no page")
    assert redacted.startswith("…frame")
    assert len(redacted) <= LONGEST


@pytest.mark.parametrize("longest", range(6, 20))
def test_the_start_of_a_text_ends_with_a_whole_mark(longest: int) -> None:
    """Half of one would be taken for a value."""
    left = redact("token=hunter2 +49 170 1234567", longest=longest, keep="start")

    assert left == redact(left, longest=longest, keep="start")
    assert left in ("token=", "token=[secret]")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22pin:ms",
        "+491701234567Basic dXNlcjpwYXNz",
        "345@c.uswa.me/cookie",
        'token="}\nabc',
        'password: "\nabc',
        "-----BEGIN \nabc",
    ],
)
def test_what_a_redaction_leaves_is_left(text: str) -> None:
    """Also where a mark or a blank now stands beside it."""
    assert redact(text) == redact(redact(text))


def test_a_number_cut_in_two_is_not_half_kept() -> None:
    """Where a long text is cut, no half of a number is left over."""
    text = "+49 170 12345678 " + "x" * 9 + " " + "y" * 20

    assert "…xxxxxxxxx yyyyyyyyyyyyyyyyyyyy" == redact(text, longest=33)


@pytest.mark.parametrize("offset", range(60))
def test_nothing_before_the_cut_is_left_without_its_name(offset: int) -> None:
    """Wherever the text is cut before it is looked at, the value of a name that was cut off goes, too."""
    secrets = "Authorization: Basic sesame +49 171 12 34 567 password: open "

    redacted = redact(secrets + "word " * 200 + "x" * offset, longest=900)

    assert not any(secret in redacted for secret in ("sesame", "open", "567"))


texts = st.one_of(st.text(max_size=200), st.lists(secret_strategies.redaction_pieces(), max_size=20).map("".join))


@given(texts, st.integers(8, 80))
@example("://@000000/0@", 13)
def test_redacting_twice_changes_nothing(text: str, longest: int) -> None:
    """What is redacted stays as it is, else a status would be written again and again; and it is never too long."""
    once = redact(text, longest=longest)

    assert once == redact(once, longest=longest)
    assert len(once) <= longest
    assert once.isprintable()


@given(secret_strategies.secrets(), secret_strategies.surroundings(), secret_strategies.surroundings())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    redacted = redact(f"{before}{secret}{after}")

    assert secret not in redacted
    assert not set(redacted.split()) & {group for group in secret.split() if len(group) > 3}


@given(st.integers(10**9, 10**15), st.text("abc .,;!?\n", max_size=20), st.text("abc .,;!?\n", max_size=20))
def test_no_long_number_survives(number: int, before: str, after: str) -> None:
    """Also beside letters, a number as long as a phone's is gone."""
    assert str(number) not in redact(f"{before}{number}{after}")


@given(st.binary(min_size=6, max_size=60))
def test_no_login_survives_basic(content: bytes) -> None:
    """A login of RFC 7617 after its scheme, whatever it is."""
    login = base64.b64encode(b"user:" + content).decode()

    assert login not in redact(f"refused Basic {login}")


def test_the_end_of_a_key_whose_beginning_was_cut_off_is_redacted() -> None:
    """The line before it, too: it is the key's last one."""
    assert "see: [secret]" == redact("see: bGFzdExpbmVPZkFLZXk=\n-----END PRIVATE KEY-----")
