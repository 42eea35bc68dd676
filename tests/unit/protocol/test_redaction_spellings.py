"""Tokens, logins, numbers and codes in the spellings that people, programs and libraries write them in.

Each table is multiplied: every secret of a kind in every spelling of it. What a text says besides is in `test_redaction`.
"""

import base64
import json
import unicodedata

import pytest
from session_protocol.redaction import redact

HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
URL_SAFE = base64.urlsafe_b64encode(bytes.fromhex(HEX)).decode()
KEY = "aB3kZ9qLmN4pR7sT2uVwXyZ0123456789AbCdEfGh+/="
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"

ADDRESSES = (
    *("http://x/?token={}", "http://x/?a=1&token={}&b=2", "http://x/#access_token={}", "http://x/%3Ftoken%3D{}"),
    *("http%3A%2F%2Fx%2F%3Ftoken%3D{}", "/v1/{}", "path/{}/x", "user@{}", "sha256:x{}"),
)
NAMED = (
    *("NAME={}", "NAME='{}'", 'NAME="{}"', "NAME: {}", "--token {}", "--token={}", "-t {}", "--api-key {}"),
    *("X-Api-Key: {}", "Authorization: Bearer {}", "authorization=Bearer%20{}", "Authorization%3A%20Bearer%20{}"),
    *("Bearer%20{}", "Bearer+{}", "bearer:{}", "Cookie: session={}", "Set-Cookie: sid={}; Path=/", "token{}"),
)
ALONE = ("{}", "[{}]", "({})", "<{}>", "`{}`", "{{{}}}", "{}.", "{},", "a:{}", "key-{}", "key_{}")


@pytest.mark.parametrize("spelling", [*ADDRESSES, *NAMED, *ALONE])
@pytest.mark.parametrize("token", [HEX, HEX.upper(), URL_SAFE, KEY, JWT], ids=["hex", "HEX", "url", "base64", "JWT"])
def test_a_token_goes_wherever_it_stands(spelling: str, token: str) -> None:
    """Neither it nor its halves are left."""
    left = redact(spelling.format(token))

    assert token not in left
    assert token[:20] not in left
    assert token[-16:-1] not in left


def _grouped(sign: str, size: int) -> str:
    return sign.join(HEX[at : at + size] for at in range(0, len(HEX), size))


@pytest.mark.parametrize(
    "text",
    [_grouped(sign, size) for sign in ("-", ":", " ") for size in (4, 8, 16) if (sign, size) != (":", 8)]
    + [_grouped(":", 2), _grouped("\n", 16), f"{HEX[:30]}\u200b{HEX[30:]}", f"{HEX[:30]}\xad{HEX[30:]}"]
    + ["\u2060".join(HEX), "".join(chr(ord(sign) + 0xFEE0) for sign in HEX)]
    + [JWT.replace(".", "%2E"), JWT.replace(".", " . ")],
)
def test_a_token_goes_in_pieces(text: str) -> None:
    """In groups, over lines, with marks that nobody sees in it, in wide letters."""
    left = "".join(unicodedata.normalize("NFKC", redact(text)).split())

    assert len(left.replace("[secret]", "").replace("[number]", "").replace("[code]", "")) < 24


@pytest.mark.parametrize(
    "login", ["dXNlcjpwYXNz", "YTpi", "YWRtaW46YWRtaW4=", "dXNlcjpwYXNzd29yZA==", "dXNlcjo=", "Om9ubHk6cGFzcw=="]
)
@pytest.mark.parametrize(
    "spelling",
    [
        *("Basic {}", "basic {}", "BASIC {}", "Authorization: Basic {}", "Proxy-Authorization: Basic {}", "Basic+{}"),
        *("Basic%20{}", "Authorization%3A%20Basic%20{}", '"Authorization":"Basic {}"', "Basic\t{}", "Basic  {}"),
        *("Basic\u00a0{}", "-H 'Authorization: Basic {}'", "Basic={}", "Basic:{}", "auth=Basic {}", "('Basic', '{}')"),
        *(r"Basic\n{}", "Basic, {}", "{{Basic {}}}", "authorization: ['Basic {}']", "basic auth Basic {}"),
    ],
)
def test_a_login_goes_after_its_scheme(spelling: str, login: str) -> None:
    """However short it is, and whatever stands between."""
    assert login not in redact(spelling.format(login))


