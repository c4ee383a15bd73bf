#!/usr/bin/env bash
# Build a copy of the checkout with AddressSanitizer and UndefinedBehaviorSanitizer, and run the tests
# of the code that computes addresses, and two minutes of random calls:
#
#     PYTHON=.venv/bin/python tools/sanitize.sh [pytest arguments]
#
# It needs gcc and, in that Python, the packages of the extra "test". The build takes about ten minutes.
# A report of a sanitizer ends the run and shows the stack of the fault.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
python=$(realpath --no-symlinks "${PYTHON:-python3}")
tests=(
    tests/test_boundaries.py tests/test_streaming.py tests/test_pool.py tests/test_threads.py
    tests/test_layouts.py tests/test_out.py tests/test_prelu.py
)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
(cd "$checkout" && git ls-files -z | tar --null -T - -cf -) | tar -xf - -C "$copy"
cd "$copy"

sanitizers="-fsanitize=address,undefined"
CC=gcc CFLAGS="$sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer" LDFLAGS=$sanitizers \
    "$python" setup.py -q build_ext --inplace

# Python itself is not instrumented, so the sanitizers are loaded before it. It frees little at its end,
# so leaks are not reported. Every object comes from malloc, which puts guard zones around it; the blocks
# of the pool have none, so it is turned off.
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD PYTHONMALLOC=malloc FASTACT_POOL_BYTES=0
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
levels=($("$python" -c "from fastact.driver import supported_levels; print(*supported_levels())"))
for level in "${levels[@]}"; do
    echo "+ random calls, instruction set $level"
    FASTACT_ISA=$level "$python" tools/fuzz.py --seconds 120 --backend cython numpy
done
# The driver is the same at each level: the tests run once, at the highest.
"$python" -m pytest -q -n 0 -p no:cacheprovider "${@:-${tests[@]}}"
