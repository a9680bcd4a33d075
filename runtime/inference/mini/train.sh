#!/bin/sh
# Train nacre-mini from nothing, or go on where an interrupted run stopped, and write the GGUF file.
# Needs python3 with torch (Debian: python3-torch). One thread: two gain little and collapse under load.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$here/../../../build/nacre-mini}
steps=${STEPS:-4000}
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
mkdir -p "$folder"
"$python" "$here/train.py" --folder "$folder" --steps "$steps"
"$python" "$here/export.py" "$folder/checkpoint.pt" "$folder/nacre-mini.gguf"
"$python" "$here/evaluate.py" --model "$folder/nacre-mini.gguf" # needs the release build
