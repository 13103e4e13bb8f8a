"""What an identification says, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chassis.geometry import Box

__all__ = [
    "Signal",
    "Policy",
    "PersonStatus",
    "ReportState",
    "ExternalId",
    "HintKind",
    "Hint",
    "Evidence",
    "ContributionKind",
    "Contribution",
    "SceneYear",
    "Candidate",
    "Sighting",
    "Person",
    "SignalReport",
    "Identification",
]


class Signal(StrEnum):
    """A kind of evidence."""

    FACE = "face"
    TATTOO = "tattoo"
    BODY = "body"
    UNSPECIFIED = "unspecified"
    """A signal that this client does not know yet."""


class Policy(StrEnum):
    """How evidence becomes one score."""

    DEFAULT = "default"
    """The server's choice."""
    WEIGHTED = "weighted"
    BAYESIAN = "bayesian"


class PersonStatus(StrEnum):
    """What can be said of one person."""

    IDENTIFIED = "identified"
    UNKNOWN = "unknown"
    INSUFFICIENT_SIGNALS = "insufficient signals"
    UNSPECIFIED = "unspecified"


class ReportState(StrEnum):
    """What became of one signal in one request."""

    OK = "ok"
    NOTHING_VISIBLE = "nothing visible"
    UNAVAILABLE = "unavailable"
    DEADLINE_EXCEEDED = "deadline exceeded"
    NOT_REQUESTED = "not requested"
    UNSPECIFIED = "unspecified"


class HintKind(StrEnum):
    """Why a performer is more or less probable than others; each has its bounds for the factor."""

    TAGGED = "tagged"
    """Somebody has tagged the performer: 1 to 100."""
    STUDIO = "studio"
    """How much of the studio's work is with the performer: 1/10 to 10."""
    POPULARITY = "popularity"
    """How often the performer appears in this library: 1/10 to 10."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One reason; `factor`: how many times as probable, above 0 and held to the bounds of its kind."""

    performer_id: str
    factor: float
    kind: HintKind = HintKind.TAGGED


@dataclass(frozen=True, slots=True)
class ExternalId:
    """A performer's id in another catalogue, written `authority:id`."""

    authority: str
    id: str

    def __str__(self) -> str:
        return f"{self.authority}:{self.id}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one signal says for or against one candidate."""

    signal: Signal
    similarity: float
    """Face and tattoo: cosine, -1..1; body: 0..1."""
    confidence: float
    """0..1, between the model's impostor 99th percentile and its genuine median."""
    weight: float
    """Share of the score this signal decides, 0..1."""
    is_proposed: bool
    """Whether the signal's own search found the performer."""
    llr: float | None
    """Natural log of the likelihood ratio; None until the signal is calibrated."""
    is_compatible: bool | None
    """For body; None for the others."""
    summary: str
    """What was seen, in words."""


class ContributionKind(StrEnum):
    """What one number in a candidate's probability comes from."""

    PRIOR = "prior"
    HINT = "hint"
    FACE = "face"
    TATTOO = "tattoo"
    BODY = "body"
    TATTOO_ABSENT = "tattoo absent"
    APPEARANCE = "appearance"
    CAREER = "career"
    OTHER_PEOPLE = "other people"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Contribution:
    """One term of a candidate's log odds against nobody enrolled."""

    kind: ContributionKind
    log_ratio: float
    """Natural log; above 0 speaks for the candidate."""
    summary: str
    """The same in words."""


@dataclass(frozen=True, slots=True)
class SceneYear:
    """How probable it is, 0..1, that the scene was made in a year."""

    year: int
    probability: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One performer who may be the person."""

    performer_id: str
    name: str
    external_ids: tuple[ExternalId, ...]
    urls: tuple[str, ...]
    score: float
    """What the ranking is sorted by; weighted: 0..1.2, bayesian: the probability."""
    probability: float | None
    """0..1; None under the weighted policy."""
    evidence: tuple[Evidence, ...]
    contributions: tuple[Contribution, ...] = ()
    """They sum to log(probability / unknown_probability); none under the weighted policy."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something seen of a person."""

    signal: Signal
    box: Box
    quality: float
    """0..1, in the signal's own measure."""
    region: str
    """Body region of a tattoo in words, such as `left forearm`; "" for others."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person in an image."""

    box: Box
    status: PersonStatus
    candidates: tuple[Candidate, ...]
    """Best first."""
    sightings: tuple[Sighting, ...]
    tattoo_coverage: float
    """Share of the visible skin that is tattooed, 0..1."""
    regions_in_view: tuple[str, ...]
    is_tattoo_primary: bool
    identification_threshold: float
    unknown_probability: float | None = None
    """That it is nobody of the gallery, 0..1; None under the weighted policy."""
    margin: float | None = None
    """How much more probable the first candidate is than the next one or than unknown; None as above."""
    is_uncalibrated: bool = False
    """Whether probabilities rest on calibrations from other libraries."""
    has_uncounted: bool = False
    """Whether face or tattoos were compared and count nothing: a test showed that they hurt."""
    grouping_clearness: float = 1.0
    """How clearly what was seen belongs to one person, 0..1; by geometry, no probability."""

    @property
    def best(self) -> Candidate | None:
        """The first candidate, whatever the status."""
        return self.candidates[0] if self.candidates else None

    @property
    def identified(self) -> Candidate | None:
        """The first candidate if the person counts as identified."""
        return self.best if self.status is PersonStatus.IDENTIFIED else None

    @property
    def face(self) -> Sighting | None:
        """The face seen, None without one."""
        return next((seen for seen in self.sightings if seen.signal is Signal.FACE), None)

    @property
    def signals(self) -> frozenset[Signal]:
        """The signals that saw something of the person."""
        return frozenset(seen.signal for seen in self.sightings)


@dataclass(frozen=True, slots=True)
class SignalReport:
    """What a signal had to say about one image."""

    signal: Signal
    state: ReportState
    observe_ms: float
    score_ms: float
    observations: int
    detail: str

    @property
    def is_missing(self) -> bool:
        """Whether the answer had to do without a signal that was asked for."""
        return self.state in (ReportState.UNAVAILABLE, ReportState.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True)
class Identification:
    """Who is in an image."""

    width: int
    height: int
    people: tuple[Person, ...]
    """Largest face first, then people without a face by size."""
    reports: Mapping[Signal, SignalReport]
    policy: Policy
    unassigned: tuple[Sighting, ...]
    """Tattoos that belong to none of the people, and faces that are drawn in a tattoo."""
    elapsed_ms: float
    scene_years: tuple[SceneYear, ...] = ()
    """When the scene was made, as far as the people tell; none where the date was given, or nothing tells."""
