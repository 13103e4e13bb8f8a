"""Judging identifications: who is judged, what counts as a miss, and what the report says."""

from pathlib import Path

import pytest

from chassis.geometry import Box
from client.catalogue import Performer
from client.commands.evaluate import report_document
from client.enrolling import Outcome, PictureResult
from client.evaluation import (
    Evaluation,
    EvaluationOptions,
    JudgedProbe,
    ProbeFile,
    count_identical,
    judge,
    probe_files,
)
from client.folders import PerformerFolder, Picture
from client.metrics import MISSING_SCORE
from client.values import (
    Candidate,
    ExternalId,
    Identification,
    Person,
    PersonStatus,
    Policy,
    ReportState,
    Sighting,
    Signal,
    SignalReport,
)

_BOX = Box(0, 0, 10, 10)


def _person(*names: str, signals: tuple[Signal, ...] = (Signal.FACE,), score: float = 0.9) -> Person:
    candidates = tuple(
        Candidate(name, name, (ExternalId("folder", name),), (), score - 0.1 * place, None, ())
        for place, name in enumerate(names)
    )
    sightings = tuple(Sighting(signal, _BOX, 1.0, "") for signal in signals)
    status = PersonStatus.IDENTIFIED if names and score >= 0.6 else PersonStatus.UNKNOWN
    return Person(_BOX, status, candidates, sightings, 0.0, (), False, 0.6)


def _seen(*people: Person, state: ReportState = ReportState.OK) -> Identification:
    report = SignalReport(Signal.FACE, state, 1.0, 1.0, len(people), "")
    return Identification(10, 10, people, {Signal.FACE: report}, Policy.WEIGHTED, (), 1.0)


def _folder(name: str, *pictures: Path) -> PerformerFolder:
    performer = Performer(name=name, external_ids=(ExternalId("folder", name),))
    return PerformerFolder(Path(name), performer, tuple(Picture(path, None) for path in pictures))


_ANN = ProbeFile(Path("ann.jpg"), "ann", "folder:ann")
_STRANGER = ProbeFile(Path("x.jpg"), "x", None)


def _judge(file: ProbeFile, *people: Person, expects_face: bool = True) -> JudgedProbe:
    return judge(file, _seen(*people), expects_face=expects_face)


def test_the_first_person_is_judged() -> None:
    """The largest face comes first; others in the picture count for nothing."""
    judged = _judge(_ANN, _person("ben", "ann"), _person("ann"))
    assert (judged.probe.rank, judged.probe.score) == (2, 0.9)


def test_a_missed_face_is_a_miss() -> None:
    """A body or tattoo alone is not judged, even if it ranks the right performer first."""
    judged = _judge(_ANN, _person("ann", signals=(Signal.BODY,)))
    assert (judged.person, judged.probe.rank, judged.probe.score) == (None, None, MISSING_SCORE)


def test_without_faces_asked_for_the_largest_person_is_judged() -> None:
    """With --signals tattoo,body nobody has a face, and the figures still mean something."""
    judged = _judge(_ANN, _person("ann", signals=(Signal.BODY,)), expects_face=False)
    assert judged.probe.rank == 1
    assert not EvaluationOptions(signals=(Signal.BODY,)).expects_face
    assert EvaluationOptions().expects_face


def test_an_unknown_has_a_score_but_no_rank() -> None:
    """The best score of an unknown makes the false alarm; a rank would have no meaning."""
    judged = _judge(_STRANGER, _person("ann", score=0.7))
    assert (judged.probe.is_known, judged.probe.rank, judged.probe.score) == (False, None, 0.7)


def test_probe_folders_missing_in_the_gallery_are_unknowns() -> None:
    """Matched by folder name; the performer is recognised by its external id."""
    gallery = [_folder("ann"), _folder("ben")]
    files = probe_files(
        gallery, [_folder("ann", Path("1.jpg"), Path("2.jpg")), _folder("cleo", Path("3.jpg"))]
    )
    assert [(file.identity, file.expected) for file in files] == [
        ("ann", "folder:ann"),
        ("ann", "folder:ann"),
        ("cleo", None),
    ]


