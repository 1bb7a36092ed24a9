"""The Reviews tab: summaries of many reviews begun, followed and read.

Jobs are begun and ended through the API, as any program does it, so that the same code checks what is asked
and does the work. What is there already is read from the jobs' tables with the API's own views: it can be
read while the API is down, and with it the reviews behind a claim.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from gradio.utils import get_upload_folder
from sqlalchemy.exc import SQLAlchemyError

from storewise.agent import job_views, keys
from storewise.agent.api import ANNOUNCED
from storewise.agent.client import ApiProblem, Client
from storewise.agent.job_store import UNFINISHED, JobStore
from storewise.agent.job_tables import reviews as job_reviews
from storewise.agent.settings import Settings
from storewise.agent.uploads import LARGEST
from storewise.tools.reviews.summary import Review
from storewise.tools.shop.generation import Shop
from storewise.ui import reviews_view as view
from storewise.ui.asked import FAILED, Refused, wanted
from storewise.ui.render import problem

if TYPE_CHECKING:
    from storewise.agent.startup import Startup

log = logging.getLogger(__name__)

LOCAL = "local"  # whom the API takes a program without a key on this machine for
EARLIER = 20  # jobs in the list
MOST_SHOWN = 2000  # summaries on the page; a download has all
WHOLE = 10  # whole reviews shown at once
LINES = 100  # further lines with a problem shown at once
OFFERED = 300  # names proposed while one is typed
MOST_NAMES = 200

STARTING = "What works on summaries is still starting. It is there in a moment."
DOWN = "Nothing works on summaries just now. Start it with: storewise serve"
NO_MODEL = (
    "The language model is not up, so each claim will be told in a customer's own sentence. "
    "Counts, quotes and contradictions do not need it."
)
NO_REVIEWS = "The shop has no reviews of its own. A file of reviews can be summed up all the same."
GONE = "There is no such job here (any more)."
_ENDINGS = (".csv", ".jsonl", ".ndjson")
_JOB = re.compile(r"job_[0-9a-f]{20}")


class Reviews:
    """What the tab asks for; each request says with `do` what it wants, and everything in it is checked."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._lock = threading.Lock()
        self._kept: tuple[Settings, JobStore] | None = None
        self._offered: tuple[Shop, view.Offer] | None = None

    def answer(self, asked: Any) -> dict[str, Any]:
        """Answer the tab; what goes wrong is answered with a sentence under `problem`."""
        known: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "open": self._open,
            "look": self._look,
            "start": self._start,
            "send": self._send,
            "cancel": self._cancel,
            "reviews": self._whole_reviews,
            "lines": self._lines,
        }
        do = wanted(asked, known)
        if do is None:
            return {"problem": problem(FAILED)}
        try:
            return do(asked)
        except Refused as error:
            return {"problem": problem(str(error))}
        except ApiProblem as error:
            return {"problem": problem(str(error) if error.status else self._down())}
        except SQLAlchemyError:
            log.exception("The jobs could not be read")
            return {"problem": problem("The jobs cannot be read just now. See: storewise doctor")}
        except Exception:
            log.exception("The Reviews tab failed")
            return {"problem": problem(FAILED)}

    def file(self, name: str) -> tuple[str, Iterator[str]] | None:
        """Return the type and the pieces of a job's file, such as job_0123456789abcdef0123.csv, if it is there."""
        job_id, _, kind = name.partition(".")
        written = {
            "jsonl": ("application/x-ndjson", job_views.json_lines),
            "csv": ("text/csv; charset=utf-8", job_views.csv_lines),
        }
        if kind not in written or not _JOB.fullmatch(job_id) or self._row(job_id) is None:
            return None
        media, pieces = written[kind]
        return media, pieces(self._store(), job_id)

    # What can be picked, and the jobs so far

    def _open(self, _: dict[str, Any]) -> dict[str, Any]:
        offer = self._offer()
        note, ready = "", True
        try:
            with self._client(timeout=5) as client:
                model = client.health()["model"]
            if model is None and self._startup.settled:
                note = NO_MODEL
        except ApiProblem as error:
            note, ready = str(error) if error.status else self._down(), False
        rows = self._store().listed(self._owner(), EARLIER, None)
        listed = (
            (
                row["job_id"],
                row["state"],
                dt.datetime.fromtimestamp(row["created_at"], dt.UTC),
                json.loads(row["request"]),
            )
            for row in rows
        )
        return {
            "ready": ready,
            "note": problem(note),
            "shop": offer is not None or self._startup.settled,
            "count": 0 if offer is None else offer.reviews,
            "rated": offer is not None and offer.rated,
            "dated": offer is not None and offer.dated,
            "picks": "" if offer is None else view.picks(offer),
            "options": "" if offer is None else view.options(offer),
            "none": problem(NO_REVIEWS) if offer is not None and not offer.reviews else "",
            "jobs": view.jobs(listed),
        }

    def _offer(self) -> view.Offer | None:
        """Return what the loaded shop's reviews can be picked by, None while it is loading."""
        analyst = self._startup.analyst()
        if analyst is None:
            return None
        with self._lock:
            if self._offered is None or self._offered[0] is not analyst.shop:
                self._offered = analyst.shop, _offer_of(analyst.shop)
            return self._offered[1]

    # A job

    def _look(self, asked: dict[str, Any]) -> dict[str, Any]:
        row = self._row(str(asked.get("job")))
        if row is None:
            raise Refused(GONE)
        store = self._store()
        job = job_views.view(store, row)
        shown = min(max(_whole(asked.get("shown")), 1), MOST_SHOWN)
        # Summaries do not change once they are there, so they are sent when there are more of them.
        version = f"{job.job_id} {job.counts.groups_done} {shown}"
        blocks = None
        if version != asked.get("seen"):
            found = [job_views.result(one) for one in store.page(job.job_id, -1, shown)]
            all_open = job.counts.groups <= view.OPEN
            blocks = [
                {"key": f"g{one.number}", "html": view.group(one, all_open or place == 0)}
                for place, one in enumerate(found)
            ]
        return {
            "job": job.job_id,
            "panel": view.panel(job),
            "said": view.said(job),
            "results": blocks,
            "seen": version,
            "more": max(0, min(job.counts.groups_done, MOST_SHOWN) - shown),
            "live": job.state in UNFINISHED,
        }

    def _whole_reviews(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Some whole reviews of a claim, from the `after`th on."""
        row = self._row(str(asked.get("job")))
        places = re.fullmatch(r"(\d{1,9})-(\d{1,4})", str(asked.get("claim")))
        if row is None or places is None:
            raise Refused(GONE)
        number, place = int(places[1]), int(places[2])
        store, after = self._store(), max(_whole(asked.get("after")), 0)
        found = [one for one in store.page(row["job_id"], number - 1, 1) if one["number"] == number]
        summary = job_views.result(found[0]).summary if found else None
        if summary is None or place >= len(summary.claims):
            raise Refused(GONE)
        ids = summary.claims[place].review_ids
        some = ids[after : after + WHOLE]
        wanted = sa.select(job_reviews.c.review_id, job_reviews.c.content).where(
            job_reviews.c.job_id == row["job_id"], job_reviews.c.review_id.in_(some)
        )
        content = {one["review_id"]: one["content"] for one in store.rows(wanted)}
        texts = [Review.model_validate_json(content[key]) for key in some if key in content]
        return {"html": view.reviews(texts), "left": max(0, len(ids) - after - WHOLE)}

    def _lines(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Further lines with a problem."""
        row = self._row(str(asked.get("job")))
        if row is None:
            raise Refused(GONE)
        found = self._store().lines_of(row["job_id"], _whole(asked.get("after")), LINES)
        html = view.lines(job_views.line_views(found), view.kind_of(json.loads(row["request"])))
        return {"html": html, "after": found[-1]["number"] if len(found) == LINES else None}

    # Begin and end

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A job over the shop's reviews."""
        given = asked.get("names") or []
        names = [str(name).strip()[:200] for name in given if str(name).strip()]
        if len(names) > MOST_NAMES:
            raise Refused(f"At most {MOST_NAMES} names at once; start several jobs, or sum up all reviews.")
        offer = self._offer()
        categories = {} if offer is None else {name.casefold(): name for name, _ in offer.categories}
        wanted: dict[str, Any] = {
            "products": [name for name in names if name.casefold() not in categories],
            "categories": [name for name in names if name.casefold() in categories],
        }
        for field in ("rating_min", "rating_max", "sentiment", "since", "until", "group_by", "length"):
            if value := str(asked.get(field) or ""):
                wanted[field] = value[:20]
        if wanted.get("rating_min", "1") > wanted.get("rating_max", "5"):
            raise Refused("The fewest stars are more than the most stars.")
        if wanted.get("since", "0") > wanted.get("until", "9"):
            raise Refused("The first day lies after the last day.")
        with self._client() as client:
            return {"job": client.summarize(idempotency_key=_key(asked), **wanted).job_id}

    def _send(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A job over a file that the browser has sent here."""
        path = Path(str(asked.get("file"))).resolve()
        # The page's own folder of uploads: a request cannot name any other file of the machine.
        if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
            raise Refused("The file did not arrive whole. Send it again.")
        try:
            if path.suffix.lower() not in _ENDINGS:
                raise Refused(
                    f"{path.name} is neither JSON lines nor CSV. Save the reviews as .jsonl or .csv and send that."
                )
            if path.stat().st_size > LARGEST:
                raise Refused(
                    f"{path.name} is larger than {LARGEST // 1024**2} MB. Send it in several files, a job each."
                )
            more: dict[str, Any] = {
                field: str(asked.get(field) or default) for field, default in _FILE.items()
            }
            with self._client() as client:
                return {"job": client.upload(path, idempotency_key=_key(asked), **more).job_id}
        finally:
            path.unlink(missing_ok=True)

    def _cancel(self, asked: dict[str, Any]) -> dict[str, Any]:
        job_id = str(asked.get("job"))
        if not _JOB.fullmatch(job_id):
            raise Refused(GONE)
        with self._client() as client:
            client.cancel(job_id)
        return {}

    # What it rests on

    def _settled(self) -> tuple[Settings, JobStore]:
        with self._lock:
            if self._kept is None:
                settings = Settings()
                self._kept = settings, JobStore(settings.jobs_url, settings.home)
            return self._kept

    def _store(self) -> JobStore:
        return self._settled()[1]

    def _row(self, job_id: str) -> sa.RowMapping | None:
        return self._store().job(job_id, self._owner()) if _JOB.fullmatch(job_id) else None

    def _owner(self) -> str:
        """Return whose jobs are shown: those of whom the API takes this page for."""
        key = os.environ.get("STOREWISE_API_KEY")
        return (keys.check(self._store(), key) if key else None) or LOCAL

    def _client(self, timeout: float = 60.0) -> Client:
        """Return a client of the API that runs for this home.

        Raises:
            ApiProblem: there is none; the status is 0.
        """
        try:
            announced = (self._settled()[0].home / ANNOUNCED).read_text(encoding="utf-8")
            return Client(str(json.loads(announced)["url"]), timeout=timeout)
        except (OSError, ValueError, KeyError):
            raise ApiProblem(0, DOWN) from None

    def _down(self) -> str:
        return DOWN if self._startup.settled else STARTING


_FILE = {"group_by": "product", "length": "medium"}


def _whole(value: Any) -> int:
    """Return a number sent by the page as an int that a database takes, -1 for anything else."""
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        return -1
    return found if -1 <= found < 2**31 else -1


def _key(asked: dict[str, Any]) -> str | None:
    """Return the key under which a request that is sent twice is one job."""
    key = str(asked.get("key"))
    return f"page-{key}" if re.fullmatch(r"[0-9a-zA-Z-]{8,64}", key) else None


def _offer_of(shop: Shop) -> view.Offer:
    if not shop.has("reviews", "review_id", "text"):
        return view.Offer(reviews=0)
    counted = shop.query("SELECT count(*) AS n FROM reviews")

    def names(sql: str) -> tuple[tuple[str, int], ...]:
        return tuple((str(name), int(n)) for name, n in shop.query(sql, [OFFERED]).itertuples(index=False))

    categories: tuple[tuple[str, int], ...] = ()
    products: tuple[tuple[str, int], ...] = ()
    if shop.has("reviews", "category"):
        categories = names(
            "SELECT category, count(*) AS n FROM reviews WHERE category IS NOT NULL "
            "GROUP BY category ORDER BY n DESC, category LIMIT ?"
        )
    if shop.has("reviews", "product_id") and shop.has("products", "product_id", "name"):
        # Products that are called the same are told apart by their ids.
        products = names(
            "SELECT CASE WHEN count(*) OVER (PARTITION BY name) > 1 THEN product_id ELSE name END, n FROM "
            "(SELECT product_id, any_value(p.name) AS name, count(*) AS n FROM reviews "
            "JOIN products p USING (product_id) GROUP BY product_id) ORDER BY n DESC, 1 LIMIT ?"
        )

    def any_known(column: str) -> bool:
        return shop.has("reviews", column) and bool(shop.query(_KNOWN[column])["n"].iloc[0])

    return view.Offer(
        reviews=int(counted["n"].iloc[0]),
        categories=categories,
        products=products,
        rated=any_known("rating"),
        dated=any_known("reviewed_at"),
    )


_KNOWN = {
    "rating": "SELECT count(rating) AS n FROM reviews",
    "reviewed_at": "SELECT count(reviewed_at) AS n FROM reviews",
}
