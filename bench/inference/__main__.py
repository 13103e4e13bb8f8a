"""`python -m bench.inference [--json FILE]`: what it costs and gains to let Triton run the models.

Each model is timed on inputs that the services really make of photographs: in this process as the services
run it, and in Triton (the stand-in on this machine's CPU) without batching, with the shipped batching, and
with batching that waits. All sides of a model and concurrency take turns in one run, the highest
concurrency first, as on a connection that has been in use: HTTP/2 widens its window with the load. Then the
whole system identifies photographs through both paths, in turn.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferenceServerClient

from bench.inference.identify import IN_PROCESS, TRITON, time_identify
from bench.inference.inputs import record_inputs, served_specs
from bench.inference.timing import Figures, time_in_turn
from bench.inference.variants import DELAYS, PLAIN, SHIPPED, variant_name, write_variants
from bench.latency.pictures import DEFAULT_DATA, TimedPicture, portraits, whole_figure
from bench.report import print_heading, print_table, write_json
from chassis.inference import Inference, ModelFile
from chassis.inference.onnx import OnnxInference
from chassis.inference.triton import TritonInference
from chassis.models import ModelSpec, ModelStore
from client.triton_stand_in.environment import ensure_environment
from client.triton_stand_in.server import TritonPorts, TritonProcess, running_triton

_SEED = 20261126
_CONCURRENCIES = (1, 8, 32)
_VARIANTS = (PLAIN, SHIPPED, *DELAYS)
# The limits the client is built to, on models that take at least so long in process.
_LEAST_MS, _MOST_OVERHEAD_MS, _MOST_LOSS = 5.0, 2.0, 0.15
_NOTHING_LOADED = ("--model-control-mode=explicit",)

_Cell = dict[str, Figures]
"""Figures by side, of one model at one concurrency."""


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DEFAULT_DATA,
    show_default=True,
    help="Labeled Faces in the Wild: a folder `identities` with one folder for each person.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures to this file.")
@click.option("--rounds", default=3, show_default=True, help="Turns of each side.")
@click.option("--seconds", default=0.6, show_default=True, help="Length of one turn.")
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option("--skip-identify", is_flag=True, help="Leave out the whole system.")
def main(
    data: Path,
    json_path: Path | None,
    rounds: int,
    seconds: float,
    models: tuple[str, ...],
    skip_identify: bool,
) -> None:
    """Measure latency and throughput of models in process and in Triton."""
    try:
        people = portraits(data, 40)
    except FileNotFoundError as exc:
        raise click.ClickException(f"no photographs in {data}: name their folder with --data") from exc
    print_heading("bench/inference", seed=_SEED)
    cells = asyncio.run(_measure_models(people, set(models), rounds=rounds, seconds=seconds))
    _print_models(cells)
    payload: dict[str, Any] = {"seed": _SEED, "models": _plain(cells)}
    if not skip_identify:
        whole = asyncio.run(_measure_identify(people, rounds=rounds))
        _print_identify(whole)
        payload["identify"] = _plain(whole)
    write_json(json_path, payload)


async def _measure_models(
    people: Sequence[TimedPicture], only: set[str], *, rounds: int, seconds: float
) -> dict[str, dict[int, _Cell]]:
    store = ModelStore()
    specs = [spec for spec in served_specs(store) if not only or spec.name in only]
    images = [person.data for person in people[:8]] + [whole_figure().data]
    inputs = await record_inputs(images, store, most=32)
    environment = ensure_environment(report=click.echo)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="marquee-bench-")))
        for spec in specs:
            write_variants(folder / "models", store, spec)
        process = TritonProcess(
            environment,
            folder / "models",
            log=folder / "triton.log",
            ports=TritonPorts.ephemeral(),
            options=_NOTHING_LOADED,
        )
        await stack.enter_async_context(running_triton(process, ready_timeout=120))
        return {
            spec.name: await _measure_model(
                spec, store, process.address, inputs[spec.name], rounds=rounds, seconds=seconds
            )
            for spec in specs
        }


async def _measure_model(
    spec: ModelSpec,
    store: ModelStore,
    address: str,
    inputs: NDArray[np.float32],
    *,
    rounds: int,
    seconds: float,
) -> dict[int, _Cell]:
    """The model on every side at every concurrency; nothing else is loaded meanwhile."""
    names = {variant: variant_name(spec.name, variant) for variant in _VARIANTS}
    files = {variant: ModelFile(name=name, version=spec.version) for variant, name in names.items()}
    async with (
        InferenceServerClient(address) as server,
        OnnxInference.open({spec.name: store.path(spec.name)}) as local,
        TritonInference.open(address, files, timeout_seconds=120.0) as triton,
    ):
        for name in names.values():
            await server.load_model(name, client_timeout=120)
        calls = {IN_PROCESS: partial(_infer, local, spec.name, inputs)} | {
            variant: partial(_infer, triton, variant, inputs) for variant in _VARIANTS
        }
        cells = {
            concurrency: await time_in_turn(calls, concurrency=concurrency, rounds=rounds, seconds=seconds)
            for concurrency in reversed(_CONCURRENCIES)
        }
        for name in names.values():
            await server.unload_model(name, client_timeout=120)
        return cells


async def _infer(inference: Inference, model: str, inputs: NDArray[np.float32], number: int) -> object:
    index = number % len(inputs)
    return await inference.infer(model, inputs[index : index + 1])


async def _measure_identify(people: Sequence[TimedPicture], *, rounds: int) -> dict[str, dict[int, _Cell]]:
    kinds: dict[str, Sequence[TimedPicture]] = {
        "250x250 face": people[:20],
        "1080p, one person": [whole_figure()],
    }
    return await time_identify(kinds, people, concurrencies=(1, 4), rounds=rounds, seconds=4.0)


def _print_models(cells: Mapping[str, Mapping[int, _Cell]]) -> None:
    sides = (IN_PROCESS, *_VARIANTS)
    shown: dict[str, Callable[[Figures], str]] = {
        "Latency at p50, milliseconds": lambda one: f"{one.p50_ms:.1f}",
        "Throughput, inputs a second": lambda one: f"{one.per_second:.0f}",
    }
    for title, show in shown.items():
        rows = [
            [f"{model}, {concurrency} at a time", *(show(cell[side]) for side in sides)]
            for model, by_concurrency in cells.items()
            for concurrency, cell in sorted(by_concurrency.items())
        ]
        print_table(title, ["model", IN_PROCESS, *(f"Triton, {one}" for one in _VARIANTS)], rows)
    print_table(
        f"Shipped configuration against in process; limits for models over {_LEAST_MS:.0f} ms: overhead "
        f"{_MOST_OVERHEAD_MS:.0f} ms at 1, loss {_MOST_LOSS:.0%} at 8",
        ["model", "in process ms", "overhead ms", "within", "loss at 8", "within"],
        [_judged(model, by_concurrency) for model, by_concurrency in cells.items()],
    )


def _judged(model: str, cells: Mapping[int, _Cell]) -> list[str]:
    alone, busy = cells[1], cells[8]
    overhead = alone[SHIPPED].p50_ms - alone[IN_PROCESS].p50_ms
    loss = 1 - busy[SHIPPED].per_second / busy[IN_PROCESS].per_second
    counts = alone[IN_PROCESS].p50_ms > _LEAST_MS
    return [
        model,
        f"{alone[IN_PROCESS].p50_ms:.1f}",
        f"{overhead:.2f}",
        _within(overhead <= _MOST_OVERHEAD_MS, counts),
        f"{loss:.0%}",
        _within(loss <= _MOST_LOSS, counts),
    ]


def _within(is_kept: bool, counts: bool) -> str:
    return ("yes" if is_kept else "NO") if counts else "does not count"


def _print_identify(whole: Mapping[str, Mapping[int, _Cell]]) -> None:
    rows = [
        [
            f"{kind}, {concurrency} at a time",
            *(f"{cell[side].p50_ms:.0f}" for side in (IN_PROCESS, TRITON)),
            *(f"{cell[side].per_second:.1f}" for side in (IN_PROCESS, TRITON)),
            f"{cell[TRITON].p50_ms / cell[IN_PROCESS].p50_ms:.2f}",
        ]
        for kind, by_concurrency in whole.items()
        for concurrency, cell in by_concurrency.items()
    ]
    columns = ["picture", "p50 ms in process", "Triton", "a second in process", "Triton", "ratio of p50"]
    print_table("Identify, all signals", columns, rows)


def _plain(cells: Mapping[str, Mapping[int, _Cell]]) -> dict[str, Any]:
    return {
        name: {
            str(concurrency): {side: asdict(one) for side, one in cell.items()}
            for concurrency, cell in by_concurrency.items()
        }
        for name, by_concurrency in cells.items()
    }


if __name__ == "__main__":
    main()
