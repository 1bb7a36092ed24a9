"""Uploaded reviews: streamed to a file, then read line by line; what is wrong is told by its line.

JSON lines or CSV (UTF-8, with a header) with the columns of the shop's table `reviews`: text
[review_id, rating, product_id, category, reviewed_at]; others are passed over.
"""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from storewise.agent.job_store import Line, Row
from storewise.tools.reviews import screening
from storewise.tools.reviews.summary import Review

Kind = Literal["jsonl", "csv"]
GroupBy = Literal["product", "category", "all"]

LARGEST = 100 * 1024 * 1024  # bytes of an upload
LONGEST_LINE = 1024 * 1024  # bytes
SILENT = 60.0  # seconds without a byte after which a sender counts as gone
LONGEST_TEXT = 20_000  # characters of a review; the longest real one we saw has 8,000
LONGEST_ID = 200
FEW_WORDS = 5  # a text of so many words may well be written by several customers
ALL = "All reviews"

TYPES: dict[str, Kind] = {
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json-lines": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "application/csv": "csv",
}
_ALIASES = {"id": "review_id", "date": "reviewed_at"}
# Control characters but tab and line ends; halves of surrogate pairs, which no file can hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
# How files begin that are often sent instead of text in UTF-8.
_OTHER_FORMS = (
    (re.compile(rb"\x1f\x8b"), "is compressed (gzip). Unpack it and send it again."),
    (
        re.compile(rb"PK\x03\x04"),
        "is an Excel file or a ZIP archive. Save the sheet as CSV (UTF-8), or unpack it.",
    ),
    (
        re.compile(rb"\xff\xfe|\xfe\xff|\x00|.\x00", re.S),
        "is not UTF-8 but UTF-16 or UTF-32. Save it as UTF-8.",
    ),
)
_LIST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")


class UploadError(Exception):
    """The whole upload cannot be taken; the message says what, where and what to do."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Received:
    """A whole upload on disk: its size in bytes and the SHA-256 of its content."""

    path: Path
    kind: Kind
    size: int
    digest: str


def kind_of(content_type: str) -> Kind:
    """Return what a Content-Type stands for.

    Raises:
        UploadError: neither JSON lines nor CSV.
    """
    plain = content_type.split(";")[0].strip().lower()
    if plain not in TYPES:
        said = f"The content type {plain!r} is not known here" if plain else "The upload has no Content-Type"
        raise UploadError(
            415,
            f"{said}. Send JSON lines as application/x-ndjson, or CSV as text/csv, as the request's body, "
            "for example: curl --data-binary @reviews.csv -H 'Content-Type: text/csv' …",
        )
    return TYPES[plain]


async def receive(chunks: AsyncIterator[bytes], kind: Kind, path: Path, announced: int | None) -> Received:
    """Write an upload to `path` as it comes, and return it once it is whole and safely on the disk.

    Raises:
        UploadError: too large, empty, not a table of reviews at all, or its sender has fallen silent.
            Nothing is left on the disk then, nor when the sender goes away.
    """
    too_large = UploadError(
        413, f"The upload is larger than {LARGEST // 1024**2} MB. Send it in several files, a job each."
    )
    if announced is not None and announced > LARGEST:
        raise too_large
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("wb") as file:
            async for chunk in _heard(chunks):
                size += len(chunk)
                if size > LARGEST:
                    raise too_large
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if announced is not None and size != announced:
            raise UploadError(
                400, f"The upload was cut off: {size:,} of {announced:,} bytes came. Send it again."
            )
        if size == 0:
            raise UploadError(400, "The upload is empty. Send a file with a review on each line.")
        _look_at(path, kind)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Received(path, kind, size, digest.hexdigest())


async def _heard(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of a sender who does not fall silent."""
    while True:
        try:
            async with asyncio.timeout(SILENT):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            said = f"No byte came for {SILENT:.0f} s, so the upload was given up. Send it again."
            raise UploadError(408, said) from None
        yield chunk


def _look_at(path: Path, kind: Kind) -> None:
    """Refuse a file that is something else altogether, which would be told line by line otherwise."""
    with path.open("rb") as file:
        first = file.read(1024)
    for form, said in _OTHER_FORMS:
        if form.match(first):
            raise UploadError(422, f"The file {said}")
    if kind == "csv":
        _header(path)
    elif _LIST.match(first):
        raise UploadError(
            422,
            "The file is one JSON list; an object on each line is wanted: jq -c '.[]' FILE > reviews.jsonl",
        )


def _header(path: Path) -> list[str]:
    with path.open("rb") as file:
        first = file.readline(LONGEST_LINE)
    try:
        names = next(csv.reader([first.decode("utf-8-sig")]), [])
    except (UnicodeDecodeError, csv.Error):
        raise UploadError(422, "Line 1, the CSV's header, cannot be read. Save the file as UTF-8.") from None
    found = [_ALIASES.get(name.strip().lower(), name.strip().lower()) for name in names]
    if "text" not in found:
        given = ", ".join(repr(name) for name in names[:10]) or "nothing"
        other = next((mark for mark in (";", "\t", "|") if len(names) == 1 and mark in names[0]), None)
        hint = f" Its columns are parted by {other!r}; save it with commas." if other else ""
        raise UploadError(
            422, f"Line 1, the CSV's header, names {given[:200]}; one column must be called “text”.{hint}"
        )
    doubled = sorted({name for name in found if found.count(name) > 1})
    if doubled:
        raise UploadError(
            422, f"Line 1, the CSV's header, names {doubled[0]!r} twice. Rename one of the columns."
        )
    return found


