#!/usr/bin/env bash
# Renews constraints.txt: installs the newest versions pyproject.toml allows into a scratch environment and
# writes down each by name and version. Run the tests afterwards; they are what the pins promise.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
mapfile -t wanted < <("$scratch/venv/bin/python" scripts/requirements.py browser console postgresql softphone speech test webrtc)
"$scratch/venv/bin/python" -m pip install --quiet "${wanted[@]}"
"$scratch/venv/bin/python" -m pip list --format=freeze --exclude pip --exclude setuptools |
    LC_ALL=C sort -f >"$scratch/constraints.txt"
cp "$scratch/constraints.txt" constraints.txt
wc -l constraints.txt