def test_probes_that_are_gallery_files_are_counted(tmp_path: Path) -> None:
    """The same bytes under another name are found."""
    for name, data in (("a.jpg", b"one"), ("b.jpg", b"one"), ("c.jpg", b"two")):
        (tmp_path / name).write_bytes(data)
    gallery = [_folder("ann", tmp_path / "a.jpg")]
    files = [ProbeFile(tmp_path / name, "ann", "folder:ann") for name in ("b.jpg", "c.jpg", "gone.jpg")]
    assert count_identical(gallery, files) == 1


def test_oversized_files_are_never_identical(tmp_path: Path) -> None:
    """They are neither enrolled nor identified, so they are not read either."""
    for name in ("a.jpg", "b.jpg"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(41 * 2**20)
    probes = [ProbeFile(tmp_path / "b.jpg", "ann", "folder:ann")]
    assert count_identical([_folder("ann", tmp_path / "a.jpg")], probes) == 0


def _evaluation() -> tuple[Evaluation, list[JudgedProbe]]:
    gallery = [_folder("ann", Path("a.jpg")), _folder("ben", Path("b.jpg"))]
    enrolled = [
        PictureResult(gallery[0], Path("a.jpg"), Outcome.ENROLLED, "", ("face",), (), "1"),
        PictureResult(gallery[1], Path("b.jpg"), Outcome.REJECTED, "no face", (), (), "2"),
    ]
    ben = ProbeFile(Path("ben.jpg"), "ben", "folder:ben")
    judged = [
        _judge(_ANN, _person("ann", signals=(Signal.FACE, Signal.BODY))),
        _judge(ben, _person("ann", score=0.65)),
        _judge(ben),
        judge(_STRANGER, _seen(_person("ann", score=0.3), state=ReportState.UNAVAILABLE), expects_face=True),
    ]
    return Evaluation(enrolled, judged, gallery=gallery, n_identical=0), judged


def test_counts_say_what_was_measured() -> None:
    """A performer without an enrolled picture stays in the gallery, and their probes are misses."""
    evaluation, _ = _evaluation()
    assert dict(evaluation.counts) == {
        "n_gallery": 2,
        "n_gallery_enrolled": 1,
        "n_gallery_images": 2,
        "n_gallery_images_rejected": 1,
        "n_probes": 4,
        "n_known": 3,
        "n_unknown": 1,
        "n_unknown_identities": 1,
        "n_detection_failures": 1,
        "n_probe_errors": 0,
        "n_degraded": 1,
        "n_probes_also_in_gallery": 0,
    }


def test_figures_of_a_small_run() -> None:
    """One of three known probes is first; the unknown scores 0.3, so the 0.9 is found at FPIR 1%."""
    figures = _evaluation()[0].figures
    values = {key: interval.value for key, interval in figures.items()}
    third = 1 / 3
    assert values == pytest.approx(
        {
            "rank1": third,
            "rank5": third,
            "fnir_at_fpir_0.01": 1 - third,
            "fnir_at_fpir_0.1": 1 - third,
            "detection_failures": 0.25,
            "identified_known": third,
            "identified_wrongly": third,
            "identified_unknown": 0.0,
            "availability_face": 0.75,
            "availability_tattoo": 0.0,
            "availability_body": 0.25,
        }
    )


def test_the_report_has_the_documented_keys() -> None:
    """Every key of the JSON report is in docs/evaluate.md, every figure has value, low and high."""
    evaluation, judged = _evaluation()
    document = report_document(evaluation, EvaluationOptions(), judged, {"enrol": 1.0, "all": 2.0})
    manual = (Path(__file__).resolve().parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")
    keys = [*document, *document["probes"][0], *document["thresholds"], *document["seconds"]]
    assert [key for key in keys if f"`{key}`" not in manual] == []
    for key in ("rank1", "rank5", "fnir_at_fpir_0.01", "fnir_at_fpir_0.1"):
        assert set(document[key]) == {"value", "low", "high"}