@pytest.mark.parametrize(
    "spelling", ["{}", "auth: {}", "auth={}", "AUTH={}", "basic auth {}", "basicAuth={}", "_auth={}", "sent {} to it"]
)
@pytest.mark.parametrize("login", ["dXNlcjpwYXNz", "dXNlcjpwYXNzd29yZA==", "YW5uYTpodW50ZXIy"])
def test_a_login_in_base64_is_known_by_what_it_says(spelling: str, login: str) -> None:
    """A name, a colon and a password: no word of a text decodes to that."""
    assert login not in redact(spelling.format(login))
    assert login not in redact(json.dumps({"auths": {"registry": {"auth": spelling.format(login)}}}))


@pytest.mark.parametrize(
    "spelling",
    [
        *("-u user:{}", "--user user:{}", "https://user:{}@h/", "curl -uuser:{} x", "http://user:{}@h:80/x?y"),
        *("//user:{}@h/x", "ftp://user:{}@h", "user:{}@host.example", "login=user:{}", "credentials=user:{}"),
        *("-u=user:{}", "https%3A%2F%2Fuser%3A{}%40host%2F", r"https:\/\/user:{}@h\/", "redis://:{}@h:6379/0"),
        *("--proxy http://user:{}@p:3128", "https://{}@h/x", "https://user:{}%40ss@h/", "https://user:pa:{}@h/"),
        *("username=anna password={}", "user=anna&pass={}", "pwd: {}", "--password {}", "--pass {}", "PASS={}"),
        *("DB_PASS={}", "PGPASSWORD={}", "password is {}", "password -> {}", "password \u2192 {}", "contraseña: {}"),
        *(
            "mot de passe: {}",
            "senha={}",
            "--secret {}",
            "--token {}",
            "--api-key {}",
            "token\u200b={}",
            "to\u200bken={}",
        ),
        *("token\uff1d{}", "token%3D{}", "token%253D{}", r"token\u003d{}", "token&#61;{}", "token&#61{}", "sid={}"),
        *("Cookie: a={}; b=c", "cookie=a=b; c={}", 'set-cookie: ["sid={}; Path=/"]', "cookies: {{'sid': '{}'}}"),
        *("sessionid={}", "session_id: {}", "PHPSESSID={}", "JSESSIONID={}"),
    ],
)
def test_a_password_goes_after_its_name(spelling: str) -> None:
    """A login in an address, a flag of a command line, a form's field, a cookie, a name in another language."""
    for password in ("hunter2", "Sesame"):
        if (password, spelling) != ("Sesame", "password is {}"):  # "password is wrong" has none in it
            assert password not in redact(spelling.format(password))


