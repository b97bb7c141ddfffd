"""Makes a llama model of random weights, with its tokenizer and chat template in one GGUF file.

    python3 make_gguf.py FILE

The tokenizer is that of the tiny vLLM model (../vllm-cpu/make_model.py) and a special token that ends a text. It needs
the packages gguf and numpy, and writes the same bytes every time.
"""
import pathlib
import sys

import gguf
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vllm-cpu"))
from make_model import CHAT_TEMPLATE, vocabulary  # noqa: E402

LAYERS, HIDDEN, FEED_FORWARD, HEADS, KV_HEADS, VOCABULARY = 2, 256, 512, 4, 2, 8192
CONTEXT = 8192  # positions
END = "<|end|>"
SPREAD = 0.02  # standard deviation of the weights, as models are initialised


def add_tokenizer(writer):
    tokens, merges = vocabulary(VOCABULARY - 1)
    kinds = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens + [END])
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{left} {right}" for left, right in merges])
    writer.add_eos_token_id(VOCABULARY - 1)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_shape(writer):
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(VOCABULARY)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def add_weights(writer):
    random = np.random.default_rng(0)

    def matrix(name, rows, columns):
        writer.add_tensor(name + ".weight", random.normal(0, SPREAD, (rows, columns)).astype(np.float16))

    def norm(name):
        writer.add_tensor(name + ".weight", np.ones(HIDDEN, np.float32))

    kv = HIDDEN // HEADS * KV_HEADS
    matrix("token_embd", VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        block = f"blk.{i}."
        norm(block + "attn_norm")
        matrix(block + "attn_q", HIDDEN, HIDDEN)
        matrix(block + "attn_k", kv, HIDDEN)
        matrix(block + "attn_v", kv, HIDDEN)
        matrix(block + "attn_output", HIDDEN, HIDDEN)
        norm(block + "ffn_norm")
        matrix(block + "ffn_gate", FEED_FORWARD, HIDDEN)
        matrix(block + "ffn_up", FEED_FORWARD, HIDDEN)
        matrix(block + "ffn_down", HIDDEN, FEED_FORWARD)
    norm("output_norm")
    matrix("output", VOCABULARY, HIDDEN)


def main(args):
    if len(args) != 1:
        sys.exit("usage: make_gguf.py FILE")
    writer = gguf.GGUFWriter(args[0], "llama")
    add_shape(writer)
    add_tokenizer(writer)
    add_weights(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1:])
