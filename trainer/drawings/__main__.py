"""`python -m trainer.drawings sheet|detector|calibrate`: see docs/tattoo.md."""

import argparse
from pathlib import Path

from chassis.models import ModelStore
from services.tattoo.table import built_in_embedder
from trainer.drawings.calibration import calibrate
from trainer.drawings.detector import DetectorPlan, train_detector
from trainer.drawings.sheet import write_sheet

_DETECTOR = DetectorPlan()
_WEIGHTS = Path("services/tattoo/weights")


def main() -> None:
    """Run one step; each can be interrupted and called again."""
    arguments = _parser().parse_args()
    models, folders = ModelStore(), {"work": arguments.work, "out": arguments.out}
    if arguments.step == "sheet":
        write_sheet(arguments.work / "sheet.png", seed=arguments.seed)
    elif arguments.step == "calibrate":
        row = built_in_embedder()
        calibrate(models.path(row.name), row, arguments.photographs, arguments.out / "embedder.json")
    else:
        plan = DetectorPlan(training_chunks=arguments.chunks, epochs=arguments.epochs)
        train_detector(
            plan, backbone=models.path("mobilenet_v2_features"), workers=arguments.workers, **folders
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trainer.drawings", description=__doc__)
    parser.add_argument("step", choices=["sheet", "detector", "calibrate"])
    parser.add_argument(
        "--work", type=Path, default=Path("build/tattoo"), help="folder for what can be made again"
    )
    parser.add_argument("--out", type=Path, default=_WEIGHTS, help="folder of the weights")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    parser.add_argument("--seed", type=int, default=0, help="of the sheet")
    parser.add_argument("--chunks", type=int, default=_DETECTOR.training_chunks, help="200 scenes each")
    parser.add_argument("--epochs", type=int, default=_DETECTOR.epochs)
    parser.add_argument(
        "--photographs", type=Path, default=Path("../shared/data/bivtatt"), help="to calibrate"
    )
    return parser


if __name__ == "__main__":
    main()
