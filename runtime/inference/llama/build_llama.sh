#!/usr/bin/env bash
# Builds the pinned llama.cpp once and caches it. CMake calls this at configure time; it can be run by hand.
#
#   build_llama.sh CACHE_ROOT cpu|cuda   -> prints the directory that holds src/ and lib/
#
# The source is llama.cpp v0.5.0 as carried, whole, by the npm package named below. It is checked
# against the package's published integrity value before a byte of it is unpacked. `npm pack` only
# downloads: the package's own install script, which may fetch binaries, never runs.
set -euo pipefail

readonly kPackage=node-llama-cpp@3.22.1
readonly kTarball=node-llama-cpp-3.22.1.tgz
readonly kIntegrity=bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==

cache_root=${1:?usage: build_llama.sh CACHE_ROOT cpu|cuda}
backend=${2:?usage: build_llama.sh CACHE_ROOT cpu|cuda}
jobs=${NACRE_JOBS:-$(nproc)}

# The key names everything that the result depends on, so an old cache can never be taken for a new one.
recipe=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
readonly dir="$cache_root/llama-0.5.0-$backend-$recipe"
say() { echo "llama.cpp: $*" >&2; }

if [ -e "$dir/complete" ]; then
  echo "$dir"
  exit 0
fi

for tool in npm git cmake ninja openssl; do
  command -v "$tool" >/dev/null || { say "needs $tool; install it (Debian: npm git cmake ninja-build openssl)"; exit 1; }
done

mkdir -p "$cache_root"
# One builder at a time: two configures that start together must not share a half-built tree.
exec 9>"$dir.lock"
flock 9
if [ -e "$dir/complete" ]; then
  echo "$dir"
  exit 0
fi
rm -rf "$dir"
mkdir -p "$dir/download" "$dir/lib"

say "fetching $kPackage (36 MB)"
(cd "$dir/download" && npm pack "$kPackage" --silent >/dev/null)
actual=$(openssl dgst -sha512 -binary "$dir/download/$kTarball" | base64 -w0)
if [ "$actual" != "$kIntegrity" ]; then
  say "integrity of $kPackage is sha512-$actual, expected sha512-$kIntegrity: refusing to build it"
  rm -rf "$dir"
  exit 1
fi
tar -xzf "$dir/download/$kTarball" -C "$dir/download" package/llama/gitRelease.bundle
git -c advice.detachedHead=false clone -q "$dir/download/package/llama/gitRelease.bundle" "$dir/src"
rm -rf "$dir/download"

flags=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF -DLLAMA_OPENSSL=OFF
  -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF
  -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF
  "-DCMAKE_C_FLAGS=-fstack-protector-strong -D_FORTIFY_SOURCE=2"
  "-DCMAKE_CXX_FLAGS=-fstack-protector-strong -D_FORTIFY_SOURCE=2")
if [ "$backend" = cuda ]; then
  flags+=(-DGGML_CUDA=ON -DGGML_CUDA_NCCL=OFF
    "-DCMAKE_CUDA_ARCHITECTURES=${NACRE_CUDA_ARCHITECTURES:-80-real;89-real;90-real}")
  command -v nvcc >/dev/null || flags+=(-DCMAKE_CUDA_COMPILER=/usr/local/cuda/bin/nvcc)
fi

say "building libllama and llama-common with $jobs jobs (about 6 minutes on two cores, once)"
log="$dir/build.log"
run() {
  "$@" 2>&1 | progress || { say "failed: $* (the end of $log follows)"; tail -n 40 "$log" >&2; exit 1; }
}
# Keeps all output in the log and shows every tenth of ninja's "[done/all]".
progress() {
  local line percent shown=0
  while IFS= read -r line; do
    echo "$line" >>"$log"
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]]; then
      percent=$((BASH_REMATCH[1] * 10 / BASH_REMATCH[2] * 10))
      if ((percent > shown)); then
        shown=$percent
        say "$percent %"
      fi
    fi
  done
}
run cmake -S "$dir/src" -B "$dir/build" -G Ninja "${flags[@]}"
run ninja -C "$dir/build" -j "$jobs" llama llama-common

find "$dir/build" -name '*.a' -exec mv {} "$dir/lib/" \;
rm -rf "$dir/build"
touch "$dir/complete"
say "cached in $dir"
echo "$dir"
