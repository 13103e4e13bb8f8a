# Few commands; each does its own set-up and is cheap to repeat.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
GPU    := $(VENV)/.installed-gpu
TRAIN  := .venv-train
TORCH  ?= torch==2.13.0
PROTOS := $(sort $(wildcard protos/marquee/*/v1/*.proto))

.PHONY: demo test check proto up models setup gpu train-venv lock release-contract clean
.DEFAULT_GOAL := help
help:
	@echo "make demo    identify people in real photographs, from nothing"
	@echo "make test    run every test"
	@echo "make check   lint, types, import rules, contract"
	@echo "make up      run the services on this machine until Ctrl-C"
	@echo "make gpu     from now on models run on this machine's NVIDIA GPU"
	@echo "make proto   regenerate Python from the contract"
	@echo "make train-venv   an environment of its own for the studio and training"

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What `make gpu` has chosen once stays, whatever is installed later.
setup: $(STAMP) $(wildcard $(GPU))

# Both builds of ONNX Runtime bring the same files, so none may be there when the other comes or goes.
gpu: $(GPU)
$(GPU): $(STAMP) requirements-gpu.lock
	@echo "Installing ONNX Runtime with CUDA into $(VENV), more than 1 GB ..."
	@rm -f $(STAMP) # should this stop half way, the next `make` installs all again
	@$(BIN)/python -m pip uninstall --quiet --quiet --disable-pip-version-check --yes onnxruntime onnxruntime-gpu
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-gpu.lock
	@touch $(STAMP) $@

# PyTorch comes first and on its own: which build, for a processor or for CUDA, is yours to say with TORCH=.
train-venv: $(TRAIN)/.installed
$(TRAIN)/.installed: requirements.lock requirements-train.lock
	@$(PYTHON) -m venv $(TRAIN)
	@echo "Installing pinned packages into $(TRAIN) ..."
	@$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-train.lock
	@$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

models: setup
	@$(BIN)/marquee models build

demo: models
	@$(BIN)/marquee demo

test: models
	@$(BIN)/python -m pytest

up: models
	@$(BIN)/marquee up

proto: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -Iprotos --python_out=protos --grpc_python_out=protos \
	  --mypy_out=protos --mypy_grpc_out=protos $(PROTOS)

check: proto
	@git diff --exit-code --stat -- protos || { echo "generated code is not up to date: run make proto and commit"; exit 1; }
	@test -z "$$(git status --porcelain -- protos)" || { git status --short -- protos; echo "generated code is not committed"; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=protos:. $(BIN)/lint-imports --no-cache
	$(BIN)/buf lint protos
	$(BIN)/buf breaking protos --against protos/released.binpb

# Only for a release: makes today's contract the one that `buf breaking` protects. Say so in CHANGELOG.md.
release-contract: setup
	$(BIN)/buf build protos -o protos/released.binpb

# Only for who maintains the project: needs uv.
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet --output-file requirements.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["gpu"])' \
	  | uv pip compile - --universal --python-version 3.11 --generate-hashes --constraints requirements.lock \
	  --no-emit-package flatbuffers --no-emit-package numpy --no-emit-package packaging --no-emit-package protobuf \
	  --no-emit-index-url --no-header --quiet --output-file requirements-gpu.lock

	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["train"], sep="\n")' \
	  | uv pip compile - --universal --python-version 3.11 --generate-hashes --constraints requirements.lock \
	  --no-emit-package torch --no-emit-package triton $(foreach one,$(CUDA),--no-emit-package $(one)) \
	  --no-emit-index-url --no-header --quiet --output-file requirements-train.lock

# What PyTorch's build for CUDA asks for; it comes with that build.
CUDA := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc nvidia-cuda-runtime \
  nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 \
  nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx

clean:
	rm -rf $(VENV) $(TRAIN) build dist .mypy_cache .ruff_cache .pytest_cache
