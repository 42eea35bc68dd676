"""A drawn QR code is read back module by module; a written one is whole and private."""

from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st
from kubectl_whatsapp.drawing import CodeFormat, draw, picture, write
from kubectl_whatsapp.errors import DrawingError
from kubectl_whatsapp.runner import QrCode

PIXELS = {"█": (True, True), "▀": (True, False), "▄": (False, True), " ": (False, False)}
BLACK_ON_WHITE, NORMAL = "\x1b[30;107m", "\x1b[0m"


def modules(drawing: str) -> list[list[bool]]:
    """The drawn pixels, two rows for each line."""
    rows: list[list[bool]] = []
    for line in drawing.split("\n"):
        pairs = [PIXELS[character] for character in line]
        rows += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    return rows


def wanted(text: str) -> list[list[bool]]:
    """The code's modules with a border of two, dark is True."""
    return [[bool(module) for module in row] for row in segno.make_qr(text, error="l").matrix_iter(border=2)]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_colours_draw_the_dark_modules(text: str) -> None:
    """Black on white, whatever the terminal's colours are: the drawing is the code."""
    lines = draw(text, columns=None, colours=True).split("\n")

    assert all(line.startswith(BLACK_ON_WHITE) and line.endswith(NORMAL) for line in lines)
    bare = "\n".join(line.removeprefix(BLACK_ON_WHITE).removesuffix(NORMAL) for line in lines)
    expected = wanted(text)
    assert expected == modules(bare)[: len(expected)]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_without_colours_the_light_modules_are_drawn(text: str) -> None:
    """On a dark screen the blocks are the light part, so that the code is not inverted."""
    expected = [[not module for module in row] for row in wanted(text)]

    assert expected == modules(draw(text, columns=None, colours=False))[: len(expected)]


def test_a_terminal_that_is_too_narrow() -> None:
    """A code that would be broken over lines is not drawn; the message has both widths."""
    with pytest.raises(DrawingError) as caught:
        draw("2@" + "x" * 200, columns=50, colours=True)

    assert "the QR code is 57 columns wide and the terminal has 50: enlarge it" in str(caught.value)


def test_a_real_code_fits_into_80_columns() -> None:
    """What WhatsApp shows has about 240 characters."""
    lines = draw("2@" + "x" * 240, columns=80, colours=False).split("\n")

    assert (61, 31) == (len(lines[0]), len(lines))


@pytest.mark.parametrize(
    ("form", "start"),
    [
        (CodeFormat.PNG, b"\x89PNG"),
        (CodeFormat.SVG, b"<?xml"),
        (CodeFormat.TEXT, b"2@x\n"),
        (CodeFormat.JSON, b'{"text": '),
    ],
)
def test_forms(form: CodeFormat, start: bytes) -> None:
    """Each form is what its name says."""
    assert picture(QrCode(text="2@x", expires=None, round=1), form).startswith(start)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """A file that was there is replaced, and nothing else is left in its folder."""
    target = tmp_path / "code.txt"
    target.write_text("an older and much longer code")

    write(b"2@x\n", target)

    assert [("code.txt", "2@x\n")] == [(path.name, path.read_text()) for path in tmp_path.iterdir()]


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    """What can not be replaced is named, and no half file stays behind."""
    (tmp_path / "code").mkdir()

    with pytest.raises(DrawingError, match="code cannot be written: Is a directory"):
        write(b"2@x\n", tmp_path / "code")

    assert ["code"] == [path.name for path in tmp_path.iterdir()]
