"""`python -m trainer.studio render|groups|contact|atlas`: see docs/studio.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from chassis.errors import MarqueeError
from trainer.studio.contact import write_contact_sheet
from trainer.studio.run import gather, render
from trainer.studio.seeds import Split

__all__ = ["main"]

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Renders adult mannequins with tattoos, and writes down what is true of each picture."""


@main.command("render")
@click.argument("out", type=_FOLDER)
@click.option("--pictures", type=click.IntRange(1), default=600, show_default=True)
@click.option("--mode", type=click.Choice(["scenes", "designs"]), default="scenes", show_default=True)
@click.option(
    "--split", type=click.Choice([str(split) for split in Split]), default="train", show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
def render_command(out: Path, pictures: int, mode: str, split: str, seed: int, workers: int) -> None:
    """Take the pictures of a data set into the folder OUT; started again, it goes on."""
    with _training_packages():
        from trainer.studio.picture import take
    render(
        out,
        take,
        mode="designs" if mode == "designs" else "scenes",
        split=Split(split),
        seed=seed,
        pictures=pictures,
        workers=workers,
    )


@main.command("groups")
@click.argument("out", type=_FOLDER)
@click.option("--pictures", type=click.IntRange(1), default=200, show_default=True)
@click.option(
    "--split", type=click.Choice([str(split) for split in Split]), default="test", show_default=True
)
@click.option("--seed", type=int, default=1, show_default=True)
def groups_command(out: Path, pictures: int, split: str, seed: int) -> None:
    """Take pictures of two and three people into the folder OUT; started again, it goes on."""
    with _training_packages():
        from trainer.studio.group_run import render_groups
    render_groups(out, split=Split(split), seed=seed, pictures=pictures)


@main.command("contact")
@click.argument("out", type=_FOLDER)
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Default: OUT/contact.jpg")
@click.option("--first", type=int, default=0, show_default=True, help="Number of the first picture shown.")
@click.option("--columns", type=click.IntRange(1), default=6, show_default=True)
@click.option("--rows", type=click.IntRange(1), default=5, show_default=True)
@click.option("--boxes/--no-boxes", default=True, show_default=True)
def contact_command(out: Path, sheet: Path | None, first: int, columns: int, rows: int, boxes: bool) -> None:
    """Draw a sheet of pictures of the folder OUT with their boxes."""
    gather(out, _known(out))
    sheet = sheet or out / "contact.jpg"
    shown = write_contact_sheet(out, sheet, first=first, columns=columns, rows=rows, boxes=boxes)
    click.echo(f"{shown} pictures on {sheet}")


@main.command("atlas")
def atlas_command() -> None:
    """Make the committed map of body regions again."""
    with _training_packages():
        from trainer.studio.atlas_making import make_atlas
    make_atlas(Path(__file__).parent / "body.npz")


@contextmanager
def _training_packages() -> Iterator[None]:
    """What is imported in here is not there in every environment."""
    try:
        yield
    except ImportError as exc:
        raise click.ClickException(f"{exc.name} is not installed; the studio needs: make train-venv") from exc


def _known(out: Path) -> int:
    """One more than the greatest number that has a truth."""
    return max((int(path.stem) + 1 for path in (out / "truth").glob("*/*.json")), default=0)


if __name__ == "__main__":
    try:
        main()
    except MarqueeError as problem:
        raise SystemExit(str(problem)) from problem
