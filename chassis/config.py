"""One TOML file and MARQUEE_<SECTION>_<FIELD> variables, parsed strictly, once, at start."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import platformdirs
import pydantic

from chassis.errors import ConfigError

__all__ = [
    "Section",
    "LogSection",
    "DatabaseSection",
    "ImagesSection",
    "ModelsSection",
    "InferenceSection",
    "IndexSection",
    "ServerSection",
    "Port",
    "MetricsPort",
    "ProcessConfig",
    "load_config",
    "config_file",
]

_PREFIX = "MARQUEE_"
# Read by other parts than sections: where the file is, where data and models lie.
_PLAIN_VARIABLES = {"MARQUEE_CONFIG", "MARQUEE_DATA"}
_SERVICES_GROUP = "marquee.services"


# A TCP port; 0 lets the system choose. An alias, so that a service that changes the default keeps the range.
Port = Annotated[int, pydantic.Field(ge=0, le=65535)]


def _none_when_off(value: object) -> object:
    return None if value == "off" else value


# A port, or None, which the settings call "off".
MetricsPort = Annotated[Port | None, pydantic.BeforeValidator(_none_when_off)]


class Section(pydantic.BaseModel):
    """A frozen group of settings; an unknown or malformed field is an error that names it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class LogSection(Section):
    """How a process reports."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is written."""
    format: Literal["console", "json"] = "console"
    """For people or for machines."""


class DatabaseSection(Section):
    """Where PostgreSQL is."""

    dsn: str = ""
    """Connection string; empty: `marquee up` runs an embedded server. With a password, prefer `dsn_file`."""
    dsn_file: Path | None = None
    """File whose first line is the connection string; wins over `dsn`."""
    pool_size: int = pydantic.Field(default=8, ge=2, le=100)
    """Most connections of one process; a signal keeps one of them to hear of changes."""
    command_timeout_seconds: float = pydantic.Field(default=10.0, gt=0)
    """Longest a statement may take."""

    def resolve_dsn(self) -> str:
        """The connection string. Raises ConfigError when there is none."""
        dsn = _first_line(self.dsn_file) if self.dsn_file else self.dsn
        if not dsn:
            raise ConfigError(
                "database.dsn: no PostgreSQL is configured; set database.dsn or database.dsn_file, "
                "or start everything with `marquee up`, which runs an embedded one"
            )
        return dsn


class ImagesSection(Section):
    """What pictures are accepted."""

    max_bytes: int = pydantic.Field(default=32 * 2**20, ge=1024)
    """Most bytes of an encoded picture."""
    max_pixels: int = pydantic.Field(default=50_000_000, ge=4096)
    """Most pixels of a picture, read from its header before anything is decoded."""


class ModelsSection(Section):
    """Where built models lie."""

    directory: Path | None = None
    """Folder that `marquee models build` fills; by default in the user's cache."""


class InferenceSection(Section):
    """Where and how models run."""

    triton_url: str = ""
    """host:port of a Triton server's gRPC endpoint that runs the models; empty: they run in this process."""
    triton_timeout_seconds: float = pydantic.Field(default=10.0, gt=0)
    """Longest a call of a model takes that nobody gave a deadline, such as one at the start."""
    triton_retry_seconds: float = pydantic.Field(default=5.0, ge=0)
    """Longest that a call is tried again, within its deadline, while Triton is away or has a full queue."""

    threads: int = pydantic.Field(default=1, ge=1, le=256)
    """CPU threads of one model call. Models and services run side by side, so more is rarely faster."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What models run on in this process: a GPU if one can be used, else the CPU; or exactly one of them."""
    gpu: int = pydantic.Field(default=0, ge=0)
    """Number of the GPU, where there are several."""
    gpu_memory_bytes: int | None = pydantic.Field(default=None, ge=2**20)
    """Most memory of each model on the GPU; not set: what there is."""
    gpu_idle_seconds: float = pydantic.Field(default=300.0, ge=0)
    """A model on a GPU that has not run for so long is closed, so that others have the memory; the next call
    opens it again. 0: never."""
    max_batch: int | None = pydantic.Field(default=None, ge=1, le=1024)
    """Most items in one model call; not set: 4 on a CPU, where more only takes memory, 32 on a GPU."""
    max_waiting: int = pydantic.Field(default=512, ge=1)
    """Items that may wait for a model before requests are refused as overload."""


class IndexSection(Section):
    """How vectors are kept in memory, and in files that save reading everything at the next start."""

    directory: Path | None = None
    """Folder for index files; they hold what is enrolled, as the database does. Unset: none are written, and
    a start reads everything from the database. `marquee up` sets it."""
    compact: bool = False
    """Keep vectors rounded in memory and the originals in a mapped file: less than half of the memory."""
    snapshot_seconds: float = pydantic.Field(default=600.0, ge=1)
    """A change is in the files after so long; many changes are sooner."""
    poll_seconds: float = pydantic.Field(default=1.0, gt=0, le=60)
    """The database is asked so often what changed; mostly it tells at once."""
    recall_seconds: float = pydantic.Field(default=3600.0, ge=1)
    """So often the index is compared with an exact search."""
    recall_sample: int = pydantic.Field(default=200, ge=10, le=10_000)
    """Stored vectors that are searched for then."""
    recall_warning: float = pydantic.Field(default=0.95, ge=0, le=1)
    """Below this share of the ten nearest vectors found, status and log warn."""


