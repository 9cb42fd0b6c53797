#!/usr/bin/env bash
# Frozen features against fine-tuning on HAM10000, by `featkit run` and the study file beside this
# script, and what a random split would leak to the same heads. Needs ../shared; continues where it
# was interrupted. Leaves features and Runs in artifacts/ham10000/frozen_or_finetuned, tables, plots
# and report in artifacts/reference.
set -euo pipefail
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
WORK=artifacts/ham10000/frozen_or_finetuned
KEEP=artifacts/reference/frozen_or_finetuned

"$BIN/featkit" run scripts/frozen_or_finetuned.toml --out "$WORK"
plain=("$WORK"/runs/matched/plain/*/)
features=("$WORK"/features/*.h5)
if [ ${#plain[@]} != 1 ] || [ ${#features[@]} != 1 ]; then
    echo "$WORK holds the Runs of several recipes or features: move the old ones away" >&2
    exit 1
fi
"$BIN/featkit" compare "${plain[0]}" --leakage "${features[0]}" \
    --leakage-budgets 25,100 --out "$WORK/leakage"
rm -rf "$KEEP"
mkdir -p "$KEEP/leakage"
"$BIN/python" scripts/machine.py > "$KEEP/machine.json"
cp "$WORK"/matched/comparison/* "$KEEP"
cp "$WORK"/matched/{analysis.json,report.html,results.csv} "$KEEP"
cp "$WORK"/leakage/leakage.* "$KEEP/leakage"
"$BIN/python" scripts/update_readme.py
"$BIN/python" scripts/update_docs.py
