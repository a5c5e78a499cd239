"""Times a TTM layer of 1024 -> 4096 (modes 8 x 8 x 16 and 8 x 32 x 16), forward and backward in fp32, and
counts the bytes kept between the two beyond the layer's input and output.

PyTorch takes the input through the cores one after the other ("chain"), or contracts the cores to W first
and multiplies by it ("weight"); autograd does the rest. The programs take turns.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from statistics import median

IN, OUT = (8, 8, 16), (8, 32, 16)


def chain(torch, x, cores):
    state = torch.einsum("tabc,axr->tbcxr", x, cores[0][0])
    state = torch.einsum("tbcxr,rbys->tcxys", state, cores[1])
    return torch.einsum("tcxys,scz->txyz", state, cores[2][..., 0])


def weight(torch, x, cores):
    left = torch.einsum("axr,rbys->abxys", cores[0][0], cores[1])
    w = torch.einsum("abxys,scz->abcxyz", left, cores[2][..., 0])
    return x.reshape(len(x), -1) @ w.reshape(1024, 4096)


VARIANTS = {"chain": chain, "weight": weight}


def worker(variant, options):
    """Answers each line of stdin with a JSON line: the seconds of one pass, and the bytes kept."""
    import torch
    torch.set_num_threads(options.threads)
    bonds = (1, options.rank, options.rank, 1)
    cores = [torch.randn(bonds[k], IN[k], OUT[k], bonds[k + 1], requires_grad=True) for k in range(3)]
    # A result of a layer before this one, as in a model.
    source = torch.zeros(1, requires_grad=True)
    x = (torch.randn(options.tokens, *IN) + source).contiguous()
    dy = None
    for _ in sys.stdin:
        kept = {}

        def pack(tensor):
            kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        start = time.perf_counter()
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            y = VARIANTS[variant](torch, x, cores)
        forward = time.perf_counter() - start
        dy = torch.randn_like(y) if dy is None else dy
        start = time.perf_counter()
        torch.autograd.grad(y, [source, *cores], dy, retain_graph=False)
        seconds = forward + time.perf_counter() - start
        own = {t.untyped_storage().data_ptr() for t in [*cores, x, y]}
        x = (torch.randn(options.tokens, *IN) + source).contiguous()
        print(json.dumps({"seconds": seconds,
                          "kept": sum(size for at, size in kept.items() if at not in own)}), flush=True)


def own_turn(options, environment):
    command = [options.binary, "bench", "linear", "--rank", str(options.rank), "--tokens", str(options.tokens),
               "--steps", "3", "--warmup", "1", "--json"]
    result = json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)
    entry = next(e for e in result["entries"] if e["plan"].startswith("chosen"))
    return {"seconds": entry["forward_seconds"]["median"] + entry["backward_seconds"]["median"],
            "kept": entry["kept_bytes"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rank", type=int, default=72)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options)

    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
    workers = {v: subprocess.Popen([sys.executable, __file__, options.binary, "--worker", v, "--rank",
                                    str(options.rank), "--tokens", str(options.tokens), "--threads",
                                    str(options.threads)],
                                   env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for v in VARIANTS}

    def turn_of(variant):
        workers[variant].stdin.write("\n")
        workers[variant].stdin.flush()
        return json.loads(workers[variant].stdout.readline())

    rounds = []
    for index in range(options.rounds + 1):  # the first warms everything up
        results = {"trainyard": own_turn(options, environment), **{v: turn_of(v) for v in VARIANTS}}
        rounds.append(results)
        print(f"round {index}: " + ", ".join(f"{name} {r['seconds'] * 1e3:.1f} ms"
                                             for name, r in results.items()), file=sys.stderr)
    input_bytes = 4 * 1024 * options.tokens
    print(f"rank {options.rank}, {options.tokens} tokens, {options.threads} threads; kept includes the input")
    for name in rounds[0]:
        ratios = sorted(r[name]["seconds"] / r["trainyard"]["seconds"] for r in rounds[1:])
        kept = rounds[-1][name]["kept"] + input_bytes
        print(f"{name:12}{median(r[name]['seconds'] for r in rounds[1:]) * 1e3:9.1f} ms"
              f"{median(ratios):8.2f}x ({ratios[0]:.2f} .. {ratios[-1]:.2f}){kept / 2**20:10.1f} MiB kept"
              f"{kept / (rounds[-1]['trainyard']['kept'] + input_bytes):8.1f}x")
    for process in workers.values():
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
