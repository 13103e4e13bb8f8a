"""`python -m bench.index [--json FILE]`: recall, time and memory of the index at library sizes.

Voyager as the services use it, plain and compact, hnswlib with the same parameters where it is installed,
and comparing with every vector. The graphs are built once and kept in the user's cache: hours for a million;
an interrupted build is continued, and `--sizes` measures what is there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bench.index.builds import Build, HnswLibrary, Library, VoyagerLibrary, build
from bench.index.data import CLUSTERED, HARD, FaceLike
from bench.index.freshness import measure_freshness
from bench.index.loading import Loading, measure_loading
from bench.index.recall import Searches, Truth, exact_ms, measure_searches, truth_of
from bench.index.stalls import Place, measure_stalls
from bench.report import print_heading, print_table, write_json
from chassis.index import IndexSettings, VectorIndex

_HARD_EFS = (192, 384, 768, 1536)
_HARD_SIZE = 100_000
_EXACT_SIZES = (2_000, 10_000, 50_000)
_EXACT_PROBES = 50
_COMMITS = 200
_PLACES: tuple[Place, ...] = ("none", "thread", "process")


@click.command()
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option("--sizes", default="100000,366000,1000000", show_default=True, help="Vectors, ascending.")
@click.option("--probes", default=5000, show_default=True, help="Searches of each kind.")
@click.option("--kinds", default="voyager,voyager-compact,hnswlib", show_default=True, help="Graphs.")
@click.option("--seconds", default=20.0, show_default=True, help="Length of each measurement of stalls.")
@click.option("--skip-hard", is_flag=True, help="Leave out the less clustered set.")
def main(
    json_path: Path | None, sizes: str, probes: int, kinds: str, seconds: float, skip_hard: bool
) -> None:
    """Measure the index."""
    print_heading("bench/index", seed=CLUSTERED.seed)
    wanted = sorted(int(size) for size in sizes.split(","))
    libraries = [library for library in _libraries() if library.name in kinds.split(",")]
    payload: dict[str, Any] = {
        "seed": CLUSTERED.seed,
        "set": asdict(CLUSTERED),
        "within_identity_cosine": _within(CLUSTERED),
        "probes": probes,
        "graphs": _graphs(libraries, wanted, probes),
        "exact": _exact(wanted),
    }
    payload["freshness"] = _freshness(wanted)
    payload["stalls"] = _stalls(wanted, seconds)
    if not skip_hard:
        payload["hard"] = {"within_identity_cosine": _within(HARD), "by_ef": _hard(probes)}
    write_json(json_path, payload)


def _libraries() -> list[Library]:
    found: list[Library] = [VoyagerLibrary(), VoyagerLibrary(is_compact=True)]
    return [*found, HnswLibrary()] if importlib.util.find_spec("hnswlib") else found


def _graphs(libraries: Sequence[Library], sizes: Sequence[int], probes: int) -> list[dict[str, Any]]:
    figures = []
    builds = {library.name: build(library, CLUSTERED, sizes) for library in libraries}
    for place, size in enumerate(sizes):
        truth = truth_of(CLUSTERED, size, probes)
        for library in libraries:
            one = builds[library.name][place]
            index = library.load(one.path, CLUSTERED.dimension, size, size)
            searches = measure_searches(_find_with(index, size), truth)
            del index
            loading = None
            if isinstance(library, VoyagerLibrary):
                loading = measure_loading(library, one, CLUSTERED.dimension)
            figures.append(_figures(library, one, searches, loading))
    columns = (
        "graph",
        "vectors",
        "recall@10",
        "same performer",
        "p50 / p99 ms",
        "build ms",
        "write s",
        "read s",
        "kB",
    )
    print_table("Clustered", columns, [_row(one) for one in figures])
    return figures


def _find_with(index: Any, size: int) -> Any:
    if isinstance(index, VectorIndex):

        def find(probe: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            found = index.search(probe, k)
            ids = np.array([one.id for one in found], np.int64)
            return ids, np.array([one.similarity for one in found], np.float32)

        return find
    settings = IndexSettings()
    index.set_ef(settings.query_ef_of(size))

    def find_hnswlib(probe: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        ids, distances = index.knn_query(probe, k=settings.min_neighbors, num_threads=1)
        return ids[0][:k].astype(np.int64), (1 - distances[0][:k]).astype(np.float32)

    return find_hnswlib


def _figures(library: Library, one: Build, searches: Searches, loading: Loading | None) -> dict[str, Any]:
    return {
        "graph": library.name,
        "vectors": one.count,
        "build_cpu_ms_a_vector": one.cpu_seconds / one.count * 1e3,
        "build_wall_seconds": one.wall_seconds,
        **asdict(searches),
        "loading": asdict(loading) if loading is not None else None,
    }


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    loading = one["loading"]
    return (
        one["graph"],
        f"{one['vectors']:,}",
        f"{one['recall_at_10']:.4f}",
        f"{one['same_performer']:.4f}",
        f"{one['p50_ms']:.1f} / {one['p99_ms']:.1f}",
        f"{one['build_cpu_ms_a_vector']:.2f}",
        f"{loading['write_seconds']:.1f}" if loading else "",
        f"{loading['read_seconds']:.1f}" if loading else "",
        f"{loading['anonymous_bytes'] / 1000:.2f}" if loading else "",
    )


def _exact(sizes: Sequence[int]) -> dict[str, float]:
    """Comparing with every vector, which needs no graph."""
    everything = sorted({*_EXACT_SIZES, *sizes})
    vectors = CLUSTERED.vectors(everything[-1])
    found = {size: exact_ms(vectors[:size], vectors[:_EXACT_PROBES]) for size in everything}
    rows = [(f"{size:,}", f"{ms:.2f}") for size, ms in found.items()]
    print_table("Exact search", ("vectors", "p50 ms"), rows)
    return {str(size): ms for size, ms in found.items()}


def _freshness(sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Of each size: the work of one more vector grows slowly."""
    figures = [
        {"vectors": one.count, **asdict(measure_freshness(one, CLUSTERED, commits=_COMMITS))}
        for one in build(VoyagerLibrary(), CLUSTERED, sizes)
    ]
    columns = ("vectors", "found p50 s", "p99 s", "gone p50 s", "p99 s")
    names = ("found_p50", "found_p99", "gone_p50", "gone_p99")
    rows = [(f"{one['vectors']:,}", *(f"{one[name]:.3f}" for name in names)) for one in figures]
    print_table(f"After a commit, {_COMMITS} each", columns, rows)
    return figures


