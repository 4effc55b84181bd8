"""What dynamic int8 costs the reply model, in nats per token of what the companion says in the held-out dialogues.

    python -m models.training.quantisation [--talks 60]

Reads the same talks three times: all in float32; prompt in float32 and reply in int8, as at run time; all in int8.
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

from models import branches
from models.generation import Generator
from models.hub import fetch
from models.prompt import chatml
from models.training.reply import DIALOGUES, held_out, messages, read_talks


def losses(generator: Generator, prompts: list[tuple[str, str]], reader: Any, writer: Any) -> float:
    """Mean loss per token of the replies, the prompt read by one model and the reply by the other."""
    import torch
    from transformers import DynamicCache

    from models.branches import Branches

    total, count = 0.0, 0
    with torch.inference_mode():
        for prompt, reply in prompts:
            head = generator.tokenizer(prompt, add_special_tokens=False).input_ids
            body = generator.tokenizer(reply, add_special_tokens=False).input_ids
            cache = DynamicCache()
            first = reader(input_ids=torch.tensor([head]), past_key_values=cache, use_cache=True).logits[:, -1:]
            branch, rest = Branches([cache], 1, len(body)), []
            for token in body[:-1]:  # one token at a time, as it is written at run time
                step = {"position_ids": branch.positions(), "past_key_values": branch, "branches": branch}
                rest.append(writer(input_ids=torch.tensor([[token]]), **step).logits)
                branch.written += 1
            logits = torch.cat([first, *rest], 1)[0]
            total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(body), reduction="sum"))
            count += len(body)
    return total / count


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talks", type=int, default=60)
    parser.add_argument("--adapter", default="")
    arguments = parser.parse_args()
    adapter = fetch(arguments.adapter) if arguments.adapter else None
    generator = Generator(fetch("smollm2-135m-instruct"), adapter)
    talks = [t for t in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if held_out(t)][: arguments.talks]
    prompts = []
    for talk in talks:
        *before, last = messages(talk, None)
        prompts.append((chatml(before), last["content"] + "<|im_end|>"))
    full, int8 = generator.reader, generator.writer
    per_channel = {torch.nn.Linear: torch.ao.quantization.per_channel_dynamic_qconfig}
    reads_int8 = torch.ao.quantization.quantize_dynamic(copy.deepcopy(full), per_channel)
    ways = (("float32", full, branches.writer(full, int8=False)), ("as at run time", full, int8))
    for name, reader, writer in (*ways, ("all int8", reads_int8, int8)):
        print(f"{name:<16} {losses(generator, prompts, reader, writer):.4f} nats per token, {len(prompts)} replies")


if __name__ == "__main__":
    main()
