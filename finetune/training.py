"""LoRA tuning of the embedded base: resumable, with checkpoints, on this CPU or on a GPU.

Method: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022. The loss is taken
on the answers' tokens alone, and only their logits are computed: with 49,152 words in the vocabulary
that is a good part of the time of so small a model.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from storewise.finetune.examples import Example
from storewise.prompts import prompt

# Every batch has as many places, and its rows one of a few widths: the CPU's kernels are made anew for
# each new shape, which took longer than the tuning itself.
BATCH_TOKENS = 960
WIDTHS = (32, 40, 48, 64, 80, 96, 120, 160, 192, 240, 320, 480)
ANSWER_PLACES = 96
ONE_WORD = 2  # tokens of an answer that is one word and the end


@dataclass(frozen=True)
class Recipe:
    """How an adapter is tuned; written into its manifest."""

    rank: int = 16
    alpha: int = 32
    learning_rate: float = 1e-3
    warmup: float = 0.04
    epochs: int = 1
    seed: int = 7


@dataclass(frozen=True)
class Tokens:
    """One example as tokens: the loss is on those from `start` on."""

    ids: list[int]
    start: int


def chat(example: Example) -> list[dict[str, str]]:
    """Return the messages of an example, in the words that the agent will use."""
    if example.task == "call":
        content = example.question
        if example.before is not None:
            content = prompt(
                "call_followup",
                before_question=example.before["question"],
                before_calls=example.before["calls"],
                question=example.question,
            )
    elif example.task == "polarity":
        content = example.question
    elif example.task == "reviews":
        content = prompt("summarize_group", sentences=example.finding_text)
    elif example.task == "desk":
        content = prompt("desk_turn", open=example.opened, asked=example.asked, text=example.question)
    else:
        content = prompt("answer_findings", question=example.question, findings=example.finding_text)
    return [{"role": "system", "content": prompt(example.task)}, {"role": "user", "content": content}]


def tokenize(examples: Iterable[Example], tokenizer: Any) -> list[Tokens]:
    """Return the examples as tokens; one longer than the greatest of WIDTHS is left out."""
    result = []
    for example in examples:
        before = tokenizer.apply_chat_template(chat(example), add_generation_prompt=True, tokenize=False)
        head = tokenizer(before, add_special_tokens=False)["input_ids"]
        tail = tokenizer(example.answer + "<|im_end|>", add_special_tokens=False)["input_ids"]
        if len(head) + len(tail) <= WIDTHS[-1]:
            result.append(Tokens(head + tail, len(head)))
    return result


def batches(examples: Sequence[Tokens], seed: int) -> list[list[Tokens]]:
    """Return batches of BATCH_TOKENS places each, in a seeded random order.

    Examples of like length share a batch: its width is the smallest of WIDTHS that holds them all. Those
    answered in one word have batches of their own: among longer answers their loss would hardly count.
    """
    shuffle = random.Random(seed)
    order = sorted(examples, key=lambda example: (*_kind(example), shuffle.random()))
    result: list[list[Tokens]] = [[]]
    for example in order:
        width, _ = kind = _kind(example)
        if result[-1] and (_kind(result[-1][0]) != kind or len(result[-1]) >= BATCH_TOKENS // width):
            result.append([])
        result[-1].append(example)
    shuffle.shuffle(result)
    return result


def _kind(example: Tokens) -> tuple[int, bool]:
    return _width(len(example.ids)), len(example.ids) - example.start <= ONE_WORD


def _width(length: int) -> int:
    return next(width for width in WIDTHS if width >= length)


def _loss(model: PeftModel, batch: list[Tokens], device: torch.device) -> torch.Tensor:
    width = _width(max(len(example.ids) for example in batch))
    ids = torch.zeros((BATCH_TOKENS // width, width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    mask[:, 0] = 1  # a row that stands empty still attends to something
    answers = torch.zeros(ids.shape, dtype=torch.bool)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        mask[row, : len(example.ids)] = 1
        answers[row, example.start : len(example.ids)] = True
    ids, mask, answers = ids.to(device), mask.to(device), answers.to(device)
    inner: Any = model.base_model.model
    hidden = inner.model(input_ids=ids, attention_mask=mask).last_hidden_state
    states, targets = hidden[:, :-1][answers[:, 1:]], ids[:, 1:][answers[:, 1:]]
    spare = -len(targets) % ANSWER_PLACES
    states = torch.nn.functional.pad(states, (0, 0, 0, spare))
    targets = torch.nn.functional.pad(targets, (0, spare), value=-100)
    return torch.nn.functional.cross_entropy(inner.lm_head(states).float(), targets)


def _rate(step: int, steps: int, recipe: Recipe) -> float:
    warm = max(1, int(steps * recipe.warmup))
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    return recipe.learning_rate * (
        0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
    )


class _Checkpoint:
    """The state of a tuning on disk: tensors in safetensors, the step in JSON, the JSON written last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, model: PeftModel, optimizer: torch.optim.AdamW, step: int, spent: float, key: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"weight.{k}": v.contiguous() for k, v in get_peft_model_state_dict(model).items()}
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        save_file(tensors, self.folder / f"step-{step}.safetensors")
        aside = self.folder / "state.json.partial"
        aside.write_text(json.dumps({"step": step, "seconds": spent, "key": key}))
        aside.replace(self.folder / "state.json")
        for old in self.folder.glob("step-*.safetensors"):
            if old.name != f"step-{step}.safetensors":
                old.unlink()

    def load(self, model: PeftModel, optimizer: torch.optim.AdamW, key: str) -> tuple[int, float]:
        """Return (step, seconds spent) of a run with the same key, (0, 0.0) where there is none."""
        try:
            state = json.loads((self.folder / "state.json").read_text())
        except (OSError, ValueError):
            return 0, 0.0
        if state["key"] != key:
            return 0, 0.0
        tensors = load_file(self.folder / f"step-{state['step']}.safetensors")
        weights = {k.removeprefix("weight."): v for k, v in tensors.items() if k.startswith("weight.")}
        set_peft_model_state_dict(model, weights)
        saved: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("adam."):
                _, index, field = name.split(".", 2)
                saved.setdefault(int(index), {})[field] = value
        optimizer.load_state_dict({"state": saved, "param_groups": optimizer.state_dict()["param_groups"]})
        return int(state["step"]), float(state["seconds"])


