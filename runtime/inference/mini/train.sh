#!/bin/sh
# Train nacre-mini from nothing, or go on where an interrupted run stopped, and write the GGUF file.
# Needs the tools' programs (tests/run builds them), a C compiler, and python3 with torch (Debian:
# python3-torch). On a CPU one thread: two gain little and collapse under load. Where torch finds a GPU, a
# larger network; it reads more conversations in its 25 minutes than 150,000: CONVERSATIONS=2000000 MINUTES=25.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
folder=${1:-$here/../../../build/nacre-mini}
minutes=${MINUTES:-340}
python=${PYTHON:-/usr/bin/python3}
export PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
mkdir -p "$folder"
if [ ! -e "$folder/conversations.jsonl" ]; then
  "$python" "$here/generate.py" --seed 1 --conversations "${CONVERSATIONS:-150000}" --workers "${WORKERS:-1}" --out "$folder/part"
  mv "$folder/part" "$folder/conversations.jsonl"
fi
"$python" "$here/train.py" --folder "$folder" --minutes "$minutes" --data "$folder/conversations.jsonl"
"$python" "$here/export.py" "$folder/checkpoint.pt" "$folder/nacre-mini.gguf"
