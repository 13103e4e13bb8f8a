"""`python -m trainer.detector`: draws, trains, measures and exports the detector of boxes."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from math import isnan
from pathlib import Path

from trainer.detector.drawn import write_drawn
from trainer.detector.evaluating import BoxDetector, Found, find_all, precisions
from trainer.detector.things import write_things
from trainer.detector.threshold import best_confidences, faces_for_calibration, threshold_for
from trainer.learning.truth import read_pictures

_WEIGHTS = Path("services/tattoo/weights")


def main() -> None:
    """Do the step that is named; each says what it wrote."""
    options = _options()
    options.step(options)


def _draw(options: argparse.Namespace) -> None:
    write_drawn(
        options.out, seed=options.seed, count=options.count, workers=options.workers, flats=options.flats
    )


def _things(options: argparse.Namespace) -> None:
    write_things(options.out, options.packages)


def _windows(options: argparse.Namespace) -> None:
    from trainer.detector.windows import make_windows
    from trainer.learning.mobilenet import pretrained_state

    pictures = read_pictures(options.data, split="train")
    print(f"{len(pictures)} pictures", flush=True)
    make_windows(
        options.out,
        pictures,
        state=pretrained_state(options.packages),
        side=options.side,
        count=options.count,
        seed=options.seed,
        workers=options.workers,
    )


def _train(options: argparse.Namespace) -> None:
    import torch

    from trainer.detector.kept import read_head
    from trainer.detector.training import DetectorPlan, train
    from trainer.detector.windows import Windows
    from trainer.learning.progress import Checkpoint

    torch.set_num_threads(options.threads)
    given = {field.name: getattr(options, field.name) for field in fields(DetectorPlan)}
    plan = DetectorPlan(**{name: value for name, value in given.items() if value is not None})
    windows = Windows(options.windows)
    print(f"{len(windows)} windows, {plan}", flush=True)
    checkpoint = Checkpoint(options.work / "detector.pt")
    start = read_head(options.head) if options.head else None
    train(plan, windows, checkpoint=checkpoint, start=start, workers=options.workers, until=options.until)


def _export(options: argparse.Namespace) -> None:
    from trainer.detector.kept import read_head, write_head
    from trainer.detector.shipping import export_detector
    from trainer.detector.training import load_trained
    from trainer.learning.mobilenet import checkpoint_of
    from trainer.learning.progress import Checkpoint

    head = read_head(options.head) if options.head else load_trained(Checkpoint(options.work / "detector.pt"))
    if options.work:
        write_head(head, options.work / "head.npz")
    shipped = export_detector(head, checkpoint_of(options.packages), options.out)
    found = _found(options, BoxDetector(shipped.served))
    _write_card(options.out, {**asdict(shipped.facts), "held_out_at_640": _measured(found)})


def _threshold(options: argparse.Namespace) -> None:
    faces = faces_for_calibration(options.faces)
    best = asyncio.run(best_confidences(faces))
    source = f"{options.alarms:.1%} of {len(faces)} faces, one half of the people of {options.faces.name}"
    threshold = threshold_for(best, alarms=options.alarms)
    _write_card(options.out, {"threshold": threshold, "threshold_provenance": source})


def _write_card(folder: Path, facts: Mapping[str, object]) -> None:
    """What another step wrote stays."""
    card = folder / "boxes.json"
    text = {**(json.loads(card.read_text()) if card.exists() else {}), **facts}
    card.write_text(json.dumps(text, indent=2) + "\n")
    print(json.dumps(text, indent=2))


def _evaluate(options: argparse.Namespace) -> None:
    print(json.dumps(_measured(_found(options, BoxDetector(options.file))), indent=2))


def _found(options: argparse.Namespace, detector: BoxDetector) -> list[Found]:
    return find_all(detector, read_pictures(options.data, split="validation")[: options.limit])


def _measured(found: list[Found]) -> dict[str, object]:
    clean = [one for one in found if not one.picture.tattoos]
    return {
        "pictures": len(found),
        # Groups without a tattoo have no figure, and JSON has no NaN.
        "ap50": {name: round(value, 4) for name, value in precisions(found).items() if not isnan(value)},
        "clean_pictures": len(clean),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m trainer.detector", description=__doc__)
    steps = parser.add_subparsers(required=True)
    draw = steps.add_parser("draw", help="write drawn scenes and their truth")
    draw.add_argument("--out", type=Path, required=True)
    draw.add_argument("--count", type=int, default=3000)
    draw.add_argument("--seed", type=int, default=41)
    draw.add_argument("--workers", type=int, default=2)
    draw.add_argument("--flats", type=Path, help="drawings to compose tattoos of, an .npy file")
    draw.set_defaults(step=_draw)
    things = steps.add_parser("things", help="write photographs of things, none of them a tattoo")
    things.add_argument("--out", type=Path, required=True)
    things.add_argument("--packages", type=Path, required=True, help="where the archives are kept")
    things.set_defaults(step=_things)
    windows = steps.add_parser("windows", help="keep what the backbone says of windows of pictures")
    windows.add_argument("--out", type=Path, required=True)
    windows.add_argument("--side", type=int, default=320, help="of a window, pixels, a multiple of 32")
    windows.add_argument("--count", type=int, default=14_000)
    windows.add_argument("--seed", type=int, default=1)
    windows.add_argument("--workers", type=int, default=2)
    windows.set_defaults(step=_windows)
    train = steps.add_parser("train", help="train, or go on where it was stopped")
    train.add_argument("--work", type=Path, required=True, help="where checkpoints are kept")
    train.add_argument("--windows", type=Path, action="append", required=True, help="may be repeated")
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--workers", type=int, default=1, help="processes that read windows")
    train.add_argument("--until", type=int, help="stop after this step")
    train.add_argument("--head", type=Path, help="head.npz of another training, to begin with")
    for name in ("seed", "pixels", "steps", "warm_up"):
        train.add_argument(f"--{name.replace('_', '-')}", type=int)
    for name in ("peak", "weight_decay", "keep"):
        train.add_argument(f"--{name.replace('_', '-')}", type=float)
    train.set_defaults(step=_train)
    export = steps.add_parser("export", help="write the weights that are committed, and their card")
    export.add_argument("--out", type=Path, default=_WEIGHTS)
    trained = export.add_mutually_exclusive_group(required=True)
    trained.add_argument("--work", type=Path, help="where the checkpoint is")
    trained.add_argument("--head", type=Path, help="head.npz of a training")
    export.set_defaults(step=_export)
    threshold = steps.add_parser("threshold", help="choose from which confidence on a box is a tattoo")
    threshold.add_argument("--faces", type=Path, default=Path("../shared/data/lfw"))
    threshold.add_argument("--alarms", type=float, default=0.01, help="share of faces that may reach it")
    threshold.add_argument("--out", type=Path, default=_WEIGHTS)
    threshold.set_defaults(step=_threshold)
    evaluate = steps.add_parser("evaluate", help="AP50 of an ONNX file on held-out pictures")
    evaluate.add_argument("file", type=Path)
    evaluate.set_defaults(step=_evaluate)
    for step in (windows, export, evaluate):
        step.add_argument("--data", type=Path, action="append", required=True, help="a set; may be repeated")
    for step in (export, evaluate):
        step.add_argument("--limit", type=int, help="pictures to measure on")
    for step in (windows, export):
        step.add_argument("--packages", type=Path, required=True, help="where the archives are kept")
    return parser.parse_args()


if __name__ == "__main__":
    main()
