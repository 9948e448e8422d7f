# JupyterLab with the kernel of this repository.
#
#     docker build -t cgbg .                          # the Go backend, and XLA on the CPU
#     docker build -t cgbg --build-arg XLA=cuda .     # NVIDIA GPUs of the A100 class
#     docker run --rm -it --init -p 127.0.0.1:8888:8888 cgbg            # prints the address, with its token
#     docker run --rm -it --init --gpus all -p 127.0.0.1:8888:8888 cgbg
#
# XLA: cpu, cuda or none. cuda takes CUDA 13 or, where the build machine's driver is older than 580, CUDA 12; cuda12 and
# cuda13 choose. The plugin brings NVIDIA's libraries along, so that the host needs its driver and the container toolkit
# only. Keep what you make with -v "$PWD/runs:/home/cgbg/lab/runs".

# The kernel compiles cells: the image has Go and a C compiler.
ARG GO_IMAGE=golang:1.26-bookworm
FROM ${GO_IMAGE}

RUN apt-get update \
	&& apt-get install -y --no-install-recommends python3-venv \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --create-home --uid 1000 --shell /bin/bash cgbg \
	&& install -d -o cgbg -g cgbg /home/cgbg/lab

# What the container toolkit is to pass in, with --gpus; without it these do nothing.
ENV NVIDIA_VISIBLE_DEVICES=all \
	NVIDIA_DRIVER_CAPABILITIES=compute,utility

USER cgbg
WORKDIR /home/cgbg/lab
ENV GOPATH=/home/cgbg/go \
	GOTOOLCHAIN=local \
	PIP_NO_CACHE_DIR=1 \
	PREFIX=/home/cgbg/jupyter \
	PATH=/home/cgbg/jupyter/bin:/home/cgbg/go/bin:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin

# The modules first: they change less often than the code.
COPY --chown=cgbg:cgbg go.mod go.sum ./
RUN go mod download

COPY --chown=cgbg:cgbg . .
ARG XLA=cpu
RUN XLA=${XLA} kernel/docker/install.sh

EXPOSE 8888
# Jupyter asks for a token, which it makes at each start and prints; it can be set by the environment's JUPYTER_TOKEN.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser"]