def read(path: Path, kind: Kind, group_by: GroupBy) -> Iterator[tuple[int, Row | None, Line | None]]:
    """Yield every line that holds something: its number, the review in it and what is to be said of it.

    The file is read once, a line at a time.
    """
    records = _json_lines(path) if kind == "jsonl" else _csv_rows(path)
    for number, record in records:
        if isinstance(record, str):
            yield number, None, Line(number, "bad", record)
        else:
            yield number, *checked(number, record, group_by)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield lines without their ends; None for one that is too long to be read."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            whole = line.endswith(b"\n") or len(line) < LONGEST_LINE
            while not line.endswith(b"\n") and len(line) == LONGEST_LINE:
                line = file.readline(LONGEST_LINE)
            yield number, line if whole else None


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in _lines(path):
        if line is None:
            yield number, f"the line is longer than {LONGEST_LINE // 1024**2} MB"
            continue
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig"), parse_constant=_no_constant)
        except UnicodeDecodeError as error:
            yield number, f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
        except json.JSONDecodeError as error:
            cut = error.pos >= len(line.decode("utf-8-sig").rstrip()) or "Unterminated" in error.msg
            end = "the line ends before its JSON does; was it cut off?" if cut else f"{error.msg.lower()}"
            yield number, f"not JSON at character {error.pos + 1}: {end}"
        except (ValueError, RecursionError) as error:
            yield number, f"not JSON that can be read: {str(error)[:100] or 'too deeply nested'}"
        else:
            if isinstance(record, dict):
                yield number, {_ALIASES.get(str(k).lower(), str(k).lower()): v for k, v in record.items()}
            else:
                yield number, 'not a JSON object such as {"text": "…"}'


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    names = _header(path)
    odd: dict[int, str] = {}

    def decoded() -> Iterator[str]:
        for number, line in _lines(path):
            if line is None:
                odd[number] = f"the line is longer than {LONGEST_LINE // 1024**2} MB"
                yield "\n"
                continue
            text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
            if "\ufffd" in text and "\ufffd".encode() not in line:
                odd[number] = "not UTF-8; save the file as UTF-8"
            yield text

    rows = csv.reader(decoded(), strict=True)
    next(rows, None)
    while True:
        first = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            last = rows.line_num
            span = f"; lines {first:,} to {last:,} were passed over" if last > first else ""
            yield first, f"not CSV ({error}); is a quote opened here and not closed?{span}"
            continue
        wrong = next((odd[line] for line in range(first, rows.line_num + 1) if line in odd), None)
        odd.clear()
        if wrong:
            yield first, wrong
        elif not row:
            continue
        elif len(row) != len(names):
            yield first, f"it has {len(row)} fields where the header has {len(names)}"
        else:
            yield first, dict(zip(names, row, strict=True))


def checked(number: int, record: dict[str, Any], group_by: GroupBy) -> tuple[Row | None, Line | None]:
    """Return the review in a record and what is to be said of it; no review where it cannot be taken."""
    try:
        review, note = _review(number, record)
    except ValueError as error:
        return None, Line(number, "bad", str(error))
    by_product = review.product_id or review.category or ALL
    subject = {"product": by_product, "category": review.category or ALL, "all": ALL}[group_by]
    plain = " ".join(review.text.split())
    own = "" if len(plain.split()) > FEW_WORDS else f"\0{review.review_id}"
    digest = hashlib.sha256(f"{plain}{own}".encode()).hexdigest()
    row = Row(number, review.review_id, subject, digest, review.model_dump_json())
    reason = screening.left_out(review.text)
    if reason is not None:
        return row, Line(number, "left_out", f"{reason}; it is kept as it is and not summarized")
    return row, None if note is None else Line(number, "note", note)


def _review(number: int, record: dict[str, Any]) -> tuple[Review, str | None]:
    text = record.get("text")
    if text is None:
        raise ValueError("there is no “text”")
    if not isinstance(text, str):
        raise ValueError(f"the text is {type(text).__name__}, not words in quotes")
    clean = _clean(text)
    if not clean.strip():
        raise ValueError("the text is empty")
    if len(clean) > LONGEST_TEXT:
        raise ValueError(
            f"the text has {len(clean):,} characters and at most {LONGEST_TEXT:,} are read; "
            "is it several reviews, or was a quote not closed?"
        )
    review = Review(
        review_id=_identifier(record, "review_id") or f"line-{number}",
        text=clean,
        rating=_rating(record.get("rating")),
        date=_date(record.get("reviewed_at")),
        product_id=_identifier(record, "product_id"),
        category=_identifier(record, "category"),
    )
    if screening.to_a_machine(clean):
        return (
            review,
            "it gives orders to a machine; they are read as words of a review and followed by nobody",
        )
    if _CONTROL.search(text) or _SURROGATE.search(text):
        return review, "control characters were taken out of its text"
    if _TAG.search(clean):
        return review, "it holds HTML; the tags are not read"
    return review, None


def _clean(text: str) -> str:
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))


def _identifier(record: dict[str, Any], name: str) -> str | None:
    value = record.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"the {name} is {type(value).__name__}, not text")
    plain = " ".join(_clean(str(value)).split())
    if len(plain) > LONGEST_ID:
        raise ValueError(f"the {name} has {len(plain):,} characters; at most {LONGEST_ID} are taken")
    return plain or None


def _rating(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"the rating is {type(value).__name__}, not a number from 1 to 5")
    try:
        rating = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"the rating is {str(value)[:40]!r}, not a number from 1 to 5") from None
    if not 1 <= rating <= 5:
        raise ValueError(f"the rating is {rating:g}; ratings go from 1 to 5")
    return rating


def _date(value: Any) -> dt.date | None:
    if value is None or value == "":
        return None
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ValueError(f"the date {str(value)[:40]!r} is not written like 2024-03-31") from None
