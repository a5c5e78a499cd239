"""compare_events.py RUN: what TensorBoard reads in RUN/events is what metrics.jsonl and samples.txt say."""
import json
import pathlib
import re
import struct
import sys

from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

run = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(run / "events"), size_guidance={"tensors": 0})
events.Reload()


def as_float32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


wanted = {}
for line in (run / "metrics.jsonl").read_text().splitlines():
    record = json.loads(line)
    for name, number in record.items():
        if name != "step":
            wanted.setdefault(name, []).append((record["step"], as_float32(number)))


def values(tag):
    """TensorBoard turns all that it reads into tensors."""
    return [(e.step, tensor_util.make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)]


read = {tag: [(step, value.item()) for step, value in values(tag)] for tag in events.PluginTagToContent("scalars")}
assert "loss" in read and "valid_loss" in read, sorted(read)
assert sorted(read) == sorted(wanted), (sorted(read), sorted(wanted))
for name in wanted:
    assert read[name] == wanted[name], (name, read[name], wanted[name])


def readable(text):
    """How many characters stand for a run of bytes that are no UTF-8 is a matter of taste."""
    return re.sub("\ufffd+", "\ufffd", text.decode("utf-8", "replace"))


entries = re.findall(rb"--- step (\d+) ---\n(.*?)\n\n(?=--- step |\Z)", (run / "samples.txt").read_bytes(), re.S)
read_texts = [(step, value[0]) for step, value in values("sample")]
texts = [(step, readable(text)) for step, text in read_texts]
assert all(text.decode() for _, text in read_texts), "TensorBoard could not show the samples"
assert texts == [(int(step), readable(text)) for step, text in entries], (texts, entries)
assert len(texts) == 3, texts
assert "sample" in events.PluginTagToContent("text"), "samples are not shown as texts"
