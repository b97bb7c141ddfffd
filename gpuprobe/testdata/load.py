"""A known load on GPU 0, for the live test: python3 load.py copy|gemv|matmul|onoff SECONDS

Prints one line of JSON: when the load began and ended (seconds since 1970), the bytes it moved or the
operations it did by its own count, and the pauses of onoff. Times are taken around CUDA synchronisations.
"""
import json
import sys
import time

import torch

mode, seconds = sys.argv[1], float(sys.argv[2])
gpu = torch.device("cuda:0")
out = {"mode": mode, "bytes": 0.0, "flops": 0.0, "pauses": []}


def prepare():
    """Returns a function that queues about 20 ms of work, and that work's bytes and operations."""
    if mode in ("copy", "onoff"):
        a = torch.empty(2 << 30, dtype=torch.uint8, device=gpu)
        b = torch.empty_like(a)
        return lambda: [b.copy_(a) for _ in range(20)], 20 * 2 * a.numel(), 0
    if mode == "gemv":  # the weights of a decode step at batch 1
        w = [torch.randn(18944, 3584, dtype=torch.bfloat16, device=gpu) for _ in range(80)]
        x = torch.randn(3584, 1, dtype=torch.bfloat16, device=gpu)
        y = torch.empty(18944, 1, dtype=torch.bfloat16, device=gpu)
        graph = torch.cuda.CUDAGraph()
        torch.mm(w[0], x, out=y)
        with torch.cuda.graph(graph):
            for m in w:
                torch.mm(m, x, out=y)
        return lambda: [graph.replay() for _ in range(8)], 8 * sum(m.numel() * 2 for m in w), 0
    n = 8192
    p, q = (torch.randn(n, n, dtype=torch.bfloat16, device=gpu) for _ in range(2))
    r = torch.empty_like(p)
    return lambda: [torch.mm(p, q, out=r) for _ in range(15)], 0, 15 * 2 * n**3


work, nbytes, flops = prepare()
work()
torch.cuda.synchronize()
time.sleep(2)  # the reads before the load see an idle GPU
out["start"] = time.time()
end, pause = out["start"] + seconds, out["start"] + 3
while time.time() < end:
    work()
    torch.cuda.synchronize()
    out["bytes"] += nbytes
    out["flops"] += flops
    if mode == "onoff" and time.time() > pause:
        began = time.time()
        time.sleep(3)
        out["pauses"].append([began, time.time()])
        pause = time.time() + 3
out["end"] = time.time()
print(json.dumps(out), flush=True)
