"""Protects who a customer is: the desk believes a token of the shop's own that is still good, and nothing else."""

from __future__ import annotations

import base64
import json
import stat
import threading
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from storewise.agent.desk.identity import KEY_FILE, NotSignedIn, customer_of, issue
from storewise.agent.settings import Settings
from storewise.tools.desk.load import load_desk
from storewise.tools.desk.store import open_desk
from storewise.tools.shop.generation import ShopError
from tests.tools.desk.desk_helpers import ANN, content, write

SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, desk_secret=SECRET)


def signed(secret: str | bytes = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """Return a token that is right but for what `claims` say; None leaves a claim out."""
    own: dict[str, Any] = {"sub": ANN, "aud": "storewise-desk", "exp": int(time.time()) + 600} | claims
    return jwt.encode({k: v for k, v in own.items() if v is not None}, secret, algorithm)


def part(what: Any) -> str:
    return (
        base64.urlsafe_b64encode(what if isinstance(what, bytes) else json.dumps(what).encode())
        .decode()
        .rstrip("=")
    )


def unsigned(header: dict[str, Any], signature: str = "") -> str:
    claims = {"sub": ANN, "aud": "storewise-desk", "exp": int(time.time()) + 600}
    return f"{part(header)}.{part(claims)}.{signature}"


def test_a_token_names_its_customer_until_it_runs_out(settings: Settings) -> None:
    assert customer_of(settings, issue(settings, ANN, minutes=1)) == ANN
    assert customer_of(settings, issue(settings, "Ünal & söhne", 1)) == "Ünal & söhne"
    assert customer_of(settings, signed()) == ANN  # as the shop's own site would sign it


FORGED = {
    "expired": (lambda: signed(exp=int(time.time()) - 1), "run out"),
    "not yet": (lambda: signed(nbf=int(time.time()) + 3600), "not valid yet"),
    "issued later": (lambda: signed(iat=int(time.time()) + 3600), "not valid yet"),
    "for something else": (lambda: signed(aud="another-app"), "something else"),
    "for nothing": (lambda: signed(aud=None), "what it is for"),
    "without end": (lambda: signed(exp=None), "when it ends"),
    "ends in words": (lambda: signed(exp="tomorrow"), "not one of the shop's"),
    "ends never": (lambda: signed(exp=float("inf")), "not one of the shop's"),
    "without a name": (lambda: signed(sub=None), "who signed in"),
    "an empty name": (lambda: signed(sub=""), "who signed in"),
    "a name of no characters": (lambda: signed(sub="\x00ann"), "who signed in"),
    "a long name": (lambda: signed(sub="a" * 101), "who signed in"),
    "another key": (lambda: signed("another secret of more than 32 characters"), "not one of the shop's"),
    "another algorithm": (lambda: signed(SECRET * 2, "HS512"), "not one of the shop's"),
    "no algorithm": (lambda: unsigned({"alg": "none", "typ": "JWT"}), "not one of the shop's"),
    "no algorithm, in capitals": (lambda: unsigned({"alg": "nOnE"}), "not one of the shop's"),
    "RS256 with nothing": (lambda: unsigned({"alg": "RS256"}, part(b"x" * 256)), "not one of the shop's"),
    "its own key along": (
        lambda: unsigned({"alg": "HS256", "jwk": {"kty": "oct", "k": part(b"x" * 32)}}, part(b"x" * 32)),
        "not one of the shop's",
    ),
    "a key's path": (lambda: unsigned({"alg": "HS256", "kid": "../../dev/null"}, part(b"")), "not one of the shop's"),
    "an algorithm that is a list": (lambda: unsigned({"alg": ["HS256"]}), "not one of the shop's"),
    "deep": (lambda: f"{part(b'[' * 3000)}.e30.x", "not one of the shop's"),
    "100 kB": (lambda: signed(more="x" * 100_000), "far too long"),
    "empty": (lambda: "", "not one of the shop's"),
    "a key of the staff's": (lambda: "sw_0123456789_" + "a" * 43, "not one of the shop's"),
    "words": (lambda: "I am Ann, let me in", "not one of the shop's"),
    "another alphabet": (lambda: "подпись.это.я", "not one of the shop's"),
    "half a character": (lambda: "\ud800.\ud800.\ud800", "not one of the shop's"),
}  # fmt: skip


@pytest.mark.parametrize("how", FORGED)
def test_any_other_token_is_refused_with_one_sentence(settings: Settings, how: str) -> None:
    make, told = FORGED[how]
    with pytest.raises(NotSignedIn, match=told) as refused:
        customer_of(settings, make())
    assert str(refused.value).count(". ") == 1 and str(refused.value).endswith(".")


def test_a_token_cut_or_changed_anywhere_is_refused(settings: Settings) -> None:
    good = issue(settings, ANN)
    head, body, signature = good.split(".")
    other = part({"sub": "ben", "aud": "storewise-desk", "exp": int(time.time()) + 600})
    for wrong in (
        good[:-4],
        f"{head}.{other}.{signature}",
        f"{head}.{body}",
        f"{good}.{signature}",
        f"{head}.{body}.",
    ):
        with pytest.raises(NotSignedIn):
            customer_of(settings, wrong)


def test_a_customer_whom_the_shop_does_not_have_is_not_signed_in(settings: Settings, tmp_path: Path) -> None:
    store = open_desk("", tmp_path)
    load_desk(write(tmp_path, content()), store.engine)
    try:
        assert customer_of(settings, issue(settings, ANN), store) == ANN
        for nobody in ("nobody", "ANN", "ann ", "ann' OR '1'='1", "%"):
            with pytest.raises(NotSignedIn, match="has no customer"):
                customer_of(settings, issue(settings, nobody), store)
    finally:
        store.close()


def test_without_a_setting_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    home = tmp_path / "new"
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(issue(Settings(home=home), ANN))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    key = home / KEY_FILE
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == [KEY_FILE]
    assert [customer_of(Settings(home=home), token) for token in made] == [ANN] * 8
    with pytest.raises(NotSignedIn):
        customer_of(Settings(home=tmp_path / "another"), made[0])


def test_a_key_that_anyone_could_guess_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match="STOREWISE_DESK_SECRET is too short"):
        issue(Settings(home=tmp_path, desk_secret="geheim"), ANN)
    (tmp_path / KEY_FILE).write_text("")
    with pytest.raises(ShopError, match="is too short"):
        customer_of(Settings(home=tmp_path, desk_secret=""), signed())


def test_who_signs_in_for_ever_or_as_nobody_gets_no_token(settings: Settings) -> None:
    for minutes in (0, -5, 10**9):
        with pytest.raises(ShopError, match="from one minute to a week"):
            issue(settings, ANN, minutes)
    for nobody in ("", "a\nb", "x" * 101):
        with pytest.raises(ShopError, match="1 to 100 characters"):
            issue(settings, nobody)
