"""`python -m bench.fusion.missed ...`: how often a tattoo in view is not found, and what is best assumed.

On people and designs that nothing is reported of, in pictures as they come: performers with a tattoo and
without, regions in view as the body service says, tattoos found as the detector finds them. The value that
`gateway/fusion/assumed.py` should have is that under which the logarithm of the right answer's probability is
least negative, of the answers that are possible: the owner is proposed, or it is a stranger.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import structlog

from bench.fusion.__main__ import fitted_policies, options_of, read_libraries
from bench.fusion.discounts import right_answer
from bench.fusion.policies import Policies
from bench.fusion.running import draw_probes
from bench.fusion.slices import Skin, Slice
from bench.fusion.virtual import Probe
from bench.report import print_heading, print_table, write_json
from gateway.fusion.assumed import MISSED

__all__ = ["Found", "LogScore", "found_in_view", "log_scores"]

_VALUES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_RESAMPLES = 300


@dataclass(frozen=True, slots=True)
class Found:
    """Tattoos of performers in a region that is said to be in view."""

    tattoos: int
    share: float
    """0..1: found."""
    visibility: float
    """0.5..1: mean, as said."""

    @property
    def missed(self) -> float:
        """Probability that a tattoo is not found that is in view as surely as is said."""
        return 1 - self.share / self.visibility


@dataclass(frozen=True, slots=True)
class LogScore:
    """Mean natural log of the right answer's probability, strangers counting for their share.

    less, low, high: less that with MISSED as it is, and its 95% interval by drawing people.
    """

    mean: float
    less: float
    low: float
    high: float


def main() -> None:
    """Measure, print, write."""
    options = options_of()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    print_heading("fusion, missed tattoos", seed=options.seed)
    fitting, _ = read_libraries(options)
    policies = fitted_policies(fitting, options)
    payload = {}
    for name, is_spoilt in (("clear face", False), ("spoilt face", True)):
        kind = Slice(skin=Skin.AS_IT_COMES, has_tattoo=True, is_for_all=True, is_spoilt=is_spoilt)
        probes = draw_probes(fitting, kind, policies, draws=options.draws, seed=options.seed + 1)
        found, scores = found_in_view(probes), log_scores(probes, policies, seed=options.seed)
        print_table(
            f"{name}: {found.share:.1%} of {found.tattoos} found, visibility {found.visibility:.2f}: "
            f"{found.missed:.2f} missed",
            ["taken for", "log score", f"less that of {MISSED:g}"],
            [
                [f"{value:g}", f"{one.mean:.5f}", f"{one.less:+.5f} ({one.low:+.5f} to {one.high:+.5f})"]
                for value, one in scores.items()
            ],
        )
        payload[name] = {
            **asdict(found), "missed": found.missed,
            "scores": [{"value": value, **asdict(one)} for value, one in scores.items()],
        }  # fmt: skip
    tattoos = "photographed" if options.photographs else "rendered"
    write_json(options.json, {"seed": options.seed, "tattoos": tattoos, "faces": payload})


def found_in_view(probes: Sequence[Probe]) -> Found:
    """Of performers' tattoos whose region is said to be in view, how many are found."""
    visibilities, is_found = [], []
    for probe in probes:
        facts = probe.known.facts.get(f"z{probe.owner}") if probe.known else None
        if probe.known is None or facts is None:
            continue
        visibility = (probe.known.seen.in_view or {}).get(facts.tattoos[0].region)
        if visibility is not None:
            visibilities.append(visibility)
            is_found.append(bool(probe.tattoo))
    return Found(len(is_found), float(np.mean(is_found)), float(np.mean(visibilities)))


def log_scores(probes: Sequence[Probe], policies: Policies, *, seed: int) -> Mapping[float, LogScore]:
    """By what MISSED is taken for."""
    possible = [one for one in probes if one.is_stranger or f"z{one.owner}" in one.proposed]
    logs = {value: _logs(possible, policies, value) for value in {*_VALUES, MISSED}}
    weights = _weights(possible, policies.unknown)
    rng, owners = np.random.default_rng(seed), np.array([one.owner for one in possible])
    names, numbers = np.unique(owners, return_inverse=True)
    draws = [
        weights * np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[numbers]
        for _ in range(_RESAMPLES)
    ]
    found = {}
    for value in _VALUES:
        changed = logs[value] - logs[MISSED]
        low, high = np.quantile([changed @ one / one.sum() for one in draws], [0.025, 0.975])
        found[value] = LogScore(
            float(logs[value] @ weights), float(changed @ weights), float(low), float(high)
        )
    return found


def _logs(probes: Sequence[Probe], policies: Policies, missed: float) -> np.typing.NDArray[np.float64]:
    found = []
    for one in probes:
        changed = replace(one, known=one.known and replace(one.known, missed=missed))
        right = right_answer(changed, policies.fitted.llrs(changed, with_others=True), policies)
        found.append(math.log(max(right, 1e-12)))
    return np.array(found)


def _weights(probes: Sequence[Probe], unknown: float) -> np.typing.NDArray[np.float64]:
    """Of the probes; they sum to 1."""
    is_stranger = np.array([one.is_stranger for one in probes])
    strangers = max(1, int(is_stranger.sum()))
    return np.where(is_stranger, unknown / strangers, (1 - unknown) / max(1, len(probes) - strangers))


if __name__ == "__main__":
    main()