@pytest.mark.parametrize(
    "number",
    [
        *("+49 171 1234567", "0171/1234567", "49.171.123.45.67", "+1 (555) 222-3333", "1-555-222-3333"),
        *("+33 6 12 34 56 78", "06.12.34.56.78", "+55 11 91234-5678", "(11) 91234-5678", "+91 98765 43210"),
        *("+44 7700 900123", "+86 138 0013 8000", "090-1234-5678", "+972-50-123-4567", "8 (912) 345-67-89"),
        *("+39 320 123 4567", "0812-3456-7890", "+234 803 123 4567", "+52 1 55 1234 5678", "011 49 171 1234567"),
        *("+49(0)171/12 34 567", "+49_171_1234567", "49|171|12345", "49;171;12345", "49\\171\\12345", "49--171--12345"),
        *(
            "4 9 1 7 1 1 2 3",
            "4-9-1-7-1-1-2-3",
            "[4, 9, 1, 7, 1, 1, 2, 3]",
            "4\u200b9\u200b1\u200b7\u200b1\u200b1\u200b2",
        ),
        *(
            "\u06f4\u06f9\u06f1\u06f7\u06f1\u06f1\u06f2",
            "\u2464\u2460\u2461\u2462\u2463\u2464\u2465",
            "\u00b2\u00b3\u00b9\u2074\u2075\u2076\u2077",
        ),
        *("\U0001d7d2\U0001d7d7\U0001d7cf\U0001d7d5\U0001d7cf\U0001d7cf\U0001d7d0", "%34%39%31%37%31%31%32"),
        *(
            json.dumps("\U0001d7d2\U0001d7d7\U0001d7cf\U0001d7d5\U0001d7cf\U0001d7cf\U0001d7d0"),
            r"\064\071\061\067\061\061\062",
        ),
        *(r"\u0034\u0039\u0031\u0037\u0031\u0031\u0032", "%u0034%u0039%u0031%u0037%u0031%u0031%u0032"),
        *(
            r"\u{34}\u{39}\u{31}\u{37}\u{31}\u{31}\u{32}",
            r"\U00000034\U00000039\U00000031\U00000037\U00000031\U00000031\U00000032",
        ),
        *("&#52;&#57;&#49;&#55;&#49;&#49;&#50;", "&#120786;&#120791;&#120783;&#120789;&#120783;&#120783;&#120784;"),
        *("wa.me/491711234567", "wa.me%2F491711234567", "https://api.whatsapp.com/send/?phone=%2B491711234567&text"),
        *(
            "whatsapp://send?phone=491711234567",
            "sms:491711234567",
            "x491711234567y",
            "491711234567.log",
            "0x491711234567",
        ),
        *("491711234567@c.us", "491711234567:3@s.whatsapp.net", "491711234567-1612345678@g.us", "123456789012345@lid"),
        *(
            "123456789012345:7@lid",
            "491711234567%40c.us",
            "491711234567\uff20c.us",
            "491711234567@C.US",
            "491711234567@c\u200b.us",
        ),
        *("120363012345678901@newsletter", "jid:491711234567@hosted", "{'user': '491711234567', 'server': 'c.us'}"),
    ],
)
def test_a_number_goes_in_every_countrys_way(number: str) -> None:
    """With any separators, in the digits of any script, escaped, in a link or an id."""
    assert sum(unicodedata.digit(sign, None) is not None for sign in redact(number)) < 5


@pytest.mark.parametrize("code", ["ABCD-1EFG", "WXYZ-23HJ", "1A2B-3C4D"])
@pytest.mark.parametrize(
    "between",
    [
        *(
            "",
            "-",
            " ",
            "_",
            ".",
            "/",
            ":",
            "|",
            "+",
            "=",
            ",",
            ";",
            "~",
            "#",
            "@",
            "*",
            "--",
            "\u2013",
            "\u2212",
            "%2D",
        ),
        *("%20", "\\u002d", "&#45;", "\u00ad", "\u200b", " - ", "-\n", "\u00b7", "</b>-<b>", "</b><b>", ")("),
    ],
)
def test_a_pairing_code_goes_with_any_separator(code: str, between: str) -> None:
    """In capitals it is known by its form."""
    first, second = code.split("-")
    for text in (f"{first}{between}{second}", f"link with ({first}{between}{second}), please"):
        left = redact(text)

        assert first not in left
        assert second not in left


@pytest.mark.parametrize("between", ["", "-", " ", ".", "|", "/", ",", ", ", "</span><span>"])
@pytest.mark.parametrize("announced", ["pairing code: {}", "{} is the code", "{{'linkCode': '{}'}}"])
@pytest.mark.parametrize("code", ["abcd1efg", "ABCD1EFG", "hjk2mnpq"])
def test_an_announced_code_goes_in_small_letters_and_spelled(code: str, announced: str, between: str) -> None:
    """As the page shows it, each letter in an element of its own."""
    left = redact(announced.format(between.join(code)))

    assert not [sign for sign in "".join(left.split("[")) if sign in code[:4] and between.join(code)[:7] in left]


