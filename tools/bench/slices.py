"""Training steps of two jobs, measured while both share the machine in slices of time.

Only one of two processes runs at any moment, the other one is stopped; they change places every quarter of a second
(SIGSTOP, SIGCONT). What else the machine does falls on both alike, also where a step takes many seconds: whole steps
in turns would meet different machines.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

SLICE = 0.25  # seconds


class Contestant:
    """A process that is stopped unless `run` is called, and the slices [begin, end) in which it ran."""

    def __init__(self, command, cwd, shown):
        self.command, self.slices = command, []
        self.out, self.err = tempfile.TemporaryFile("w+"), None if shown else tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, cwd=cwd, stdout=self.out, stderr=self.err)
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)
        if self.process.returncode is None:
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def run(self):
        """One slice, or less if the process ends in it; says whether it goes on."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(SLICE)
        except subprocess.TimeoutExpired:
            self.stop()
        self.slices.append((begin, time.monotonic()))
        if self.process.poll():
            self.fail()
        return self.process.returncode is None

    def fail(self):
        if self.err:
            self.err.seek(0)
            sys.stderr.write(self.err.read())
        sys.exit(f"{' '.join(map(str, self.command))} ended with {self.process.returncode}")

    def answer(self):
        self.out.seek(0)
        return json.load(self.out)

    def seconds(self, begin, end):
        """How long it ran between two moments."""
        return sum(max(0, min(end, stop) - max(begin, start)) for start, stop in self.slices)


def compare(commands, cwd):
    """The JSON answers of two `trainyard bench step ... --json`, and for each the seconds of its steps, of equal number;
    steps that ran while the other process had ended already are left off."""
    contestants = [Contestant(command, cwd, shown=i == 0) for i, command in enumerate(commands)]
    try:
        order = contestants
        while all([c.run() for c in order]):
            order = order[::-1]
        together = min(c.slices[-1][1] for c in contestants)
        while any([c.process.poll() is None and c.run() for c in contestants]):
            pass
    finally:
        for c in contestants:
            c.process.kill()
    answers = [c.answer() for c in contestants]
    steps = [[c.seconds(*span) for span in answer["step_spans"] if span[1] <= together]
             for c, answer in zip(contestants, answers)]
    count = min(map(len, steps))
    return answers, [s[:count] for s in steps]
