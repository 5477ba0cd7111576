import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.platform.csvio import UnreadableTextError, decode, read_csv, write_csv

HEADER = "title;start;site\r\n"
ROW = "Zumba® Grund­kurs für Ältere;18:00;Haus der Begegnung, Größe 5\r\n"


def written(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49 170", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "=cmd|' /C'!A0"]
)
def test_text_that_a_spreadsheet_would_run_is_protected(cell: str) -> None:
    """Row 2-48: a guest's name ran as a formula."""
    assert written(write_csv(["name"], [[cell]]))[1] == ["'" + cell]


@pytest.mark.parametrize(
    ("cell", "stands"),
    [
        ("+31612345678", "+31612345678"),
        ("+31612345678+cmd|' /C calc'!A0", "'+31612345678+cmd|' /C calc'!A0"),
        ("+31-6-12", "'+31-6-12"),
        ("+1", "'+1"),
    ],
)
def test_a_phone_number_is_no_formula(cell: str, stands: str) -> None:
    assert written(write_csv([cell], [])) == [[stands]]


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    content = write_csv(["a", "b", "c"], [[-5, None, "plain"]])
    assert written(content) == [["a", "b", "c"], ["-5", "", "plain"]]
    assert content.startswith(b"\xef\xbb\xbfa,b,c\r\n")


@given(
    st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")), min_size=1)
)
def test_no_written_cell_starts_a_formula(cells: list[str]) -> None:
    for cell in written(write_csv(cells, []))[0]:
        assert cell[:1] not in {"=", "-", "@", "\t", "\r"}
        assert cell[:1] != "+" or (cell[1:].isascii() and cell[1:].isdigit())


def test_what_was_protected_is_read_back_as_it_was() -> None:
    table = read_csv(write_csv(["title", "n"], [['=1+1; "x"', 3], ["O'Neill, Zoë", None]]))
    assert table.header == ("title", "n")
    assert [row.cells for row in table.rows] == [('=1+1; "x"', "3"), ("O'Neill, Zoë", "")]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings_that_spreadsheets_save(encoding: str) -> None:
    text = HEADER + ROW * 3
    table = read_csv(text.encode(encoding))
    assert table.delimiter == ";"
    assert table.rows[0].cells[0].startswith("Zumba®")
    assert table.rows[0].cells[2] == "Haus der Begegnung, Größe 5"


def test_central_european_text_is_told_from_western() -> None:
    text = "název;začátek\r\nCvičení pro začátečníky v tělocvičně;18:00\r\n" * 5
    assert read_csv(text.encode("cp1250")).header == ("název", "začátek")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    text = delimiter.join(["title", "a;b,c" if delimiter not in ";," else '"x"', "z"])
    table = read_csv(f"{text}\n1{delimiter}2{delimiter}3\n".encode())
    assert table.delimiter == delimiter
    assert table.rows[0].cells == ("1", "2", "3")


def test_a_quoted_delimiter_does_not_count() -> None:
    assert read_csv(b'"a,b,c,d";e\n1;2\n').header == ("a,b,c,d", "e")


def test_the_separator_line_of_excel_is_obeyed() -> None:
    assert read_csv(b"sep=;\r\na,b;c\r\n1;2\r\n").header == ("a,b", "c")


def test_rows_know_their_line() -> None:
    table = read_csv(b'a,b\n\n"two\nlines",1\n ,\nx,y\n')
    assert [(row.number, row.cells[0]) for row in table.rows] == [(3, "two\nlines"), (6, "x")]


def test_an_empty_file_is_an_empty_table() -> None:
    assert read_csv(b"").header == ()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\x00b\x00\x00\x00c\x00", b"a" * 200_000])
def test_what_is_not_a_table_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableTextError):
        read_csv(content)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        text, _encoding = decode(content)
    except UnreadableTextError:
        return
    assert "\x00" not in text or b"\x00" in content
