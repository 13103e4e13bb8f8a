"""`python -m trainer.embedder`: draws designs, trains the embedder and exports it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.drawings.embedder import separation_of
from trainer.embedder.flat import write_flat
from trainer.embedder.lessons import draw_views, worn_designs
from trainer.learning.truth import read_pictures
from trainer.studio.seeds import Split

_HELD_OUT_SEED = 62


def main() -> None:
    """Do the step that is named; each says what it wrote."""
    options = _options()
    options.step(options)


def _draw(options: argparse.Namespace) -> None:
    write_flat(
        options.out,
        split=Split(options.split),
        seed=options.seed,
        count=options.count,
        workers=options.workers,
    )


def _train(options: argparse.Namespace) -> None:
    import torch

    from trainer.embedder.training import EmbedderPlan, Material, train
    from trainer.learning.mobilenet import pretrained_state
    from trainer.learning.progress import Checkpoint

    torch.set_num_threads(options.threads)
    given = {field.name: getattr(options, field.name) for field in fields(EmbedderPlan)}
    plan = EmbedderPlan(**{name: value for name, value in given.items() if value is not None})
    flats = [one for path in options.flat for one in np.load(path, mmap_mode="r")]
    worn = worn_designs(read_pictures(options.data, split="train"))
    print(f"{len(flats)} drawings, {len(worn)} designs that are worn, {plan}", flush=True)
    train(
        plan,
        Material(flats, worn),
        state=pretrained_state(options.work / "packages"),
        projection=_shipped_projection(),
        checkpoint=Checkpoint(options.work / "embedder.pt"),
        workers=options.workers,
        until=options.until,
    )


def _shipped_projection() -> dict[str, NDArray[np.floating]]:
    """What training begins as."""
    data = (files("services.tattoo") / "weights" / "embedder.npz").read_bytes()
    with np.load(BytesIO(data)) as stored:
        return dict(stored)


def _export(options: argparse.Namespace) -> None:
    import onnxruntime

    from trainer.embedder.network import Embedder
    from trainer.embedder.shipping import export_embedder
    from trainer.learning.mobilenet import pretrained_state
    from trainer.learning.progress import Checkpoint

    start = Embedder(pretrained_state(options.work / "packages"), _shipped_projection())
    checkpoint = Checkpoint(options.work / "embedder.pt")
    shipped = export_embedder(checkpoint, start, options.out, share=options.share)
    session = onnxruntime.InferenceSession(shipped.served, providers=["CPUExecutionProvider"])
    flats = np.load(options.held_out, mmap_mode="r")[: options.limit]
    rng = np.random.default_rng(_HELD_OUT_SEED)
    crops = np.stack([draw_views(rng, flat, 2, 224) for flat in flats]).reshape(-1, 224, 224, 3)
    inputs = np.ascontiguousarray(crops.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
    vectors = np.concatenate([session.run(None, {"input": part})[0] for part in np.split(inputs, len(flats))])
    held_out = separation_of(vectors.reshape(len(flats), 2, -1))
    card = {**asdict(shipped.facts), "held_out_drawings": asdict(held_out)}
    (options.out / "trained_embedder.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainer.embedder", description=__doc__)
    steps = parser.add_subparsers(required=True)
    draw = steps.add_parser("draw", help="draw designs on their own")
    draw.add_argument("--out", type=Path, required=True, help="an .npy file")
    draw.add_argument("--split", choices=[str(split) for split in Split], default="train")
    draw.add_argument("--count", type=int, default=4000)
    draw.add_argument("--seed", type=int, default=61)
    draw.add_argument("--workers", type=int, default=2)
    draw.set_defaults(step=_draw)
    train = steps.add_parser("train", help="train, or go on where it was stopped")
    train.add_argument("--flat", type=Path, action="append", default=[], help="drawings; may be repeated")
    train.add_argument("--data", type=Path, action="append", default=[], help="a set; may be repeated")
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--workers", type=int, default=1, help="processes that prepare crops")
    train.add_argument("--until", type=int, help="stop after this step")
    for name in ("seed", "side", "designs", "views", "steps", "warm_up", "frozen"):
        train.add_argument(f"--{name.replace('_', '-')}", type=int)
    for name in ("peak", "backbone_share", "weight_decay", "temperature", "keep"):
        train.add_argument(f"--{name.replace('_', '-')}", type=float)
    train.set_defaults(step=_train)
    export = steps.add_parser("export", help="write the weights that are committed, and their card")
    export.add_argument("--out", type=Path, required=True)
    export.add_argument("--held-out", type=Path, required=True, help="drawings of another seed")
    export.add_argument("--limit", type=int, default=400)
    export.add_argument("--share", type=float, default=0.5, help="0..1: how far to go from the start")
    export.set_defaults(step=_export)
    for step in (train, export):
        step.add_argument("--work", type=Path, required=True, help="where checkpoints are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
