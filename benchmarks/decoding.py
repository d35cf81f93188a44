"""Our beam search beside that of transformers, on the same model: seconds, as ratios, in one run.

The model is a small random BART; its sentences end at different times. Both ways keep keys and values;
what they find is compared. A second table tells what the cache is worth. Seconds are those of one
thread on its processor, so that other work on the machine changes little. Run as
`python benchmarks/decoding.py`; each measurement has a process of its own.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import BartConfig, BartForConditionalGeneration
from transformers.cache_utils import DynamicCache, DynamicLayer, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from companion.beam import beam_search, power
from companion.steps import State, Step

START, END, PAD = 2, 1, 0
SENTENCES, WORDS, REPEATS = 16, 20, 3
Texts = list[tuple[int, ...]]


def bart(
    vocabulary: int = 8000, d_model: int = 256, n_layers: int = 3, *, ending: float = 10.0
) -> BartForConditionalGeneration:
    """Make a random encoder-decoder model; `ending` is added to the logit of the end."""
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=vocabulary,
        d_model=d_model,
        encoder_layers=n_layers,
        decoder_layers=n_layers,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=4 * d_model,
        decoder_ffn_dim=4 * d_model,
        max_position_embeddings=128,
        init_std=0.3,
        pad_token_id=PAD,
        bos_token_id=START,
        eos_token_id=END,
        decoder_start_token_id=START,
        forced_eos_token_id=None,
    )
    model = BartForConditionalGeneration(config).eval()
    # Its output layer is the embeddings, so that a random model says again and again what it said.
    model.lm_head.weight = nn.Parameter(3 * torch.randn(vocabulary, d_model) / d_model**0.5)
    model.final_logits_bias[0, END] = ending
    return model


def sources(sentences: int = SENTENCES, words: int = WORDS, vocabulary: int = 8000) -> Tensor:
    """Draw sentences of different lengths, (sentences, words), filled up with PAD."""
    drawn = torch.Generator().manual_seed(1)
    tokens = torch.randint(3, vocabulary, (sentences, words), generator=drawn)
    lengths = torch.randint(words // 2, words + 1, (sentences, 1), generator=drawn)
    return tokens.masked_fill(torch.arange(words) >= lengths, PAD)


@torch.no_grad()
def begun(model: BartForConditionalGeneration, source: Tensor) -> tuple[Tensor, Tensor]:
    """Read the sources: the encoder's output, and the mask that hides what fills them up."""
    mask = (source != PAD).long()  # (sentences, words)
    return model.get_encoder()(source, mask).last_hidden_state, mask


def cached_step(model: BartForConditionalGeneration) -> Step:
    """Ask a model of transformers for the next token alone; the state is (memory, mask, cache)."""

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        memory, mask, kept = state
        cache = EncoderDecoderCache(*(_cache(kept, part) for part in (0, 1)))
        answer = model(
            decoder_input_ids=tokens[:, None],
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
        )
        parts = (cache.self_attention_cache, cache.cross_attention_cache)
        kept = [[(layer.keys, layer.values) for layer in part.layers] for part in parts]
        return answer.logits[:, -1], (memory, mask, kept)

    return step


def _cache(kept: State, part: int) -> DynamicCache:
    """Put keys and values, (rows, heads, n, d_k), where transformers looks for them."""
    cache = DynamicCache()
    if kept is not None:
        cache.layers = [DynamicLayer() for _ in kept[part]]
        for layer, (keys, values) in zip(cache.layers, kept[part], strict=True):
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
    return cache


def plain_step(model: BartForConditionalGeneration) -> Step:
    """Ask for the next token by reading all of them again; the state is (memory, mask, tokens)."""

    def step(tokens: Tensor, state: State) -> tuple[Tensor, State]:
        memory, mask, text = state
        text = tokens[:, None] if text is None else torch.cat([text, tokens[:, None]], dim=1)
        answer = model(
            decoder_input_ids=text,
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=mask,
            use_cache=False,
        )
        return answer.logits[:, -1], (memory, mask, text)

    return step


def ours(
    model: BartForConditionalGeneration, source: Tensor, width: int, longest: int, *, cache: bool
) -> Texts:
    """Search with our beam search, and return the best text of each sentence."""
    step = cached_step(model) if cache else plain_step(model)
    found = beam_search(
        step,
        torch.full((len(source),), START),
        (*begun(model, source), None),
        end=END,
        width=width,
        longest=longest,
        alpha=1.0,
        penalty=power,
        stopping="likely",
    )
    return [tuple(sentence.hypotheses[0].tokens) for sentence in found]


def theirs(model: BartForConditionalGeneration, source: Tensor, width: int, longest: int) -> Texts:
    """Search with transformers' `generate`, and return the best text of each sentence."""
    texts = model.generate(
        source,
        attention_mask=(source != PAD).long(),
        num_beams=width,
        max_new_tokens=longest,
        do_sample=False,
        length_penalty=1.0,
    )
    return [up_to_end(text[1:].tolist()) for text in texts]


def up_to_end(tokens: list[int]) -> tuple[int, ...]:
    """Cut off what fills a text up: where PAD is 0, `generate` fills with END if there are beams."""
    return tuple(tokens[: tokens.index(END) + 1] if END in tokens else tokens)


WAYS: dict[str, Callable[..., Texts]] = {
    "ours": lambda *x: ours(*x, cache=True),
    "ours, no cache": lambda *x: ours(*x, cache=False),
    "transformers": theirs,
}


def measure(way: str, width: int, longest: int) -> tuple[float, Texts]:
    """Median seconds, and what was found, in a fresh process."""
    command = [sys.executable, __file__, way, str(width), str(longest)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
    seconds, texts = json.loads(result.stdout.splitlines()[-1])
    return seconds, texts


def child(way: str, width: int, longest: int) -> None:
    """Print seconds and texts of one way."""
    model, source = bart(), sources()
    WAYS[way](model, source, width, 4)
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        texts = WAYS[way](model, source, width, longest)
        times.append(time.process_time() - start)
    print(json.dumps([statistics.median(times), texts]))


def main() -> None:
    """Print one line a width, and one a length."""
    print(f"beam search, {SENTENCES} sentences at once, at most 40 tokens")
    print(f"{'width':>6} {'ours s':>8} {'transformers s':>15} {'ratio':>6} {'same texts':>11}")
    for width in (1, 4, 8):
        (a, found), (b, expected) = (measure(way, width, 40) for way in ("ours", "transformers"))
        print(f"{width:>6} {a:>8.2f} {b:>15.2f} {a / b:>6.2f} {found == expected!s:>11}")
    print("with and without a cache, width 4")
    print(f"{'tokens':>6} {'cache s':>8} {'no cache s':>15} {'ratio':>6} {'same texts':>11}")
    for longest in (5, 10, 20):
        (a, found), (b, expected) = (measure(way, 4, longest) for way in ("ours", "ours, no cache"))
        print(f"{longest:>6} {a:>8.2f} {b:>15.2f} {a / b:>6.2f} {found == expected!s:>11}")


if __name__ == "__main__":
    child(sys.argv[1], *map(int, sys.argv[2:4])) if len(sys.argv) > 1 else main()
