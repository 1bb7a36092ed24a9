"""Building the review index: reviews are told apart by their hashes, and only what is new is embedded.

A build makes a folder of its own beside the index in use and puts it in its place by one replacement of
`index.json`; killed half-way, it leaves the index as it was.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from storewise.tools.reviews import duplicates, entities, index, new_aspects, phrases, sentiment, store
from storewise.tools.reviews.embedding import Vectors
from storewise.tools.reviews.index import INDEX, Written
from storewise.tools.reviews.ragged import Ints
from storewise.tools.reviews.texts import Progress, Texts, array

if TYPE_CHECKING:
    from storewise.tools.shop.generation import Shop

# What a review has besides its text; a shop may lack each.
OPTIONAL = ("product_id", "category", "rating", "date")
# What all reviews together tell; the same texts tell the same.
OPINIONS = ("entities.parquet", "aspects.json")
HERE = Path(__file__).parent
WORKED_OUT_BY = ("build", "duplicates", "entities", "new_aspects", "phrases", "texts")


@dataclass(frozen=True)
class Built:
    """What a build did: reviews by what happened to them, sentences embedded, near-duplicates among all."""

    added: int
    changed: int
    deleted: int
    kept: int
    embedded: int
    duplicates: int = 0


def read_reviews(shop: Shop) -> pd.DataFrame:
    """Return review_id, text, product_id, category, rating and date, None where the shop has none."""
    shop.require("reviews", "review_id", "text")
    columns = {"product_id": "product_id", "category": "category", "rating": "rating", "date": "reviewed_at"}
    chosen = ", ".join(
        f"{source} AS {name}" if shop.has("reviews", source) else f"NULL AS {name}"
        for name, source in columns.items()
    )
    rows = shop.query(
        f"SELECT review_id, coalesce(text, '') AS text, {chosen} FROM reviews ORDER BY review_id"  # noqa: S608
    )
    rows["date"] = [None if pd.isna(date) else str(date)[:10] for date in rows["date"]]
    for name in ("product_id", "category"):
        rows[name] = [None if pd.isna(value) else str(value) for value in rows[name]]
    rows["rating"] = rows["rating"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    return rows


def build(shop: Shop, folder: Path, progress: Progress | None = None) -> Built:
    """Bring the index in `folder` up to the shop's reviews, embedding only what is new or has changed.

    A folder without an index starts from that of the generation before. Another embedding model, or tone,
    starts from nothing; another model of sentences judges them anew and embeds nothing.

    Raises:
        MissingTable: the shop has no reviews.
        NoIndex: the Chroma server that the setting names does not answer.
    """
    tell = progress or (lambda sentence: None)
    rows = read_reviews(shop)
    rows["text_hash"] = [index.hashed(text) for text in rows["text"]]
    rows["hash"] = [index.hashed(*row) for row in rows[["text", *OPTIONAL]].itertuples(index=False)]
    base = _base(shop, folder)
    old = None if base is None else pd.read_parquet(base.folder / "reviews.parquet")
    if base and old is not None and _same(shop, base, old, rows):
        if base.folder.parent != folder.absolute():
            _take_over(shop, folder, base, old, tell)
        return Built(0, 0, 0, len(rows), embedded=0, duplicates=int(old["duplicate_of"].notna().sum()))
    before = {} if old is None else dict(zip(old["review_id"], old["hash"], strict=True))
    after = dict(zip(rows["review_id"], rows["hash"], strict=True))
    texts, embedded = _texts(rows, base, old, tell)
    copies = put(shop, folder, rows, texts, tell, base)
    added = sum(key not in before for key in after)
    kept = sum(before.get(key) == value for key, value in after.items())
    deleted = sum(key not in after for key in before)
    return Built(added, len(rows) - added - kept, deleted, kept, embedded, copies)


def put(
    shop: Shop, folder: Path, rows: pd.DataFrame, texts: Texts, tell: Progress, base: Written | None = None
) -> int:
    """Write an index of `rows` beside the one in `folder`, put it in its place, and count the near-duplicates.

    Args:
        rows: what `read_reviews` returns, with text_hash and hash.
        texts: what is known of their texts, a row each.
        base: the index whose records in Chroma are to be started from.
    """
    with _aside(folder) as aside:
        rows = _judged(rows, texts)
        tell("Looking for near-duplicates")
        first = duplicates.firsts(rows["text"].tolist(), texts.signatures, _by_date(rows))
        alone = first == np.arange(len(rows))
        rows["duplicate_of"] = rows["review_id"].iloc[first].where(alone == 0, None).to_numpy()
        tell(f"Writing {len(rows):,} reviews into the index")
        opinions = _opinions_of(shop, rows)
        if base and base.opinions == opinions:
            for name in OPINIONS:
                shutil.copyfile(base.folder / name, aside / name)
        else:
            _write_opinions(shop, aside, rows, texts)
        _write_tables(aside, rows, texts)
        ids = rows["text_hash"].to_numpy()[chosen := np.flatnonzero(alone & (texts.lengths > 0))]
        written = _stored(shop, aside, base, ids.tolist(), texts.means[chosen])
        written = replace(written, opinions=opinions)
        _switch(folder, written)
    _tidy(shop, folder, written, base)
    return int((~alone).sum())


def _take_over(shop: Shop, folder: Path, base: Written, old: pd.DataFrame, tell: Progress) -> None:
    """Put an index like `base`, of another generation, into `folder`; `old` are its reviews.

    Its tables are linked, as nothing writes into them; its records may be written to and are its own.
    """
    tell(f"Taking over {len(old):,} reviews, none of which changed")
    with _aside(folder) as aside:
        for path in base.folder.iterdir():
            if path.is_file():
                _linked(path, aside / path.name)
        chosen = _recorded(base.folder, old)
        ids = old["text_hash"].to_numpy()[chosen]
        written = _stored(shop, aside, base, ids.tolist(), array(base.folder, "means")[chosen])
        written = replace(written, opinions=base.opinions)
        _switch(folder, written)
    _tidy(shop, folder, written, base)


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Yield a new folder for a build beside the one in use; it is gone again if the build fails."""
    aside = folder / f"build-{secrets.token_hex(4)}"
    aside.mkdir(parents=True)
    try:
        yield aside
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _linked(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _base(shop: Shop, folder: Path) -> Written | None:
    """Return the index to start from, if the same models read its sentences."""
    previous = shop.manifest.get("previous")
    places = [folder, shop.path.parent / str(previous) / "reviews"] if previous else [folder]
    now = index.made_by()
    for written in filter(None, map(index.written, places)):
        if all(written.made_by.get(name) == now[name] for name in ("format", "embedding", "tone")):
            return written
    return None


def _same(shop: Shop, base: Written, old: pd.DataFrame, rows: pd.DataFrame) -> bool:
    """Say whether an index of `rows` would be `base`: the same reviews, catalogue, models and setting.

    `old` are the reviews of `base`.
    """
    return (
        base.made_by == index.made_by()
        and base.place.url == store.server()
        and all(old[name].tolist() == rows[name].tolist() for name in ("review_id", "hash"))
        and base.opinions == _opinions_of(shop, rows)
    )


def _texts(
    rows: pd.DataFrame, base: Written | None, old: pd.DataFrame | None, tell: Progress
) -> tuple[Texts, int]:
    """Return what is known of all texts, taken from `base` where it knows them, and how many it had to embed."""
    hashes = [] if old is None else old["text_hash"].tolist()
    known = {key: row for row, key in reversed(list(enumerate(hashes)))}
    fresh: dict[str, int] = {}
    new: list[str] = []
    place: list[int] = []
    for key, text in zip(rows["text_hash"], rows["text"], strict=True):
        if key not in known and key not in fresh:
            fresh[key] = len(hashes) + len(new)
            new.append(text)
        place.append(known[key] if key in known else fresh[key])
    made = Texts.of(new, tell)
    before = Texts.load(base.folder, len(hashes)) if base else Texts.of([], tell)
    texts = before.take(np.array(place, dtype=np.int64), made)
    if base and base.made_by != index.made_by():
        tell("Judging the sentences anew")
        texts = texts.judged_anew(rows["text"].tolist())
    return texts, len(made.lines)


def _judged(rows: pd.DataFrame, texts: Texts) -> pd.DataFrame:
    """Return `rows` with the polarity of each review."""
    each = np.split(texts.lines["positive"].to_numpy(), np.cumsum(texts.lengths)[:-1])
    positive = [sentiment.of_review(part) for part in each] if len(rows) else []
    return rows.assign(positive=positive, sentiment=[sentiment.polarity(value) for value in positive])


def _by_date(rows: pd.DataFrame) -> Ints:
    """Return the rows in the order of their dates, those without one last, and of their ids."""
    dates = rows["date"].fillna("9999").astype(str).to_numpy(dtype=np.str_)
    return np.asarray(np.lexsort((np.arange(len(rows)), dates)), dtype=np.int64)


def _write_tables(aside: Path, rows: pd.DataFrame, texts: Texts) -> None:
    texts.save(aside)
    table = phrases.count(texts.said, np.repeat(np.arange(len(rows)), texts.lengths))
    np.savez(
        aside / "phrases.npz",
        stems=np.array(table.stems, dtype=np.str_),
        written=np.array(table.written, dtype=np.str_),
        indices=table.counts.indices,
        starts=table.counts.indptr,
    )
    rows.drop(columns="text").to_parquet(aside / "reviews.parquet", index=False)


def _opinions_of(shop: Shop, rows: pd.DataFrame) -> str:
    """Return a hash of all that `_write_opinions` goes by: the texts, the catalogue, the models and the code."""
    catalogue = shop.manifest.get("fingerprints", {}).get("products")
    return index.hashed(catalogue, json.dumps(index.made_by()), _code(), *rows["text_hash"])


@cache
def _code() -> str:
    """Return a hash of the sources of what works out the tables of an index."""
    return index.hashed(*((HERE / f"{name}.py").read_text(encoding="utf-8") for name in WORKED_OUT_BY))


def _write_opinions(shop: Shop, aside: Path, rows: pd.DataFrame, texts: Texts) -> None:
    """Write what all reviews together tell: what they name, and of which aspects only they speak."""
    review = np.repeat(np.arange(len(rows)), texts.lengths)
    whole = rows["text"].tolist()
    spans = zip(review.tolist(), texts.lines["start"].tolist(), texts.lines["stop"].tolist(), strict=True)
    said = [whole[row][start:stop] for row, start, stop in spans]
    entities.table(said, shop).to_parquet(aside / OPINIONS[0], index=False)
    found = new_aspects.of_lines(said, review, texts.lines)
    (aside / OPINIONS[1]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _stored(shop: Shop, aside: Path, base: Written | None, ids: Sequence[str], vectors: Vectors) -> Written:
    """Write these records into Chroma, and return what is to be noted of the index."""
    url = store.server()
    others = list(_generations(shop))
    owner = next((other.owner for other in [base, *others] if other), secrets.token_hex(4))
    collection = store.COLLECTION
    if url:
        collection = base.place.collection if base and base.place.url else store.new_name(owner)
    place = store.Place(url, collection, aside.absolute())
    sharing = [other for other in others if url and other.place.collection == collection]
    needed = {key for other in sharing for key in _records(other)}
    held = _records(base) if base and not base.place.url else []
    before = base.place if base else None
    store.write(place, before, held, ids, vectors, needed, str(index.made_by()["embedding"]))
    return Written(aside.absolute(), index.made_by(), place, owner)


def _generations(shop: Shop) -> Iterator[Written]:
    """Yield the indexes of the shop's generations."""
    for generation in sorted(shop.path.parent.iterdir()):
        found = index.written(generation / "reviews")
        if found:
            yield found


def _records(written: Written) -> list[str]:
    """Return the ids of an index's records."""
    rows = pd.read_parquet(written.folder / "reviews.parquet", columns=["text_hash", "duplicate_of"])
    return [str(key) for key in rows["text_hash"].to_numpy()[_recorded(written.folder, rows)]]


def _recorded(build: Path, reviews: pd.DataFrame) -> Ints:
    """Return the rows of the reviews that have a record: no copies, and not without a sentence."""
    lines = pd.read_parquet(build / "sentences.parquet", columns=["review"])["review"].to_numpy()
    spoken = np.bincount(lines, minlength=len(reviews)) > 0
    return np.flatnonzero(reviews["duplicate_of"].isna().to_numpy() & spoken)


def _switch(folder: Path, written: Written) -> None:
    """Put a finished build in place."""
    note = folder / f"{INDEX}.new"
    with open(note, "w", encoding="utf-8") as file:
        file.write(written.text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(note, folder / INDEX)


def _tidy(shop: Shop, folder: Path, written: Written, base: Written | None) -> None:
    """Remove what no reader opens any more; the build before stays for those that have it open."""
    kept = {INDEX, written.folder.name, base.folder.name if base else ""}
    for old in folder.iterdir():
        if old.is_dir() and old.name not in kept:
            shutil.rmtree(old, ignore_errors=True)
        elif old.name not in kept:
            old.unlink(missing_ok=True)
    if written.place.url:
        used = {other.place.collection for other in _generations(shop)} | {written.place.collection}
        store.tidy(written.place.url, written.owner, used)
