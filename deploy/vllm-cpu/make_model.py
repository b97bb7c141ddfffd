"""Makes a model folder that vLLM serves with --load-format dummy: a config and a tokenizer, no weights.

    python3 make_model.py tiny|qwen2.5-7b FOLDER

The tokenizer is a synthetic byte-level BPE: the 256 bytes, then pairs of letters, then pairs of pairs, until the
vocabulary is full. So every id decodes to text, any text encodes, and nothing has to be downloaded. It needs the
standard library alone, and writes the same bytes every time.
"""
import itertools
import json
import pathlib
import string
import sys

SHAPES = {
    # Small enough for a laptop's CPU: 2 layers, 5.4 million parameters, most of them in the embeddings.
    "tiny": dict(
        hidden_size=256, intermediate_size=512, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, vocab_size=8192,
        max_position_embeddings=8192),
    # The published shape of Qwen2.5-7B: 7.6 billion parameters, 15.2 GB in bfloat16.
    "qwen2.5-7b": dict(
        hidden_size=3584, intermediate_size=18944, num_hidden_layers=28,
        num_attention_heads=28, num_key_value_heads=4, vocab_size=152064,
        max_position_embeddings=32768),
}

# The end token is the byte "!": random weights choose it as rarely as any other id.
EOS = ord("!")

CHAT_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}")


def byte_alphabet():
    """The 256 characters that stand for the bytes 0 to 255 in byte-level BPE (as in GPT-2): a printable byte stands
    for itself, the others in turn for the characters from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = itertools.count(0x100)
    return [chr(b if b in printable else next(others)) for b in range(256)]


def vocabulary(size):
    """Tokens in the order of their ids, of which the first 256 are the bytes, and the merges (left, right) that build
    all the others."""
    tokens, merges = byte_alphabet(), []
    pairs = [a + b for a, b in itertools.product(string.ascii_letters, repeat=2)]
    space = tokens[ord(" ")]
    rounds = itertools.chain(
        itertools.product(string.ascii_letters, repeat=2),
        itertools.product([space], pairs),
        itertools.product(pairs, repeat=2))
    for left, right in itertools.islice(rounds, size - len(tokens)):
        tokens.append(left + right)
        merges.append((left, right))
    return tokens, merges


def tokenizer(tokens, merges):
    """tokenizer.json in the layout of Hugging Face's tokenizers library."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [list(merge) for merge in merges],
        },
    }


def config(shape):
    """config.json of a Qwen2 model of the given shape."""
    return {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "dtype": "bfloat16", "hidden_act": "silu",
        "attention_dropout": 0.0, "initializer_range": 0.02, "rms_norm_eps": 1e-6, "rope_theta": 1e6,
        "use_sliding_window": False, "tie_word_embeddings": False, "use_cache": True,
        "bos_token_id": None, "eos_token_id": EOS, **shape,
    }


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")


def main(args):
    if len(args) != 2 or args[0] not in SHAPES:
        sys.exit(f"usage: make_model.py {'|'.join(SHAPES)} FOLDER")
    shape, folder = SHAPES[args[0]], pathlib.Path(args[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokens, merges = vocabulary(shape["vocab_size"])
    eos = tokens[EOS]
    write(folder, "config.json", config(shape))
    write(folder, "generation_config.json", {"eos_token_id": EOS})
    write(folder, "tokenizer.json", tokenizer(tokens, merges))
    # unk and bos are null on purpose: left out, Qwen2Tokenizer adds its own, with an id beyond the model's vocabulary.
    write(folder, "tokenizer_config.json", {
        "tokenizer_class": "Qwen2Tokenizer", "model_max_length": shape["max_position_embeddings"],
        "eos_token": eos, "pad_token": eos, "unk_token": None, "bos_token": None, "add_prefix_space": False,
        "clean_up_tokenization_spaces": False, "chat_template": CHAT_TEMPLATE,
    })


if __name__ == "__main__":
    main(sys.argv[1:])
