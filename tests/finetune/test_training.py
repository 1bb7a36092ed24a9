"""Protects the tuning: what is learned is the answer alone, batches lose nothing, a stopped run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storewise.finetune import training
from storewise.finetune.base import unpack_base
from storewise.finetune.examples import Example
from storewise.finetune.training import BATCH_TOKENS, WIDTHS, Recipe, Tokens, batches, chat, tokenize, train

EXAMPLES = [
    Example(
        "call", f"how is customer {number}", f"customer_profile(customer_id={number})", ["customer_profile"]
    )
    for number in range(30)
]


@given(st.lists(st.integers(1, WIDTHS[-1]), max_size=60), st.integers(0, 5))
def test_batches_hold_every_example_once_and_fit(lengths: list[int], seed: int) -> None:
    examples = [Tokens(list(range(length)), 0) for length in lengths]
    made = batches(examples, seed)
    assert sorted(len(e.ids) for batch in made for e in batch) == sorted(lengths)
    for batch in filter(None, made):
        width = training._width(max(len(e.ids) for e in batch))
        assert len(batch) * width <= BATCH_TOKENS


def test_a_follow_up_carries_the_turn_before() -> None:
    before = {"question": "how is 900", "calls": "customer_profile(customer_id=900)"}
    example = Example("call", "and 13?", "customer_profile(customer_id=13)", ["customer_profile"], before)
    assert chat(example)[-1]["content"] == "Before: how is 900 -> customer_profile(customer_id=900)\nand 13?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the base's kind, two layers small, with the base's own tokenizer."""
    import os
    import shutil

    from transformers import AutoConfig, AutoModelForCausalLM

    prepared = os.environ.get("STOREWISE_TEST_MODELS")
    whole = unpack_base(Path(prepared) if prepared else tmp_path_factory.mktemp("models"))
    config = AutoConfig.from_pretrained(str(whole))
    config.num_hidden_layers, config.hidden_size, config.intermediate_size = 2, 72, 96
    config.num_attention_heads, config.num_key_value_heads, config.head_dim = 3, 1, 24
    small = tmp_path_factory.mktemp("small_base")
    AutoModelForCausalLM.from_config(config).save_pretrained(small)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(whole / name, small / name)
    return small


def test_the_loss_is_on_the_answer_alone(base: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(base))
    tokens = tokenize(EXAMPLES[:1], tokenizer)[0]
    assert tokenizer.decode(tokens.ids[tokens.start :]) == EXAMPLES[0].answer + "<|im_end|>"
    assert EXAMPLES[0].question in tokenizer.decode(tokens.ids[: tokens.start])


def test_a_stopped_tuning_goes_on_from_its_checkpoint(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(rank=4, epochs=3)
    work = tmp_path / "work"
    original = training._loss
    calls = 0

    def interrupted(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(base, EXAMPLES, tmp_path / "out", recipe, work)
    assert (work / "state.json").is_file()
    counted = calls
    done = train(base, EXAMPLES, tmp_path / "out", recipe, work)
    assert calls - counted == done["steps"] - 2
    assert (tmp_path / "out" / "adapter_model.safetensors").is_file()
    assert done["examples"] == len(EXAMPLES)
