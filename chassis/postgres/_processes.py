"""Finding the processes of one cluster among all of the machine's."""

from pathlib import Path

__all__ = ["can_list_processes", "postgres_processes"]

_PROC = Path("/proc")


def can_list_processes() -> bool:
    """Whether the system shows its processes under /proc (Linux does)."""
    return (_PROC / "self" / "cmdline").exists()


def postgres_processes(cluster_name: str) -> list[int]:
    """Return the ids of all server processes whose setting cluster_name is `cluster_name`.

    PostgreSQL puts that name into the title of every process: `postgres: NAME: checkpointer`.
    """
    if not can_list_processes():
        return []
    numbers = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return sorted(pid for pid in numbers if _is_of_cluster(_command_line(pid), cluster_name))


def _command_line(pid: int) -> list[str]:
    try:
        return (_PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")
    except OSError:  # it ended meanwhile, or is hidden from us
        return []


def _is_of_cluster(command_line: list[str], cluster_name: str) -> bool:
    if not command_line:
        return False
    program, *arguments = command_line
    if program.startswith("postgres:"):
        return program.startswith(f"postgres: {cluster_name}:")
    return Path(program).name == "postgres" and f"cluster_name={cluster_name}" in arguments
