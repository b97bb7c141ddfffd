"""Asks the server at URL for one token, and exits 0 when it came: /health alone answers before the first step has run.

    python3 probe.py URL

The key, if the server wants one, is read from VLLM_API_KEY.
"""
import json
import os
import sys
import urllib.request

TIMEOUT = 30  # seconds; the first step of a cold server takes a few


def main(url):
    # No proxy: the server is on this machine whatever http_proxy says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("VLLM_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"

    def get(path, body=None):
        data = json.dumps(body).encode() if body else None
        with opener.open(urllib.request.Request(url + path, data, headers), timeout=TIMEOUT) as reply:
            return reply.read()

    get("/health")
    model = json.loads(get("/v1/models"))["data"][0]["id"]
    reply = json.loads(get("/v1/completions", {"model": model, "prompt": [72], "max_tokens": 1, "ignore_eos": True}))
    if reply["usage"]["completion_tokens"] != 1:
        raise ValueError(f"asked for one token and was told of {reply['usage']}")


try:
    main(sys.argv[1])
except (OSError, ValueError, KeyError, IndexError) as err:
    sys.exit(f"{type(err).__name__}: {err}")
