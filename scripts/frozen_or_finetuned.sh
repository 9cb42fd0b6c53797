#!/usr/bin/env bash
# Frozen features against fine-tuning on HAM10000, by `featkit run` and the study file beside this
# script. Needs ../shared; continues where it was interrupted. Leaves features and Runs in
# artifacts/ham10000/frozen_or_finetuned, tables, plots and report in artifacts/reference.
set -euo pipefail
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
WORK=artifacts/ham10000/frozen_or_finetuned
KEEP=artifacts/reference/frozen_or_finetuned

"$BIN/featkit" run scripts/frozen_or_finetuned.toml --out "$WORK"
rm -rf "$KEEP"
mkdir -p "$KEEP"
"$BIN/python" scripts/machine.py > "$KEEP/machine.json"
cp "$WORK"/matched/comparison/* "$KEEP"
cp "$WORK/matched/analysis.json" "$WORK/matched/report.html" "$KEEP"
"$BIN/python" scripts/gather_results.py "$WORK" > "$KEEP/results.csv"
"$BIN/python" scripts/update_readme.py
