"""The baseline that the reference study must beat: what a plain script does, on the same fold.

scikit-learn's LogisticRegression on the stored features as they are, nothing tuned, trained on all
labels of fold 0's training lesions; with and without class weights. JSON on stdout.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from sklearn.linear_model import LogisticRegression

from featkit import FeatureStore, Plan
from featkit.evaluate import scores


def main() -> None:
    store, plan = FeatureStore.open(sys.argv[1]), Plan.load(sys.argv[2])
    place = {name: row for row, name in enumerate(store.image_id)}
    train, test = (
        [place[name] for name in plan.image_id[rows]]
        for rows in (plan.train_rows(0, 100, 0), plan.test_rows(0))
    )
    features = store.numpy()
    found: dict[str, object] = {"backbone": store.backbone_name, "plan": plan.fingerprint}
    for name, weight in (("unweighted", None), ("class weights", "balanced")):
        model = LogisticRegression(max_iter=1000, class_weight=weight)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(features[train], store.label[train])
        result = scores(store.label[test], model.predict_proba(features[test]))
        found[name] = {metric: round(float(value[0]), 5) for metric, value in result.items()}
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    assert Path(sys.argv[1]).exists(), "usage: baseline.py FEATURES.h5 PLAN.json"
    main()
