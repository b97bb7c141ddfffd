"""Makes LoRA adapters of random weights for a model folder, for vLLM's --lora-modules.

    python3 make_lora.py MODEL FOLDER NAME...

MODEL is a folder with a config.json, such as ../vllm-cpu/make_model.py writes; each adapter goes to FOLDER/NAME and adapts
the query and value projections with rank 8. It needs the packages numpy and safetensors, which vLLM brings along.
"""
import json
import pathlib
import sys
import zlib

import numpy as np
from safetensors.numpy import save_file

RANK = 8
# Standard deviation of the weights. It is large because vLLM's dummy weights are tiny: with 0.3 the log probabilities
# of the model "tiny" change in the sixth digit and its text does not; with 3 each adapter has a text of its own.
SPREAD = 3.0


def weights(config, name):
    random = np.random.default_rng(zlib.crc32(name.encode()))  # each adapter its own, the same every time
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    rows = {"q_proj": hidden, "v_proj": hidden // heads * config["num_key_value_heads"]}
    out = {}
    for layer in range(config["num_hidden_layers"]):
        for projection, size in rows.items():
            key = f"base_model.model.model.layers.{layer}.self_attn.{projection}"
            out[key + ".lora_A.weight"] = random.normal(0, SPREAD, (RANK, hidden)).astype(np.float32)
            out[key + ".lora_B.weight"] = random.normal(0, SPREAD, (size, RANK)).astype(np.float32)
    return out


def main(args):
    if len(args) < 3:
        sys.exit("usage: make_lora.py MODEL FOLDER NAME...")
    model = pathlib.Path(args[0]).resolve()
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    for name in args[2:]:
        folder = pathlib.Path(args[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        save_file(weights(config, name), folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(json.dumps({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": str(model), "r": RANK, "lora_alpha": 2 * RANK,
            "lora_dropout": 0.0, "bias": "none", "target_modules": ["q_proj", "v_proj"]}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
