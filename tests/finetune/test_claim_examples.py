"""Training examples of what reviews say: repeatable, of this shop's words, and held-out claims stay out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from storewise.finetune.claims import OPINIONS, held_out, make_claims, read_written
from storewise.finetune.training import chat
from storewise.tools.shop.generation import Shop, building


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with made-up reviews under the ids that the written claims tell of."""
    rows = [
        json.loads(line) for line in (OPINIONS / "written.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    lines: dict[str, dict[int, str]] = {}
    for row in rows:
        for place in row["lines"]:
            key, _, number = place.partition(":")
            lines.setdefault(key, {})[int(number)] = row["claim"]
    texts = {
        key: "\n".join(said.get(number, "Nothing else.") for number in range(max(said) + 1))
        for key, said in lines.items()
    }
    frame = pd.DataFrame({"review_id": list(texts), "text": list(texts.values())})
    with building(tmp_path_factory.mktemp("shop")) as builder:
        builder.connection.register("given", frame)
        builder.connection.execute("CREATE TABLE reviews AS SELECT * FROM given")
        builder.connection.unregister("given")
        return builder.seal(name="Test", as_of=dt.date(2017, 12, 31), source="here", provenance={}, notes={})


def test_examples_are_as_many_as_asked_and_the_same_again(shop: Shop) -> None:
    examples = make_claims(shop, 300, 7)
    assert len(examples) == 300
    assert examples == make_claims(shop, 300, 7)
    assert examples != make_claims(shop, 300, 8)
    assert {example.task for example in examples} == {"reviews"}


def test_a_model_is_asked_as_the_product_asks_it(shop: Shop) -> None:
    example = make_claims(shop, 1, 7)[0]
    system, user = (message["content"] for message in chat(example))
    assert "data" in system
    assert user.startswith("- ") and example.finding_text in user


def test_held_out_claims_are_not_learned(shop: Shop) -> None:
    kept = {one.claim for one in held_out(shop)}
    learned = {one.claim for one in read_written(shop) if not one.held_out}
    said = {example.answer for example in make_claims(shop, 400, 7)}
    assert kept and not (kept - learned) & said


def test_made_up_claims_name_what_their_sentences_name() -> None:
    first, *blocks = map(json.loads, (OPINIONS / "made_up.jsonl").read_text(encoding="utf-8").splitlines())
    for block in blocks:
        assert block["things"] in first["things"]
        assert block["claims"] and len(block["said"]) >= 2
        if any("{thing}" in claim for claim in block["claims"]):
            assert any("{thing}" in line for line in block["said"]), block["claims"]


def test_no_review_text_is_shipped() -> None:
    for line in (Path(OPINIONS) / "written.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        assert set(row) == {"lines", "claim"}
        assert all(place.count(":") == 1 and len(place) < 12 for place in row["lines"])
        assert len(row["claim"].split()) <= 25
