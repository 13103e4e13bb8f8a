"""The tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.composites.asking import Enrolled, Setting
from bench.composites.bare import Bare
from bench.composites.figures import InPairs, OfKind
from bench.composites.judging import Fate
from bench.composites.offline import Agreement
from bench.fusion.figures import Figure
from bench.regions.figures import Share
from bench.report import print_table

__all__ = ["print_agreement", "print_enrolled", "print_kinds", "print_pairs"]

_COLUMNS = ("", "rank-1", "identified", "wrongly", "stranger", "ECE", "Brier", "ms")


def print_enrolled(enrolled: Sequence[Enrolled], *, tattooed: int) -> None:
    """What of the performers is in the gallery."""
    faces, tattoos = sum(one.has_face for one in enrolled), sum(one.has_tattoo for one in enrolled)
    rows = [["faces", faces, len(enrolled)], ["tattoos", tattoos, tattooed]]
    print_table("enrolled", ["", "performers", "of"], rows)


def print_kinds(kinds: Mapping[str, OfKind], named: Mapping[Setting, Share]) -> None:
    """identified: rightly, wrongly: as somebody else, stranger: strangers as anybody."""
    for name, kind in kinds.items():
        told = f"; tattoo counted in {kind.counted}" if kind.counted.of else ""
        rows = [
            [
                setting, _figure(one.rank1), _share(one.right), _share(one.wrong), _share(one.named),
                _figure(one.ece), _figure(one.brier), f"{one.milliseconds:.0f}",
            ]
            for setting, one in kind.settings.items()
        ]  # fmt: skip
        title = f"{name}: {kind.performers} of performers, {kind.strangers} of strangers{told}"
        print_table(title, _COLUMNS, rows)
    gains = [[name, _figure(kind.rank1_more), _figure(kind.brier_less)] for name, kind in kinds.items()]
    print_table("BAYESIAN less face only, on the same pictures", ["", "rank-1", "Brier"], gains)
    print_table("strangers of all kinds", ["", "named"], [[name, one] for name, one in named.items()])
    print_table(
        "for whom a tattoo that shows counts",
        ["", "tattoos", *Fate],
        [
            [name, one.counted.of, *(_share(one.fates[fate]) for fate in Fate)]
            for name, one in kinds.items()
            if one.counted.of
        ],
    )


def print_pairs(pairs: Mapping[str, InPairs]) -> None:
    """Whether nobody is two people."""
    rows = [[name, one.pictures, *one.twice.values()] for name, one in pairs.items()]
    print_table("one performer identified twice in a picture", ["", "pictures", *Setting], rows)


def print_agreement(agreed: Mapping[Setting, Agreement], bare: Bare) -> None:
    """bench/fusion beside the product."""
    told = {f"{name}, evidence as told": one for name, one in agreed.items()}
    told["face only, bare photographs"] = bare.answers
    rows = [
        [
            name, one.people, f"{one.same_first:.1%}", f"{one.mean_difference:.4f}",
            f"{one.most_difference:.4f}",
        ]
        for name, one in told.items()
    ]  # fmt: skip
    print_table(
        "bench/fusion's policies beside Identify's answers",
        ["", "people", "same first", "score differs, mean", "most"],
        rows,
    )
    alike = [f"{bare.median_similarity:.4f}", f"{bare.most_similarity:.4f}", bare.apart]
    print_table(
        "similarity of faces to the own enrolled photograph, in a composite and bare",
        ["", "pairs", "median", "most", "above 0.1"],
        [["difference", bare.pairs, *alike]],
    )


def _share(share: Share) -> str:
    return f"{share.value:.0%} ({share.low * 100:.0f}-{share.high:.0%})" if share.of else "-"


def _figure(figure: Figure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"