def train(base: Path, examples: Sequence[Example], out: Path, recipe: Recipe, work: Path) -> dict[str, Any]:
    """Tune the base on `examples` and save the adapter, half precision, in `out`.

    Checkpoints go to `work` every two minutes, and Ctrl-C leaves the last one there; the same command
    goes on from it.

    Returns:
        What was done: examples, tokens, steps, seconds, the last loss, the arithmetic used.
    """
    logging.disable_progress_bar()
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # bfloat16 pays where the CPU multiplies in it (AMX); elsewhere it is several times slower.
    quick = device.type == "cuda" or torch.cpu._is_amx_tile_supported()
    tokenizer = AutoTokenizer.from_pretrained(str(base))
    plain: Any = AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.float32)
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(plain.to(device), config)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=0.0)

    tokens = tokenize(examples, tokenizer)
    plan = [batch for epoch in range(recipe.epochs) for batch in batches(tokens, recipe.seed + epoch)]
    key = f"{len(tokens)}/{sum(len(t.ids) for t in tokens)}/{len(plan)}/{json.dumps(asdict(recipe))}"
    checkpoint = _Checkpoint(work)
    first, spent = checkpoint.load(model, optimizer, key)
    began = saved = time.monotonic()
    loss_mean = 0.0
    columns = (TextColumn("tuning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("loss {task.fields[loss]:.3f}")) as progress:
        bar = progress.add_task("tune", total=len(plan), completed=first, loss=0.0)
        step = first
        try:
            for step in range(first, len(plan)):
                for group in optimizer.param_groups:
                    group["lr"] = _rate(step, len(plan), recipe)
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=quick):
                    loss = _loss(model, plan[step], device)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                loss_mean = loss.item() if step == first else 0.98 * loss_mean + 0.02 * loss.item()
                progress.update(bar, advance=1, loss=loss_mean)
                if time.monotonic() - saved > 120:
                    saved = time.monotonic()
                    checkpoint.save(model, optimizer, step + 1, spent + saved - began, key)
        except KeyboardInterrupt:
            checkpoint.save(model, optimizer, step, spent + time.monotonic() - began, key)
            raise
    seconds = spent + time.monotonic() - began
    _save_adapter(model, out)
    return {
        "examples": len(tokens),
        "tokens": sum(len(example.ids) for example in tokens),
        "steps": len(plan),
        "seconds": round(seconds),
        "loss": round(loss_mean, 4),
        "arithmetic": "bfloat16 autocast" if quick else "float32",
    }


def _save_adapter(model: PeftModel, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    weights = {name: value.half().contiguous() for name, value in get_peft_model_state_dict(model).items()}
    save_file(weights, out / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.peft_config["default"].to_dict()
    config["base_model_name_or_path"] = ""
    config["inference_mode"] = True
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    (out / "adapter_config.json").write_text(json.dumps(plain, indent=1, default=str) + "\n")