def _stalls(sizes: Sequence[int], seconds: float) -> list[dict[str, Any]]:
    """Of the largest index."""
    one = build(VoyagerLibrary(), CLUSTERED, [sizes[-1]])[0]
    figures = []
    for place in _PLACES:
        stalls = measure_stalls(place, one.path, CLUSTERED.dimension, one.count, seconds=seconds)
        figures.append({"searches_in": place, "vectors": one.count, **asdict(stalls)})
    columns = ("searches in", "health p50 ms", "p99 ms", "max ms", "search p50 ms", "searches")
    print_table(
        f"Health checks beside 50 searches a second, {one.count:,}", columns, [_stall_row(x) for x in figures]
    )
    return figures


def _stall_row(one: dict[str, Any]) -> tuple[object, ...]:
    milliseconds = (one[f"health_{name}_ms"] for name in ("p50", "p99", "max"))
    return (
        one["searches_in"],
        *(f"{ms:.1f}" for ms in milliseconds),
        f"{one['search_p50_ms']:.1f}",
        one["searches"],
    )


def _hard(probes: int) -> list[dict[str, Any]]:
    library = VoyagerLibrary()
    one = build(library, HARD, [_HARD_SIZE])[0]
    truth = truth_of(HARD, _HARD_SIZE, probes)
    figures = [{"ef": ef, **asdict(_with_ef(one, ef, truth))} for ef in _HARD_EFS]
    rows = [
        (str(x["ef"]), f"{x['recall_at_10']:.4f}", f"{x['same_performer']:.4f}", f"{x['p50_ms']:.1f}")
        for x in figures
    ]
    print_table(f"Hard, {_HARD_SIZE:,}", ("ef", "recall@10", "same performer", "p50 ms"), rows)
    return figures


def _with_ef(one: Build, ef: int, truth: Truth) -> Searches:
    settings = IndexSettings(query_ef=ef)
    index = VectorIndex.load(one.path, np.arange(one.count), HARD.dimension, settings=settings)
    return measure_searches(_find_with(index, one.count), truth)


def _within(data: FaceLike) -> float:
    """Mean cosine of two vectors of one identity."""
    owners, vectors = data.owners(20_000), data.vectors(20_000)
    is_same = owners[1:] == owners[:-1]
    return float((vectors[1:] * vectors[:-1]).sum(axis=1)[is_same].mean())


if __name__ == "__main__":
    main()
