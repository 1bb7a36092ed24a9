"""`storewise tune`: examples, shortlist, LoRA and manifest, from one command."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from storewise.finetune.adapter import TASK_PROMPTS, Manifest, tool_hash
from storewise.finetune.answers import make_answers
from storewise.finetune.base import NAME, base_hash, chat_template_hash, unpack_base
from storewise.finetune.claims import make_claims
from storewise.finetune.desk_examples import make_desk
from storewise.finetune.desk_shortlisting import NUMBER, train_desk_shortlist
from storewise.finetune.examples import Example, make_examples
from storewise.finetune.polarity import make_polarity
from storewise.finetune.shortlisting import train_shortlist
from storewise.finetune.training import Recipe, train
from storewise.prompts import prompt_hash
from storewise.tools.calls import WrittenCall, read_calls, write_calls
from storewise.tools.registry import analyst_tools
from storewise.tools.shop.generation import Shop, home, open_shop

WISHES = Path(__file__).parent / "wishes"
SEED = 7
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")


def all_examples(shop: Shop, calls: int, answers: int, claims: int, desk: int = 0) -> list[Example]:
    """Return the training examples of all tasks; the same for the same shop and counts."""
    made = [_in_order(example) for example in make_examples(WISHES, shop, calls, SEED)]
    made += [example for example in make_answers(shop, answers, SEED) if _can_be_copied(example)]
    return [*made, *make_claims(shop, claims, SEED), *make_desk(desk, SEED)]


def _in_order(example: Example) -> Example:
    """Return the example with every call's arguments in the order of its tool's schema."""
    before = example.before
    if before is not None:
        before = before | {"calls": _ordered(before["calls"])}
    return replace(example, answer=_ordered(example.answer), before=before)


def _ordered(text: str) -> str:
    tools = analyst_tools()
    calls = [call for call in read_calls(text) if call.name in tools]
    ordered = [
        WrittenCall(c.name, {n: c.args[n] for n in tools[c.name].written_arguments if n in c.args})
        for c in calls
    ]
    return write_calls(ordered) if ordered else text


def _can_be_copied(example: Example) -> bool:
    """Return whether every figure of the answer stands in what the model is shown: it must only copy."""
    shown = set(_FIGURE.findall(f"{example.question} {example.finding_text}"))
    return set(_FIGURE.findall(example.answer)) <= shown


def tune(
    out: Path,
    calls: int,
    answers: int,
    claims: int,
    version: int,
    say: Callable[[str], None],
    polarity: int = 0,
    sentences: Path | None = None,
    desk: int = 0,
) -> dict[str, Any]:
    """Tune the shortlists and the adapter on the current shop's entities and save both in `out`.

    Interrupted, it goes on from its last checkpoint when called again with the same numbers. `polarity` is how
    many examples of praise and blame there are, from the rated `sentences`; `desk` how many of what customers say.

    Returns:
        The recipe as it stands in the manifest.
    """
    shop = open_shop()
    tools = analyst_tools()
    work = home() / "tuning"
    base = unpack_base(home() / "models")
    say("Making the examples …")
    examples = all_examples(shop, calls, answers, claims, desk) + make_polarity(sentences, polarity, SEED)
    say(f"{len(examples):,} examples. Tuning the shortlists …")
    aside = work / "adapter"
    began = time.monotonic()
    # A tool without examples stays a newcomer, known by its description (tools/shortlist.py).
    learned = {
        call.name for example in examples if example.task == "call" for call in read_calls(example.answer)
    }
    shortlist = train_shortlist(examples, [name for name in tools if name in learned], aside, SEED)
    # The desk's shortlist learns in seconds, so it is given more examples than the model.
    desk_shortlist = train_desk_shortlist(make_desk(NUMBER, SEED), aside, SEED)
    shortlist_seconds = round(time.monotonic() - began)
    say(f"The shortlists took {shortlist_seconds} s. Tuning the model …")
    recipe = Recipe()
    done = train(base, examples, aside, recipe, work / "checkpoint")
    manifest = Manifest(
        name="storewise",
        version=version,
        base=NAME,
        base_sha256=base_hash(),
        chat_template_sha256=chat_template_hash(base),
        prompts={task: prompt_hash(*names) for task, names in TASK_PROMPTS.items()},
        tools={name: tool_hash(tool) for name, tool in tools.items()},
        recipe={
            **asdict(recipe),
            "calls": calls,
            "answers": answers,
            "claims": claims,
            "desk": desk,
            "polarity": polarity,
            "examples_seed": SEED,
            "model": done,
            "shortlist": shortlist | {"seconds": shortlist_seconds},
            "desk_shortlist": desk_shortlist,
            "command": f"storewise tune --calls {calls} --answers {answers} --claims {claims} --desk {desk} "
            f"--version {version}"
            + (f" --polarity {polarity} --sentences hutto_ICWSM_2014" if polarity else ""),
        },
    )
    (aside / "manifest.json").write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    for file in aside.iterdir():
        shutil.copy(file, out / file.name)
    shutil.rmtree(work)
    say(f"The adapter is in {out}.")
    return json.loads(json.dumps(manifest.recipe))  # type: ignore[no-any-return]
