"""From what the network says to what the server says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

import numpy as np

from featkit.inference import Heat
from featkit.models import Estimate, TrainedModel, decides
from featkit.models.facts import Threshold
from featkit.serving._oracle import Oracle, Said
from featkit.serving._preparing import Prepared
from featkit.serving._thumbnails import Thumbnails
from featkit.serving.answers import AboutModel, Answer, HeatMap, NearCase, Strangeness, Takes
from featkit.serving.limits import Limits

__all__ = ["about", "said"]


def about(model: TrainedModel, oracle: Oracle, limits: Limits) -> AboutModel:
    """Return what is known of a model, and what its server takes.

    Args:
        model: The model.
        oracle: Makes its heat maps.
        limits: The server's.
    """
    facts = model.facts
    return AboutModel(
        name=facts.name,
        classes=list(facts.classes),
        backbone=f"{facts.backbone.architecture} ({facts.backbone.weights_sha256[:12]})",
        calibrated=facts.calibration.temperature is not None,
        calibration=_calibration(model),
        unlike_from=1.0 if facts.unlike is None else 1 - facts.unlike.level,
        false_alarms=_false_alarms(model),
        decides=decides(facts),
        balanced_accuracy=_percent(facts.tested.head.metrics["balanced_accuracy"]),
        thresholds=model.flagged_from,
        marks=_marks(facts.thresholds),
        heat=oracle.way,
        heat_is_slow=oracle.slow,
        limits=list(facts.limits),
        takes=Takes(
            megabytes=limits.megabytes,
            megapixels=limits.megapixels,
            images=limits.images,
            seconds=limits.seconds,
        ),
    )


def said(
    name: str,
    model: TrainedModel,
    image: Prepared,
    reply: Said,
    *,
    heat: Heat | None,
    heat_label: int,
    thumbnails: Thumbnails | None,
) -> Answer:
    """Return the answer for one image.

    Args:
        name: Of its file.
        model: The model.
        image: As the network took it.
        reply: What the model says of it.
        heat: Its map; None where none was asked for, or the class cannot have one.
        heat_label: The map's class.
        thumbnails: Pictures of training cases; None for none.
    """
    probabilities = {
        label: float(value) for label, value in zip(model.classes, reply.probabilities, strict=True)
    }
    return Answer(
        name=name,
        width=image.width,
        height=image.height,
        top=max(probabilities, key=probabilities.__getitem__),
        decision=model.classes[reply.decision],
        probabilities=probabilities,
        above_threshold=[
            label for label, least in model.flagged_from.items() if probabilities[label] >= least
        ],
        unlike=_strangeness(model, reply),
        cases=_cases(model, reply, thumbnails),
        heat=None if heat is None else _heat(heat, model.classes[heat_label], image),
        preview=None if image.preview is None else _data_url(image.preview),
    )


def _strangeness(model: TrainedModel, reply: Said) -> Strangeness | None:
    known = model.facts.unlike
    if reply.unlike is None or known is None:
        return None
    return Strangeness(score=reply.unlike, marked=reply.unlike >= 1 - known.level)


def _cases(
    model: TrainedModel, reply: Said, thumbnails: Thumbnails | None
) -> list[NearCase] | None:
    if reply.near is None or model.cases is None:
        return None
    found = []
    for row, similarity in zip(reply.near.rows[0], reply.near.similarity[0], strict=True):
        image_id = str(model.cases.image_id[row])
        shown = thumbnails is not None and image_id in thumbnails
        found.append(
            NearCase(
                image_id=image_id,
                diagnosis=model.classes[int(model.cases.label[row])],
                similarity=float(similarity),
                thumbnail=f"/api/cases/{quote(image_id, safe='')}" if shown else None,
            )
        )
    return found


def _heat(heat: Heat, label: str, image: Prepared) -> HeatMap:
    return HeatMap(
        label=label,
        way=heat.way,
        exact=heat.exact,
        values=np.round(heat.maps[0].astype(float), 5).tolist(),
        seen=image.seen,
    )


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def _calibration(model: TrainedModel) -> str:
    found = model.facts.calibration
    if found.temperature is None:
        return "The probabilities are not calibrated: they may be far from how often it is right."
    tested = model.facts.tested
    return (
        f"The probabilities are calibrated on {found.images:,} held-out training images, for "
        f"classes as frequent as there. On {tested.images:,} test images their error was "
        f"{_percent(tested.calibrated.metrics['ece'])}."
    )


def _marks(thresholds: Sequence[Threshold]) -> str:
    if not thresholds:
        return ""
    least, most = (f(each.aimed for each in thresholds) for f in (min, max))
    share = f"{least:.0%}" if least == most else f"{least:.0%} to {most:.0%}"
    return (
        "A class is marked ▲ where its probability reaches its threshold, the upright line: on "
        f"held-out training images {share} of those of other classes stayed below."
    )


def _false_alarms(model: TrainedModel) -> str:
    found = model.facts.unlike
    if found is None:
        return "Not known: the model has no training cases."
    return f"{_percent(found.false_alarms)} of {found.images:,} test images were marked."


def _percent(found: Estimate) -> str:
    if found.value is None:
        return "not defined"
    if found.low is None or found.high is None:
        return f"{found.value:.1%}"
    return f"{found.value:.1%} (95% interval {found.low:.1%} to {found.high:.1%})"
