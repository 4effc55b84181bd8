"""ConvAI2 as a yardstick of replies: its second half in prompts, its words, and its word F1.

The persona of ConvAI2 is a human's, so it is given as the system line that public talks are trained with. Words are
those of the competition's tokenizer: blanks, and . , ; : ! ? apart. Perplexity is per such word of the true reply, as
its `eval_ppl.py` counted, which asks for no end of the reply; F1 is over words in lower case without punctuation and
articles, as ParlAI's metrics have it. Knows no model.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from models.training.choosing import Choice, others
from models.training.public_talks import CONVAI2, LEARNED, Dialogue, about, convai2, plain
from pipelines.errors import UsageError

NAME = "Sam"
_PUNCTUATION = re.compile(r"[!\"#$%&()*+,\-./:;<=>?@\[\]\\^`{|}~_']")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def half(data: Path, second: bool = True) -> list[Dialogue]:
    """Dialogues 501 to 1,000, or 1 to 500. Raises UsageError when the file is not there."""
    path = data / CONVAI2
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; ConvAI2's validation set is shared with ParlAI")
    dialogues = convai2(path)
    return dialogues[LEARNED:] if second else dialogues[:LEARNED]


def messages(dialogue: Dialogue) -> list[dict[str, str]]:
    """The dialogue as chat messages, put together as people type; the second speaker is the assistant."""
    talk = [{"role": "system", "content": about(NAME, dialogue.persona)}]
    said = [plain(text) for text in dialogue.said]
    return talk + [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(said)]


def choices(dialogues: Sequence[Dialogue], count: int, seed: int) -> list[Choice]:
    """`count` replies to be found, drawn from all; the distractors come from all dialogues that are given."""
    chance = random.Random(seed)
    talks = [messages(dialogue) for dialogue in dialogues]
    replies = [[m["content"] for m in talk if m["role"] == "assistant"] for talk in talks]
    places = [(i, at) for i, talk in enumerate(talks) for at in range(2, len(talk), 2)]
    chance.shuffle(places)
    found = []
    for i, at in places[:count]:
        truth = talks[i][at]["content"]
        persona = tuple(plain(sentence) for sentence in dialogues[i].persona)
        said = tuple(m["content"] for m in talks[i][1:at])
        found.append(Choice(tuple(talks[i][:at]), persona, said, (truth, *others(replies, i, truth, chance))))
    return found


def words(text: str) -> list[str]:
    """The words of a reply as the competition counted them."""
    return re.sub(r"(\.\.\.|[.,;:!?])", r" \1 ", text).split()


def word_f1(said: str, truth: str) -> float:
    """Harmonic mean of word precision and recall, 0 to 1."""
    a, b = _bare(said), _bare(truth)
    same = sum((Counter(a) & Counter(b)).values())
    return 2 * same / (len(a) + len(b)) if same else 0.0


def distinct(texts: Sequence[str], n: int = 2) -> float:
    """Different n-grams of words among all n-grams of all texts (Li et al. 2016); falls with the number of texts."""
    found = [tuple(w[i : i + n]) for text in texts for w in [words(text.lower())] for i in range(len(w) - n + 1)]
    return len(set(found)) / len(found) if found else 0.0


def _bare(text: str) -> list[str]:
    return _ARTICLES.sub(" ", _PUNCTUATION.sub(" ", text.lower())).split()
