"""Renders pictures of several people, one after the other; started again it goes on where it was."""

from __future__ import annotations

from pathlib import Path

from rich.progress import track

from trainer.studio.group_picture import GroupOrder, as_png, take_group
from trainer.studio.run import write_whole
from trainer.studio.seeds import Split

__all__ = ["render_groups"]


def render_groups(out: Path, *, split: Split, seed: int, pictures: int) -> None:
    """Take every picture that is not there yet, then gather `truth.jsonl`."""
    numbers = [number for number in range(pictures) if not _truth_path(out, number).exists()]
    for number in track(numbers, description=f"groups, {split}"):
        path = f"pictures/{number:06d}.jpg"
        encoded, truth, owners = take_group(GroupOrder(number=number, seed=seed, split=split), path)
        write_whole(out / path, encoded)
        write_whole((out / path).with_suffix(".png"), as_png(owners))
        write_whole(_truth_path(out, number), (truth.model_dump_json() + "\n").encode())
    lines = [_truth_path(out, number).read_bytes() for number in range(pictures)]
    write_whole(out / "truth.jsonl", b"".join(lines))


def _truth_path(out: Path, number: int) -> Path:
    return out / "truth" / f"{number:06d}.json"
