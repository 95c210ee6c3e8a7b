"""`make fuzz`: one target under atheris (libFuzzer), which is guided by what the decoders' bytecode reaches.

Ends at the first finding, whose input is then a file in build/fuzz; `--replay FILE` runs it again without atheris.
Hangs (10 s for one input) and memory (1 GB) are findings of libFuzzer's own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

INSTRUMENTED = ["crdt", "node.engine.frames", "node.mesh.framing"]
HANG_S = 10
MEMORY_MB = 1_024


def main() -> int:
    """Parse the command line, then fuzz until the time or the executions are over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=["entry", "yjs", "frame"])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="executions; -1 leaves it to the seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--replay", type=Path)
    args = parser.parse_args()
    if args.replay:
        from tests.fuzz.targets import TARGETS

        print("accepted" if TARGETS[args.target].run(args.replay.read_bytes()) else "refused")
        return 0
    fuzz(args)
    return 0


def fuzz(args: argparse.Namespace) -> None:
    """Never returns: libFuzzer ends the process, with 0 when nothing was found."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        from tests.fuzz import mutate
        from tests.fuzz.targets import TARGETS

    target = TARGETS[args.target]
    corpus = args.directory / args.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(target.seeds()):
        (corpus / f"seed-{number:02}").write_bytes(raw)

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if data and data[0] in target.structured and random.randrange(2):
            return (data[:1] + mutate.of_message(data[1:], random))[:max_size]
        return bytes(atheris.Mutate(data, max_size))

    def run(data: bytes) -> None:
        target.run(data)

    options = [
        f"-max_total_time={args.seconds}", f"-runs={args.runs}", f"-seed={args.seed}", f"-max_len={target.max_bytes}",
        f"-timeout={HANG_S}", f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={args.directory}/{args.target}-",
        "-print_final_stats=1", "-len_control=0", "-use_value_profile=0",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], run, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
