"""Who a customer is: a signed token that expires, made by the shop's own sign-in, and never a text.

A token is a JWT (HS256) with `sub` (the customer's id), `aud` (storewise-desk) and `exp`. The shop's site signs it
with the key that STOREWISE_DESK_SECRET holds; without one, a key is made once and kept in the home.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import jwt

from storewise.agent.settings import Settings
from storewise.tools.desk.desk import NoSuchCustomer, plain
from storewise.tools.desk.store import DeskStore
from storewise.tools.shop.generation import ShopError

AUDIENCE = "storewise-desk"
ALGORITHM = "HS256"
KEY_FILE = "desk.key"
SHORTEST_KEY = 32  # bytes, as HS256 wants them
LONGEST_TOKEN = 4096  # characters; nothing longer is even looked at
LONGEST_STAY = 7 * 24 * 60  # minutes


class NotSignedIn(ShopError):
    """A token does not say who its bearer is; the message is a sentence for the customer."""


def issue(settings: Settings, user_id: str, minutes: int = 60) -> str:
    """Return a token that names a customer for so many minutes, a week at most.

    Raises:
        ShopError: the key is too short, or can be neither read nor made.
    """
    if not plain(user_id):
        raise ShopError("A customer's id has 1 to 100 characters that can be printed.")
    if not 1 <= minutes <= LONGEST_STAY:
        raise ShopError("A sign-in lasts from one minute to a week.")
    now = int(time.time())
    claims = {"sub": user_id, "aud": AUDIENCE, "iat": now, "exp": now + 60 * minutes}
    return jwt.encode(claims, _key(settings), ALGORITHM)


def customer_of(settings: Settings, token: str, store: DeskStore | None = None) -> str:
    """Return the customer whom a token names; with `store`, one whom the shop knows.

    Raises:
        NotSignedIn: the token is not right, too old or too new, or the shop has no such customer.
        ShopError: the key is too short, or can be neither read nor made.
        DeskAway: the shop could not be asked.
    """
    key = _key(settings)
    if len(token) > LONGEST_TOKEN:
        raise NotSignedIn("This sign-in is far too long to be one of the shop's. Sign in again.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["exp", "sub", "aud"]},
        )
    except jwt.ExpiredSignatureError:
        raise NotSignedIn("Your sign-in has run out. Sign in again.") from None
    except jwt.ImmatureSignatureError:
        raise NotSignedIn("This sign-in is not valid yet. Sign in again.") from None
    except jwt.InvalidAudienceError:
        raise NotSignedIn("This sign-in is for something else than the desk. Sign in to the shop.") from None
    except jwt.MissingRequiredClaimError as error:
        lacking = {"exp": "when it ends", "sub": "who signed in", "aud": "what it is for"}
        told = lacking.get(error.claim, "all that it must")
        raise NotSignedIn(f"This sign-in does not say {told}. Sign in again.") from None
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise NotSignedIn("This sign-in is not one of the shop's. Sign in again.") from None
    user_id = str(claims["sub"])
    if not plain(user_id):
        raise NotSignedIn("This sign-in does not say who signed in. Sign in again.")
    if store is not None:
        _known(store, user_id)
    return user_id


def check_key(settings: Settings) -> None:
    """Make sure that there is a key, so that a wrong one is told when the desk opens.

    Raises:
        ShopError: the key is too short, or can be neither read nor made.
    """
    _key(settings)


def _known(store: DeskStore, user_id: str) -> None:
    """Refuse a customer whom the shop does not have, or has no longer."""
    try:
        with store.reading(user_id) as desk:
            _ = desk.user
    except NoSuchCustomer:
        raise NotSignedIn("The shop has no customer of this sign-in. Sign in again.") from None


def _key(settings: Settings) -> bytes:
    """Return the key that signs: the setting, or the home's own file, which is made once."""
    if settings.desk_secret:
        return _long_enough(settings.desk_secret.encode(), "STOREWISE_DESK_SECRET")
    path = settings.home / KEY_FILE
    try:
        if not path.is_file():
            _make(path)
        return _long_enough(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise ShopError(
            f"The key of the desk's sign-ins, {path}, can be neither read nor made ({error.strerror}). "
            "Mend that, or set STOREWISE_DESK_SECRET to 32 random characters or more."
        ) from error


def _make(path: Path) -> None:
    """Write a new key that nobody else may read; of two that do at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{KEY_FILE}.{secrets.token_hex(8)}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)


def _long_enough(key: bytes, where: str) -> bytes:
    if len(key) < SHORTEST_KEY:
        raise ShopError(
            f"The key of the desk's sign-ins in {where} is too short. "
            f"It needs {SHORTEST_KEY} random characters or more, as this makes them: openssl rand -hex 32"
        )
    return key