@pytest.mark.parametrize(
    "text",
    [
        *("abcd1efg", "abcd-1efg", "abcd 1efg", "abcd_1efg", "abcd.1efg", "abcd/1efg", "ab-cd-1e-fg", "abcd - 1efg"),
        *(
            "xk3m9pqr",
            "xk3m-9pqr",
            "xk3m 9pqr",
            "it is xk3m9pqr.",
            "(xk3m-9pqr)",
            '"xk3m9pqr"',
            "wkxzqrtp",
            "a b c d 1 e f g",
        ),
        *("7h2jq4tz", "7h2j-q4tz", "9abcdmnp", "xbc4def7", "mnp2345q"),
    ],
)
def test_a_code_in_small_letters_goes_unannounced(text: str) -> None:
    """No name looks like it."""
    assert "[code]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        *("v1alpha1", "v2beta1", "kernel32", "session1", "node-1234", "http-8443", "grpc8443", "x86-64", "utf8mb4"),
        *("commit 2b35f42a", "dev1 dev2", "need 16gb", "18m9.439s", "web-abcd1efg", "shop/web-7h2jq4tz", "standard"),
        *("k8s.gcr.example/pause", "sha256sum", "base64 data", "test 2 of 9", "took 1234 ms", "eth0 eth1", "ipv4 ipv6"),
        *("runner-7d4b9c6f5-x2x9z", "last seen", "aarch64", "mp4a.40.2", "python3-dev", "h264 main", "fe80::1"),
    ],
)
def test_a_name_in_small_letters_stays(text: str) -> None:
    """Versions, hosts, ports, hashes, generated names."""
    assert text == redact(text)


@pytest.mark.parametrize(
    "pieces", [("49", "171123"), ("1", "555", "0199"), ("+49", "171 123"), ("0049", "(0)171", "12")]
)
@pytest.mark.parametrize(
    "names", [("cc", "in", "ext"), ("countryCode", "areaCode", "number"), ("country_code", "prefix", "line")]
)
@pytest.mark.parametrize(
    "spelling",
    ['"{}": "{}"', "'{}': '{}'", "{}={}", "{}: {}", '"{}":"{}"', "<{0}>{1}</{0}>", '\\"{}\\":\\"{}\\"', "{} => {}"],
)
@pytest.mark.parametrize("between", [", ", ",", "&", "\n", ', "country": "DE", '])
def test_a_number_goes_in_pieces(pieces: tuple[str, ...], names: tuple[str, ...], spelling: str, between: str) -> None:
    """Country code and number in fields of their own: no piece of three digits is left, in either order."""
    fields = [spelling.format(name, piece) for name, piece in zip(names, pieces, strict=False)]
    for some in (fields, fields[::-1]):
        left = redact("{" + between.join(some) + "}")

        assert not [piece for piece in pieces if piece in left and len(piece) > 2], left


@pytest.mark.parametrize(
    "text",
    [
        *(
            '{"phone": ["49", "171", "123"]}',
            '{"phone": {"country": 49, "number": 171123}}',
            "country code: 49, number: 171123",
        ),
        *(
            '{"phoneNumberCountryCode": "49", "phoneNumberNationalNumber": "171123"}',
            "tel=49&tel=171123",
            "mobile: [49, 171123]",
        ),
    ],
)
def test_a_number_in_pieces_goes_under_any_names(text: str) -> None:
    """A list, an object in an object, a prose label, a library's own names."""
    left = redact(text)

    assert "171" not in left
    assert "[number]" in left


@pytest.mark.parametrize(
    "text",
    [
        *(
            '{"exitCode": 137, "line": 104, "number": 12}',
            "code: 49, number: 171123",
            '{"country": "DE", "port": 8080, "uid": 10001}',
        ),
        *(
            "phone 1 of 3, line: 104",
            "country: 49",
            'dial tcp: code=500, prefix: "10.0"',
            "sessions: 12, memory: 805306, cell: 3",
        ),
    ],
)
def test_other_numbers_in_fields_stay(text: str) -> None:
    """Short ones, and those whose names say nothing of a phone."""
    assert text == redact(text)


RAW = bytes.fromhex(HEX)


@pytest.mark.parametrize("key", [RAW, RAW[:16], RAW[::-1], RAW * 2], ids=["32", "16", "reversed", "64"])
@pytest.mark.parametrize("spelling", ["{}", "key {} is wrong", "bytearray({})", '{{"key": {}}}', "KeyError: {}"])
def test_raw_bytes_of_a_key_go(key: bytes, spelling: str) -> None:
    """As Python, C, Go, JSON and JavaScript write them."""
    octal = "".join(f"\\{byte:03o}" for byte in key)
    go = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in key)
    for literal in (
        *(repr(key), repr(repr(key)), f'"{octal}"', f'"{go}"', json.dumps(key.decode("latin-1")), str(list(key))),
        *(json.dumps(list(key)), json.dumps(list(key), separators=(",", ":")), json.dumps(repr(key))),
    ):
        left = redact(spelling.format(literal)).replace("[secret]", "").replace("[number]", "")

        assert len(left) <= len(spelling) + len("bytearray(b'')") + 4, (literal, left)


