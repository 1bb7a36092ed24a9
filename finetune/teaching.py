"""What the adapter says of the reviews' sentences, for the sentiment head to learn from.

    python -m storewise.finetune.teaching --out taught.jsonl
    python -m storewise.tools.reviews.sentiment_training --sentences hutto_ICWSM_2014 --taught taught.jsonl

The adapter tells praise from blame better than the head, at a thirtieth of its pace: too slow for an index.
So it is asked once, its task `polarity`, of the first 4,000 reviews of the demo shop, and the head learns
from its answers beside the sentences that people rated. (The other 1,000 are what the benchmark judges the
stars by.)
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from storewise.finetune.adapter import SHIPPED, AdapterError, merged_model
from storewise.finetune.examples import Example
from storewise.finetune.polarity import BLAME, PRAISE
from storewise.finetune.training import chat
from storewise.tools.registry import analyst_tools
from storewise.tools.reviews.groups import lines_of
from storewise.tools.shop.generation import home, open_shop

REVIEWS = 4000
SHORTEST, LONGEST = 8, 300  # characters of a sentence that teaches
SEED = 7
BATCH = 32
PIECES = 160  # word pieces of a text that the model reads: nine in ten reviews in full

Floats = npt.NDArray[np.float64]


def sentences_of(texts: Sequence[str]) -> list[str]:
    """Return the different sentences of reviews that can teach, in an order that is the same each time."""
    lines = {line.strip() for text in texts for line in lines_of(text)}
    kept = sorted(line for line in lines if SHORTEST <= len(line) <= LONGEST)
    random.Random(SEED).shuffle(kept)
    return kept


def merged_adapter(models: Path) -> tuple[Path, bool]:
    """Return the folder of the shipped adapter merged into its base, and whether it learned `polarity`.

    Raises:
        AdapterError: the adapter does not fit this version of the program.
    """
    folder, manifest = merged_model(SHIPPED, models, analyst_tools())
    return folder, "polarity" in manifest.prompts and bool(manifest.recipe.get("polarity"))


def praise_odds(texts: Sequence[str], folder: Path, progress: Callable[[int], None] | None = None) -> Floats:
    """Return the log-odds of praise of the model in `folder`, asked the task `polarity`."""

    def asked(tokenizer: Any, text: str) -> str:
        said = chat(Example("polarity", text, "", []))
        return str(tokenizer.apply_chat_template(said, add_generation_prompt=True, tokenize=False))

    return log_odds(texts, folder, (PRAISE, BLAME), asked, progress)


def log_odds(
    texts: Sequence[str],
    folder: Path,
    words: tuple[str, str],
    asked: Callable[[Any, str], str],
    progress: Callable[[int], None] | None = None,
) -> Floats:
    """Return by how much the first of `words` is likelier than the second after what is `asked` of each text.

    Both words must be one token; `asked` is given the tokenizer and the text, cut where it is long.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    tokenizer: Any = AutoTokenizer.from_pretrained(str(folder))
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.bfloat16).eval()
    [praise], [blame] = (tokenizer(word)["input_ids"] for word in words)
    direction = model.lm_head.weight[praise] - model.lm_head.weight[blame]
    ids = []
    for text in texts:
        cut = tokenizer.decode(tokenizer(text)["input_ids"][:PIECES])
        ids.append(tokenizer(asked(tokenizer, cut), add_special_tokens=False)["input_ids"])
    scores = np.zeros(len(ids))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        # Few different widths: the CPU's kernels are made anew for each shape.
        width = -(-max(len(ids[i]) for i in batch) // 16) * 16
        tokens = torch.zeros((BATCH, width), dtype=torch.long)
        mask = torch.zeros_like(tokens)
        mask[:, 0] = 1
        for row, i in enumerate(batch):
            tokens[row, : len(ids[i])] = torch.tensor(ids[i])
            mask[row, : len(ids[i])] = 1
        with torch.inference_mode():
            states = model.model(input_ids=tokens, attention_mask=mask).last_hidden_state
            last = torch.stack([states[row, len(ids[i]) - 1] for row, i in enumerate(batch)])
            scores[batch] = (last @ direction).float().numpy()
        if progress is not None:
            progress(start + len(batch))
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Ask the adapter what the reviews' sentences praise or blame."
    )
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    folder, learned = merged_adapter(home() / "models")
    if not learned:
        raise AdapterError(
            "The adapter has not learned praise and blame. Type: storewise tune --polarity 1500"
        )
    texts = open_shop().query("SELECT text FROM reviews ORDER BY review_id LIMIT $most", {"most": REVIEWS})[
        "text"
    ]
    said = sentences_of(texts.tolist())
    odds = praise_odds(said, folder, lambda done: print(f"{done:,} of {len(said):,} sentences", end="\r"))
    lines = [json.dumps({"text": text, "odds": odd}) for text, odd in zip(said, odds.tolist(), strict=True)]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
