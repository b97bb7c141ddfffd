"""Serves a GGUF file with llama.cpp's own HTTP server until it is told to stop.

    python3 serve.py FILE --port PORT [--parallel N] [--ctx-size TOKENS] [--batch-size TOKENS] [--no-metrics]

A key that clients must send is read from VLLM_API_KEY.
"""
import argparse
import os
import signal

import xllamacpp


def flags():
    p = argparse.ArgumentParser(allow_abbrev=False)
    p.add_argument("file")
    p.add_argument("--port", type=int, required=True)
    p.add_argument("--parallel", type=int, default=4, help="requests running at a time")
    p.add_argument("--ctx-size", type=int, default=4096, help="tokens of prompt and output of one request")
    p.add_argument("--batch-size", type=int, default=2048, help="tokens of a step")
    p.add_argument("--threads", type=int, default=1, help="threads that compute")
    p.add_argument("--no-metrics", action="store_true", help="do not offer /metrics")
    return p.parse_args()


def parameters(f):
    p = xllamacpp.CommonParams()
    p.model.path = f.file
    p.model_alias = {"tiny"}
    p.hostnames = ["127.0.0.1"]
    p.port = f.port
    p.n_parallel = f.parallel
    p.n_ctx = f.ctx_size * f.parallel  # llama.cpp shares it among the requests
    p.n_batch = f.batch_size
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = f.threads
    p.endpoint_metrics = not f.no_metrics
    p.ui = False
    if key := os.environ.get("VLLM_API_KEY"):
        p.api_keys = [key]
    return p


def main():
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before the server's threads, which inherit it
    server = xllamacpp.Server(parameters(flags()))
    print("listening at", server.listening_address, flush=True)
    signal.sigwait(stop)
    os._exit(0)  # its threads may be in the midst of a request


if __name__ == "__main__":
    main()