@pytest.mark.parametrize(
    "text",
    [
        *(
            repr("Grüße aus Köln für Jürgen".encode()),
            repr("你好，世界，今天天气很好".encode()),
            repr("Привет, мир".encode()),
        ),
        *(
            json.dumps("Größenänderung übergeben, Straße, Öl"),
            json.dumps("今日は良い天気ですね"),
            r"C:\\xampp\\x64\\xerces\\x86",
        ),
        *(
            "10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26",
            "columns 80, 24, 132, 43",
            r"\x1b[31mred\x1b[0m",
        ),
    ],
)
def test_encoded_text_stays(text: str) -> None:
    """UTF-8 as bytes, letters as escapes, paths, numbers in order."""
    assert text == redact(text)


@pytest.mark.parametrize(
    "spelling",
    [
        *("user {}", "user: {}", "user={}", "User {}", "user is {}", "with user {} at db", "username {}", "login {}"),
        *("credentials {}", "credentials are {}", "creds={}", "basic {}", "basic auth {}", "auth: {}", "account {}"),
        *(
            "authenticated as {}",
            "logged in as {}",
            '{{"user":"{}"}}',
            "user '{}'",
            'login "{}" was refused',
            "user `{}`.",
        ),
        *("authenticating with {}", "signed in as {}", "Benutzer {}", "(user {})", "basic: {}", "user%20{}"),
    ],
)
@pytest.mark.parametrize("login", ["anna:pw", "anna:hunter2", "anna.b@x:pw", "anna_b:p/w", "a:b", "anna:1234"])
def test_a_login_goes_in_prose(spelling: str, login: str) -> None:
    """A name, a colon, a password, behind a word that says so."""
    left = redact(spelling.format(login))

    assert login not in left
    assert len(login.partition(":")[2]) < 2 or login.partition(":")[2] not in left


@pytest.mark.parametrize(
    "text", ["auth=('anna', 'pw')", 'auth=("anna", "pw")', "login: ['anna', 'pw']", "credentials ('anna','pw')"]
)
def test_a_login_goes_as_a_pair(text: str) -> None:
    """As a library takes it."""
    assert "pw" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        *('User "system:serviceaccount:a:b" cannot get', "user system:anonymous", "User anna: authentication failed"),
        *(
            "login web.whatsapp.com:443 refused",
            "user 1000:1000",
            "login failed: no route",
            "auth error:timeout",
            "user: anna",
        ),
        *("the user https://host/x sees", "account: closed", "basic: realm", "user anna at 12:30", "auth status:401"),
    ],
)
def test_a_user_without_a_password_stays(text: str) -> None:
    """Accounts of Kubernetes, hosts and ports, ids, sentences with a colon."""
    assert text == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "use --token or --password, not both; --token must be a file",
        "| tuned | 34.5 | 27.2 | 46.1 | 107.8 |",
        "AA:BB:CC:11:22:33 is up, en0 and eth1 are not",
        "exit_code=137; signal=9; core dumped: no",
        "auth: required, basic auth is off, oauth=none",
        "the session ids differ, Basic auth failed, login failed",
        "deadbeef-cafe and 5d6f7c8b9d-abcde and node-1-2-3",
        "see --secret-name and --token-file in the reference",
        "at 0x7f3a12b45678 in libnss3.so",
        "café, naïve, Größe: 5 MB",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    """Prose about secrets, addresses of hardware and memory, tables."""
    assert text == redact(text)


def test_two_keys_in_raw_bytes_go_each() -> None:
    """What stands between them stays, and an escape on its own is none."""
    key = "".join(f"\\x{value:02x}" for value in bytes(range(0x80, 0x94)))
    text = redact(f"old {key} was replaced by the other key of today {key} and a \\x00 that ended it by itself here")

    assert "\\x8" not in text
    assert "was replaced by the other key of today" in text
    assert "that ended it by itself here" in text


def test_two_numbers_in_fields_go_each() -> None:
    """Fields that lie far apart are not of one number."""
    far = "x" * 200
    text = redact(f'{{"cc": "49", "number": "17112345678"}} {far} {{"cc": "44", "number": "79112345678"}}')

    assert far in text
    assert "17112345678" not in text
    assert "79112345678" not in text
