"""`python -m bench.fusion.discounts ...`: how much evidence of one picture counts beside other evidence.

What spoils a picture spoils all that it shows, so ratios need not simply multiply. On people and designs that
nothing is reported of: the factors of a face and of a tattoo seen together, and the share of a second
tattoo beside the better one, under which the right answers are most probable (mean squared error of their
probability, which a few wrong labels do not decide as they would the logarithm).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import structlog

from bench.fusion.__main__ import fitted_policies, options_of, read_libraries
from bench.fusion.policies import Maps, Policies
from bench.fusion.running import Library, draw_probes, wardrobe_of
from bench.fusion.slices import Slice
from bench.fusion.virtual import Probe, probes_of
from bench.report import print_heading, print_table, write_json
from chassis.signal.tail import Tail
from gateway.fusion.posterior import log_prior, posterior

__all__ = ["Score", "further_tattoos", "right_answer", "together"]

_FACTORS = (0.6, 0.7, 0.8, 0.9, 1.0)
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Score:
    """Mean of (1 - P(right answer))^2, 0..1, strangers counting for their share, and of how many pictures."""

    mean: float
    pictures: int


def main() -> None:
    """Measure both, print, write."""
    options = options_of()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("fusion, discounts", seed=options.seed)
    fitting, _ = read_libraries(options)
    policies = fitted_policies(fitting, options)
    factors = together(fitting, policies, draws=options.draws, seed=options.seed + 1)
    shares = further_tattoos(fitting, policies, draws=options.draws, seed=options.seed + 1)
    rows = [[f"{face:g}", *(f"{factors[face, one].mean:.4f}" for one in _FACTORS)] for face in _FACTORS]
    pictures = next(iter(factors.values())).pictures
    print_table(
        f"face and tattoo, {pictures} pictures: mean squared error of the right answer's probability",
        ["face x", *(f"tattoo x {one:g}" for one in _FACTORS)],
        rows,
    )
    print_table(
        "a second tattoo beside the better one",
        ["share", "pictures", "mean squared error"],
        [[f"{share:g}", one.pictures, f"{one.mean:.4f}"] for share, one in shares.items()],
    )
    payload = {
        "seed": options.seed,
        "tattoos": "photographed" if options.photographs else "rendered",
        "together": [{"face": face, "tattoo": one, **asdict(of)} for (face, one), of in factors.items()],
        "further": [{"share": share, **asdict(of)} for share, of in shares.items()],
    }
    write_json(options.json, payload)


def together(
    library: Library, policies: Policies, *, draws: int, seed: int
) -> Mapping[tuple[float, float], Score]:
    """By the factors of face and tattoo: of pictures, clear and spoilt, in which both are seen."""
    kinds = [Slice(has_tattoo=True, is_spoilt=is_spoilt) for is_spoilt in (False, True)]
    probes = [
        one
        for kind in kinds
        for one in draw_probes(library, kind, policies, draws=draws, seed=seed)
        if one.face and one.tattoo
    ]
    maps = {
        (face, tattoo): replace(policies.fitted, face_factor=face, tattoo_factor=tattoo)
        for face in _FACTORS
        for tattoo in _FACTORS
    }
    return {
        factors: _score(
            [(one, right_answer(one, _logs(one, of), policies)) for one in probes], policies.unknown
        )
        for factors, of in maps.items()
    }


def further_tattoos(library: Library, policies: Policies, *, draws: int, seed: int) -> Mapping[float, Score]:
    """By the share of a second tattoo: of pictures without a face, clear and spoilt, that show two."""
    pairs = [
        pair
        for draw in range(draws)
        for is_spoilt in (False, True)
        for pair in _two_tattoos(library, policies, is_spoilt=is_spoilt, seed=seed + draw)
    ]
    return {
        share: _score(
            [(first, right_answer(first, _joined(ratios, share), policies)) for first, ratios in pairs],
            policies.unknown,
        )
        for share in _SHARES
    }


def _two_tattoos(
    library: Library, policies: Policies, *, is_spoilt: bool, seed: int
) -> Iterable[tuple[Probe, Mapping[str, tuple[float, float]]]]:
    """A picture with two tattoos of its person, spoilt alike, and both ratios of each candidate."""
    kind, rng = Slice(has_face=False, has_tattoo=True, is_spoilt=is_spoilt), np.random.default_rng(seed)
    wardrobe = wardrobe_of(library, rng)
    worn = wardrobe.worn.copy()
    wearers = np.flatnonzero(worn >= 0)
    # Everybody's second tattoo is somebody else's first one.
    worn[wearers] = np.roll(worn[rng.permutation(wearers)], 1)
    second = replace(wardrobe, worn=worn, enrolled=worn)
    drawn = [
        list(
            probes_of(
                library.faces, library.tattoos, library.bodies, library.crowd, one, kind,
                point=policies.tattoo_point, rng=rng,
            )
        )
        for one in (wardrobe, second)
    ]  # fmt: skip
    tail = _usual(library)
    for one, other in zip(*drawn, strict=True):
        if not (one.tattoo and other.tattoo):
            continue
        # Synthetic performers of the two searches are different people.
        found = {name if name[0] == "z" else f"u{name}": value for name, value in other.tattoo.items()}
        candidates = [*one.proposed, *(name if name[0] == "z" else f"u{name}" for name in other.proposed)]
        yield (
            one,
            {
                name: (
                    _ratio(policies, one.tattoo.get(name), one.tattoo_quality, tail, rng),
                    _ratio(policies, found.get(name), other.tattoo_quality, tail, rng),
                )
                for name in dict.fromkeys(candidates)
            },
        )


def _usual(library: Library) -> Tail:
    """Of tattoos of clear pictures: where a candidate of one search has its ordinary similarity."""
    return next(iter(library.crowd.tattoos.values()))


def _ratio(
    policies: Policies, similarity: float | None, quality: float, tail: Tail, rng: np.random.Generator
) -> float:
    if similarity is None:
        similarity = float(tail.value_at(rng.uniform(1e-9, 1, 1))[0])
    return policies.fitted.tattoo.llr(similarity, quality)


def _joined(ratios: Mapping[str, tuple[float, float]], share: float) -> dict[str, float]:
    return {name: max(of) + share * min(of) for name, of in ratios.items()}


def _logs(probe: Probe, maps: Maps) -> dict[str, float]:
    return {one: maps.llr(probe, one) for one in probe.proposed}


def right_answer(probe: Probe, ratios: Mapping[str, float], policies: Policies) -> float:
    """Probability, 0..1, of the right answer: the owner, or nobody for a stranger."""
    prior = log_prior("", gallery_size=policies.gallery, unknown=policies.unknown)
    believed = posterior(
        {name: prior + llr for name, llr in ratios.items()}, log_unknown=math.log(policies.unknown)
    )
    return believed.unknown if probe.is_stranger else believed.probabilities.get(f"z{probe.owner}", 0.0)


def _score(right: Sequence[tuple[Probe, float]], unknown: float) -> Score:
    means = [
        float(np.mean(errors)) if errors else 0.0
        for is_stranger in (False, True)
        for errors in [[(1 - p) ** 2 for probe, p in right if probe.is_stranger == is_stranger]]
    ]
    return Score((1 - unknown) * means[0] + unknown * means[1], len(right))


if __name__ == "__main__":
    main()
