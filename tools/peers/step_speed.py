"""Times whole training steps (forward, backward, clipping, AdamW) of trainyard and of PyTorch.

The programs take turns, A B C A B C ..., so that what else the machine does meets all of them. Each
turn is a few timed steps after warm-up; PyTorch keeps one process per variant that waits between its
turns. A round counts as quiet if other processes used less than --quiet cores in all of its turns;
more rounds follow, up to the time limit, until enough were quiet.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from statistics import median

import yaml

VARIANTS = {"eager": "PyTorch eager", "fused": "PyTorch eager, fused AdamW",
            "compile": "torch.compile, fused AdamW"}


def worker(variant, options, job):
    """Answers each line "warm-up steps" on stdin with a JSON line of the timed steps' seconds."""
    import torch
    from gpt2 import Gpt2
    torch.set_num_threads(options.threads)
    on_card = options.device == "cuda"
    shape, data, optim = job["model"], job["data"], job["optim"]
    model = Gpt2(*(shape[key] for key in ("layers", "width", "heads", "context", "vocab"))).to(options.device)
    adamw = torch.optim.AdamW(model.groups(optim["weight_decay"]), lr=float(optim["lr"]), betas=optim["betas"],
                              fused=variant != "eager")
    run = torch.compile(model) if variant == "compile" else model

    def step():
        ids = torch.randint(shape["vocab"], (2, data["batch"], data["sequence"]), device=options.device)
        start = time.perf_counter()
        adamw.zero_grad()
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.dtype == "bf16"):
            loss = run(ids[0], ids[1])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim["clip"])
        adamw.step()
        if on_card:
            torch.cuda.synchronize()
        return time.perf_counter() - start

    for line in sys.stdin:
        warmup, steps = map(int, line.split())
        seconds = [step() for _ in range(warmup + steps)][warmup:]
        peak = (torch.cuda.max_memory_allocated() if on_card
                else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        print(json.dumps({"seconds": median(seconds), "rss": peak}), flush=True)


def cpu_seconds(pid):
    """CPU time of a process and of its children that have ended."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """CPU time of the whole machine, time that the hypervisor took included."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Race:
    def __init__(self, options):
        self.options = options
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads))
        with open(options.config) as file:
            self.job = yaml.safe_load(file)
        for override in options.overrides:  # section.key=value, as trainyard takes them
            key, _, value = override.partition("=")
            section, _, name = key.partition(".")
            self.job.setdefault(section, {})[name] = yaml.safe_load(value)
        self.workers = {v: self.start_worker(v) for v in options.variants}

    def start_worker(self, variant):
        command = [sys.executable, __file__, self.options.binary, self.options.config,
                   "--worker", variant, "--threads", str(self.options.threads),
                   "--device", self.options.device, "--dtype", self.options.dtype]
        process = subprocess.Popen(command, env=self.environment, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        process.stdin.write(json.dumps(self.job) + "\n")
        return process

    def turn_of(self, variant):
        process, o = self.workers[variant], self.options
        process.stdin.write(f"{o.warmup} {o.steps}\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def own_turn(self):
        o = self.options
        command = [o.binary, "bench", "step", o.config, *o.overrides, f"run.device={o.device}",
                   f"precision.compute={o.dtype}", "--json", "--warmup", str(o.warmup), "--steps", str(o.steps)]
        result = json.loads(subprocess.run(command, env=self.environment, check=True,
                                           stdout=subprocess.PIPE).stdout)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        return dict(result, seconds=result["step_seconds"]["median"], rss=peak)

    def watched(self, turn, *arguments):
        """A turn's result with the cores that other processes used meanwhile."""
        pids = [os.getpid()] + [w.pid for w in self.workers.values()]
        start, busy, own = time.time(), busy_seconds(), sum(map(cpu_seconds, pids))
        result = turn(*arguments)
        foreign = busy_seconds() - busy - (sum(map(cpu_seconds, pids)) - own)
        return dict(result, foreign=max(0.0, foreign / (time.time() - start)))

    def round(self):
        results = {"trainyard": self.watched(self.own_turn)}
        for variant in self.workers:
            results[variant] = self.watched(self.turn_of, variant)
        return results


def report(race, rounds, quiet):
    data, count = race.job["data"], race.job["data"]["batch"] * race.job["data"]["sequence"]
    used = quiet if len(quiet) >= 3 else rounds
    o = race.options
    print(f"{data['batch']} x {data['sequence']} tokens, {o.threads} threads, {o.device}, {o.dtype}; {len(quiet)} of "
          f"{len(rounds)} rounds quiet; these figures are of {'those' if used is quiet else 'all'}")
    print(f"{'':28}tokens/s (least .. most)   trainyard is x times as fast")
    for name in ["trainyard", *race.workers]:
        rates = sorted(count / r[name]["seconds"] for r in used)
        ratios = sorted(r[name]["seconds"] / r["trainyard"]["seconds"] for r in used)
        print(f"{VARIANTS.get(name, name):28}{median(rates):6.1f} ({rates[0]:.1f} .. {rates[-1]:.1f})"
              f"{median(ratios):15.2f} ({ratios[0]:.2f} .. {ratios[-1]:.2f})")
    foreign = sorted(max(r[name]["foreign"] for name in r) for r in used)
    print(f"cores that other processes used: median {median(foreign):.2f}, most {foreign[-1]:.2f}")
    own, mib = used[-1]["trainyard"], 1 / 2**20
    print(f"trainyard's GEMM ceiling: median "
          f"{median(r['trainyard']['gemm_ceiling_flops_per_second'] for r in used) / 1e9:.0f} GFLOP/s; "
          f"step: {own['matrix_flops'] / median(r['trainyard']['seconds'] for r in used) / 1e9:.0f}")
    print(f"trainyard's peak memory: predicted {own['predicted_peak_bytes'] * mib:.1f} MiB, measured "
          f"{own['peak_bytes'] * mib:.1f} MiB")
    if o.device == "cuda":
        used[-1]["trainyard"]["rss"] = own["peak_bytes"]
    print(("most memory of the card" if o.device == "cuda" else "largest resident set") + " in MiB: "
          + ", ".join(f"{name} {result['rss'] * mib:.0f}" for name, result in used[-1].items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", help="section.key=value of the job")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32", help="of products")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=["eager", "fused"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="quiet rounds wanted")
    parser.add_argument("--warmup", type=int, default=1, help="untimed steps of each turn")
    parser.add_argument("--steps", type=int, default=3, help="timed steps of each turn")
    parser.add_argument("--quiet", type=float, default=0.1, help="cores that others may use")
    parser.add_argument("--limit", type=float, default=600, help="seconds after which no round starts")
    parser.add_argument("--worker", choices=VARIANTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return worker(options.worker, options, json.loads(sys.stdin.readline()))

    race, rounds, quiet, start = Race(options), [], [], time.time()
    race.round()  # warms caches, pages and compilers up
    while len(quiet) < options.rounds and (not rounds or time.time() - start < options.limit):
        rounds.append(race.round())
        if max(result["foreign"] for result in rounds[-1].values()) < options.quiet:
            quiet.append(rounds[-1])
        print(f"round {len(rounds)}: " + ", ".join(f"{name} {r['seconds']:.2f} s (others {r['foreign']:.2f})"
                                                   for name, r in rounds[-1].items()), file=sys.stderr)
    report(race, rounds, quiet)
    for process in race.workers.values():
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
