#!/usr/bin/env bash
# Makes the environment from lock files: install.sh VENV LOCK [LOCK ...]
set -euo pipefail
venv=$1; shift
began=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$1"; }

python=$(command -v "$PYTHON" || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
  echo "Storewise needs Python 3.11; ${python:-no python} was found. Install it, then type: make up PYTHON=/path/to/python3.11" >&2
  exit 1
fi
[ -x "$venv/bin/python" ] || { say "making the environment in $venv"; "$python" -m venv "$venv"; }
for lock in "$@"; do
  say "installing $lock ($(grep -c '==' "$lock") packages)"
  # Locked without resolving: the lock holds every package. A progress line each 10 s, the rest in the log.
  "$venv/bin/pip" install --disable-pip-version-check --no-deps --no-compile --progress-bar off \
    -r "$lock" >"$venv/install.log" 2>&1 &
  pip=$!
  while kill -0 $pip 2>/dev/null; do
    sleep 1
    if [ $(((SECONDS - began) % 10)) = 0 ]; then
      say "$(grep -c '^Collecting' "$venv/install.log" || true) packages fetched: $(grep '^Collecting' "$venv/install.log" | tail -1 | cut -d' ' -f2)"
    fi
  done
  if ! wait $pip; then
    grep -v WARNING "$venv/install.log" | tail -5 >&2
    echo "The install failed; all of it is in $venv/install.log. Mend what it says, then type: make up" >&2
    exit 1
  fi
done
say "installing storewise"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --editable .
if ! "$venv/bin/python" -c 'import torch' 2>"$venv/torch.log"; then
  if [ -n "${TORCH_CPU_INDEX:-}" ]; then
    say "torch does not import: fetching its CPU build"
    "$venv/bin/pip" install --disable-pip-version-check --no-deps --force-reinstall \
      --index-url "$TORCH_CPU_INDEX" -r requirements/torch.txt
    "$venv/bin/python" -c 'import torch'
  else
    tail -1 "$venv/torch.log" >&2
    echo "torch does not import: this is PyTorch's CUDA build. Type: make up TORCH_CPU_INDEX=ADDRESS, with the CPU index that PyTorch's site names." >&2
    exit 1
  fi
fi
say "installed ($(du -sh "$venv" | cut -f1))"
