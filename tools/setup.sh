#!/bin/sh
# Builds .venv from the pinned requirements; does nothing when the pins have not changed.
# Usage: tools/setup.sh run|dev
set -eu
cd "$(dirname "$0")/.."
set_name=$1
requirements=requirements.txt
[ "$set_name" = dev ] && requirements=requirements-dev.txt

find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Folio needs Python 3.11 or newer. Install it, then run make again." >&2
    exit 1
}

if [ ! -x .venv/bin/python ]; then
    # 3.11 first where it is the system's own: the pins were measured with it.
    python=$(PYTHON="${PYTHON:-python3 python3.13 python3.12 python3.11}" find_python)
    echo "Building .venv with $($python --version)."
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "Python cannot make an environment. On Debian or Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi

pins=$(cat requirements.txt "$requirements" pyproject.toml | .venv/bin/python -c \
    'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')
mark=.venv/.pins-$set_name
[ "$(cat "$mark" 2>/dev/null || true)" = "$pins" ] && exit 0

has_nvidia() { [ -e /dev/nvidia0 ] || command -v nvidia-smi >/dev/null 2>&1; }
torch_pin=$(grep '^torch==' requirements.txt)
if ! .venv/bin/python -c 'import torch' >/dev/null 2>&1; then
    echo "Installing about 0.8 GB of packages (3 GB on disk); a few minutes on a fast line."
    cpu_index=https://download.pytorch.org/whl/cpu
    if [ "$(uname -s)" = Linux ] && [ "${TORCH:-}" != cuda ] && ! has_nvidia; then
        # Without this a plain Linux PC gets gigabytes of CUDA that it cannot use.
        if .venv/bin/python -c \
            "import urllib.request as u; u.urlopen('$cpu_index/torch/', timeout=3)" 2>/dev/null; then
            .venv/bin/python -m pip install --quiet "$torch_pin" --index-url "$cpu_index"
        else
            echo "PyTorch's CPU index does not answer; taking torch from the default index" \
                "(up to 3 GB more when that brings CUDA)."
        fi
    fi
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
echo "$pins" >"$mark"
