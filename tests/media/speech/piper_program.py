"""A program that speaks Piper's command line, where that is not installed: lines in, files out.

It reads the same description and runs the same model through onnxruntime; a line that says "die" ends it, and
"hang" is its last.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--output_dir", required=True)
    parser.add_argument("--speaker", type=int)
    options = parser.parse_args()
    described = json.loads(Path(f"{options.model}.json").read_text("utf-8"))
    model = onnxruntime.InferenceSession(options.model, providers=["CPUExecutionProvider"])
    numbers = described["phoneme_id_map"]
    for count, line in enumerate(sys.stdin):
        if line.strip() == "die":
            sys.exit("no more")
        if line.strip() == "hang":
            signal.pause()
        phonemes = [numbers[each][0] for each in f"^{line.strip().lower()}$" if each in numbers]
        given = {
            "input": np.array([phonemes], np.int64),
            "input_lengths": np.array([len(phonemes)], np.int64),
            "scales": np.zeros(3, np.float32),
        }
        (sound,) = model.run(None, given)
        path = f"{options.output_dir}/{count}.wav"
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, described["audio"]["sample_rate"], 0, "NONE", ""))
            file.writeframes((sound.reshape(-1) * 32767).astype("<i2").tobytes())
        print(f"INFO:piper:Wrote {path}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
