#!/usr/bin/env bash
# The reference study: three backbones × three heads × seven budgets on HAM10000, grouped, and
# once with random splitting to show the leak. Needs ../shared; continues where it was interrupted.
# Leaves features and Runs in artifacts/ham10000, tables and plots in artifacts/reference.
set -euo pipefail
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
WORK=artifacts/ham10000
KEEP=artifacts/reference
if [ ! -e "$WORK/begun" ]; then # a new study, not the continuation of one: its times start anew
    mkdir -p "$WORK" "$KEEP"
    echo "step,seconds" > "$KEEP/times.csv"
    touch "$WORK/begun"
fi

timed() { # timed STEP COMMAND...: run it and note the seconds
    local step=$1 began=$SECONDS
    shift
    echo "\$ $*"
    "$BIN/$1" "${@:2}"
    echo "$step,$((SECONDS - began))" >> "$KEEP/times.csv"
}

"$BIN/python" scripts/machine.py > "$KEEP/machine.json"
features=()
for backbone in mobilenetv2_100.tf_in1k mobilenetv1_100.tf_in1k mobilenetv2_100.inat_insect; do
    features+=("$WORK/$backbone.h5")
    timed "extract $backbone" featkit extract ham10000:../shared/ham10000 \
        --backbone "local-dir:../shared/weights/$backbone" --precision fp32 --out "$WORK/$backbone.h5"
done
timed "fit grouped" featkit fit "${features[@]}" --draws 5 --draws-large 3 --out "$WORK/grouped"
timed "compare grouped" featkit compare "$WORK/grouped" --out "$KEEP/grouped"
timed "fit random" featkit fit "${features[@]}" --draws 2 --split random \
    --out "$WORK/random"
timed "compare random" featkit compare "$WORK/random" --out "$KEEP/random"
"$BIN/python" scripts/baseline.py "$WORK/mobilenetv2_100.tf_in1k.h5" "$WORK/grouped/plan.json" \
    > "$KEEP/baseline.json"
cp "$WORK/grouped/results.csv" "$KEEP/grouped/results.csv"
cp "$WORK/random/results.csv" "$KEEP/random/results.csv"
timed "export the winner" featkit export "$("$BIN/python" scripts/winner.py "$WORK/grouped")" \
    --features "${features[0]}" --features "${features[1]}" --features "${features[2]}" \
    --out "$WORK/winner"
cp "$WORK/winner/README.md" "$KEEP/model_card.md"
"$BIN/featkit" data check ham10000:../shared/ham10000 --json > "$KEEP/data_check.json"
"$BIN/python" scripts/update_readme.py
"$BIN/python" scripts/update_docs.py
