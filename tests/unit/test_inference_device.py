"""Which device models run on: what the owner wants, held against what can be used."""

from typing import Any

import pytest
import structlog

from chassis.config import InferenceSection
from chassis.errors import ConfigError
from chassis.inference._cuda import Provider, has_cuda, problem_with
from chassis.inference.device import CPU, Device, choose_device


class Machine:
    """A build of ONNX Runtime and a GPU, or what is the matter with them."""

    def __init__(self, *, is_built_in: bool = True, problem: str = "") -> None:
        self.tried: list[list[Provider]] = []
        self._is_built_in = is_built_in
        self._problem = problem

    def is_built_in(self) -> bool:
        return self._is_built_in

    def problem(self, providers: list[Provider]) -> str:
        self.tried.append(providers)
        return self._problem


def chosen(choice: Any, machine: Machine, **options: Any) -> tuple[Device, list[Any]]:
    """The device, and what was logged."""
    with structlog.testing.capture_logs() as logs:
        device = choose_device(choice, is_built_in=machine.is_built_in, problem=machine.problem, **options)
    return device, logs


def test_a_gpu_that_works_is_used() -> None:
    """Without being asked, and without a word."""
    assert chosen("auto", Machine()) == (Device(gpu=0), [])


def test_a_build_without_cuda_is_silent() -> None:
    """On most machines there is no GPU and nothing to say; nothing is tried either."""
    machine = Machine(is_built_in=False)
    assert chosen("auto", machine) == (CPU, [])
    assert machine.tried == []


def test_cuda_that_cannot_be_used_is_one_line_with_the_reason() -> None:
    """Models run on the CPU, and the owner reads why."""
    device, logs = chosen("auto", Machine(problem="there is no NVIDIA driver"))
    assert device == CPU
    assert [(line["log_level"], line["reason"]) for line in logs] == [
        ("warning", "there is no NVIDIA driver")
    ]


def test_the_cpu_can_be_asked_for() -> None:
    """A GPU that is there is left to others."""
    machine = Machine()
    assert chosen("cpu", machine) == (CPU, [])
    assert machine.tried == []


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine(is_built_in=False), "is built without it"),
        (Machine(problem="no CUDA-capable device is detected"), "no CUDA-capable device is detected"),
    ],
)
def test_cuda_that_is_asked_for_and_cannot_be_used_stops_the_start(machine: Machine, words: str) -> None:
    """The error names the setting and the reason."""
    with pytest.raises(ConfigError, match=rf"inference\.device: .*{words}"):
        chosen("cuda", machine)


def test_options_of_a_gpu_are_made_for_sharing_it() -> None:
    """The one that was named, at most the memory that was allowed, no more at a time than is needed."""
    machine = Machine()
    device, _ = chosen("cuda", machine, gpu=1, memory_bytes=2**30)
    assert device.is_required
    options = {
        "device_id": "1",
        "gpu_mem_limit": "1073741824",
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0",
    }
    assert device.providers == [("CUDAExecutionProvider", options), "CPUExecutionProvider"]
    assert machine.tried == [device.providers]


def test_this_machine_can_be_asked(capfd: pytest.CaptureFixture[str]) -> None:
    """The real question has an answer in words, whatever is installed, and prints nothing."""
    if has_cuda():
        assert problem_with(Device(gpu=0).providers).count("\n") == 0
    assert choose_device("auto") in (CPU, Device(gpu=0))
    assert "EP Error" not in "".join(capfd.readouterr())


def test_settings_say_auto() -> None:
    """A GPU is used where there is one, and given back after five minutes."""
    section = InferenceSection()
    assert (section.device, section.gpu, section.gpu_memory_bytes, section.gpu_idle_seconds) == (
        "auto",
        0,
        None,
        300,
    )