class ServerSection(Section):
    """Where a process listens and how much it takes. A service adds its own fields."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback unless you decide otherwise: there is no authentication."""
    port: Port = 0
    """TCP port; 0 lets the system choose."""
    metrics_host: str = "127.0.0.1"
    """Address on which /metrics is served for Prometheus. Loopback, as for `host`."""
    metrics_port: MetricsPort = None
    """TCP port of /metrics; 0 lets the system choose, "off" serves none."""
    max_message_bytes: int = pydantic.Field(default=40 * 2**20, ge=2**16)
    """Most bytes of one gRPC message; leave room above images.max_bytes."""
    max_concurrent_rpcs: int = pydantic.Field(default=64, ge=1)
    """Calls served at a time; further ones get RESOURCE_EXHAUSTED."""
    default_deadline_seconds: float = pydantic.Field(default=30.0, gt=0)
    """Deadline of a call that came without one; streams have none."""
    drain_seconds: float = pydantic.Field(default=10.0, ge=0)
    """Time that running calls get to finish after the first stop signal."""
    max_connection_age_seconds: float = pydantic.Field(default=300.0, gt=0)
    """Clients reconnect at about this age, so that new replicas get their share."""


class ProcessConfig(Section):
    """The sections that every process reads."""

    log: LogSection = LogSection()
    """[log]"""
    database: DatabaseSection = DatabaseSection()
    """[database]"""
    images: ImagesSection = ImagesSection()
    """[images]"""
    models: ModelsSection = ModelsSection()
    """[models]"""
    inference: InferenceSection = InferenceSection()
    """[inference]"""
    index: IndexSection = IndexSection()
    """[index]"""


ConfigT = TypeVar("ConfigT", bound=Section)


def load_config(
    schema: type[ConfigT], *, path: Path | None = None, environ: Mapping[str, str] | None = None
) -> ConfigT:
    """Settings of one process from the TOML file, overlaid by the environment.

    Sections of other processes are left to them; a section nobody knows is an error. Raises ConfigError
    naming the field.
    """
    environ = os.environ if environ is None else environ
    values = _read_file(path or config_file(environ))
    _overlay(values, environ, schema)
    own = {name: value for name, value in values.items() if name in schema.model_fields}
    unknown = sorted(set(values) - set(own) - _sections_of_others())
    if unknown:
        raise ConfigError(f"{unknown[0]}: no such section")
    try:
        return schema.model_validate(own)
    except pydantic.ValidationError as exc:
        raise ConfigError(_first_problem(exc)) from exc


def config_file(environ: Mapping[str, str] | None = None) -> Path | None:
    """The settings file: MARQUEE_CONFIG, else marquee.toml in the user's config folder if it is there."""
    environ = os.environ if environ is None else environ
    if named := environ.get("MARQUEE_CONFIG"):
        return Path(named)
    default = platformdirs.user_config_path("marquee") / "marquee.toml"
    return default if default.exists() else None


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror})") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: not valid TOML ({exc})") from exc


def _overlay(values: dict[str, Any], environ: Mapping[str, str], schema: type[Section]) -> None:
    """Put MARQUEE_<SECTION>_<FIELD> over the file's values; every such variable must name a known section."""
    sections = set(schema.model_fields) | _sections_of_others()
    for variable, text in environ.items():
        if not variable.startswith(_PREFIX) or variable in _PLAIN_VARIABLES:
            continue
        section, _, field = variable.removeprefix(_PREFIX).lower().partition("_")
        if section not in sections or not field:
            raise ConfigError(f"{variable}: no setting of that name")
        if section in schema.model_fields:
            _set(values, section, field, _split_if_list(text, schema, section, field))


def _set(values: dict[str, Any], section: str, field: str, value: object) -> None:
    table = values.setdefault(section, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{section}: must be a section")
    table[field] = value


def _split_if_list(text: str, schema: type[Section], section: str, field: str) -> object:
    """Lists are given in a variable as comma-separated words."""
    section_type = schema.model_fields[section].annotation
    if not (isinstance(section_type, type) and issubclass(section_type, Section)):
        return text
    info = section_type.model_fields.get(field)
    is_words = info is not None and get_origin(info.annotation) in (tuple, list, frozenset)
    if is_words and info is not None and str in get_args(info.annotation):
        return [word.strip() for word in text.split(",") if word.strip()]
    return text


def _sections_of_others() -> set[str]:
    services = {entry.name for entry in entry_points(group=_SERVICES_GROUP)}
    return services | set(ProcessConfig.model_fields) | {"up"}


def _first_problem(error: pydantic.ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}"


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as exc:
        raise ConfigError(f"database.dsn_file: {path} cannot be read ({exc.strerror})") from exc
    return lines[0].strip() if lines else ""
