import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

from featkit.finetuning import recipe_for
from featkit.finetuning._course import Course
from featkit.finetuning._material import split_material
from featkit.finetuning._state import State


def make_material(lesions=(20, 8, 1), *, seed=0):
    rng = np.random.default_rng(1)
    code = np.repeat(np.arange(len(lesions)), lesions)
    lesion = np.repeat(np.arange(len(code)), rng.integers(1, 4, len(code)))
    label = code[lesion].astype(np.int16)
    group = np.array([f"lesion{number}" for number in lesion])
    return split_material(
        100 + np.arange(len(label)), label, group, classes=len(lesions), seed=seed
    )


def test_lesions_stay_on_one_side_and_single_ones_are_trained_on():
    for seed in range(5):
        material = make_material(seed=seed)
        trained, held_out = material.group[~material.held_out], material.group[material.held_out]
        assert not set(trained) & set(held_out)
        lesions = [len(set(held_out[material.label[material.held_out] == c])) for c in range(3)]
        assert lesions == [4, 2, 0]  # a fifth of 20, of 8, and none of one
        assert set(material.label[~material.held_out]) == {0, 1, 2}


def test_class_weights_are_scikit_learns_on_the_trained_images():
    material = make_material()
    label = material.label[~material.held_out]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=label)
    np.testing.assert_allclose(material.class_weights("weights"), expected, rtol=1e-6)
    assert np.mean(material.class_weights("weights")[label]) == pytest.approx(1, rel=1e-6)
    for other in ("none", "oversample"):
        np.testing.assert_array_equal(material.class_weights(other), np.ones(3))


@pytest.mark.parametrize("imbalance", ["weights", "oversample", "none"])
def test_the_inner_validation_is_judged_as_scikit_learn_does(imbalance):
    material = make_material((20, 8, 6))
    label = material.label[material.held_out]
    probabilities = np.random.default_rng(2).dirichlet(np.ones(3), len(label)).astype(np.float32)
    recall = balanced_accuracy_score(label, probabilities.argmax(axis=1))
    weight = None if imbalance == "none" else 1 / np.bincount(label)[label]
    loss = log_loss(label, probabilities, sample_weight=weight, labels=[0, 1, 2])
    found = material.judge(probabilities, imbalance=imbalance, monitor="balanced_accuracy")
    assert found == pytest.approx((recall, -loss), rel=1e-5)
    found = material.judge(probabilities, imbalance=imbalance, monitor="log_loss")
    assert found == pytest.approx((-loss, recall), rel=1e-5)


def test_a_probability_of_zero_is_a_finite_loss():
    material = make_material((20, 8, 6))
    certain = np.zeros((material.held_out.sum(), 3), dtype=np.float32)
    certain[:, 0] = 1
    found = material.judge(certain, imbalance="weights", monitor="log_loss")
    assert np.isfinite(found).all()


def test_nothing_to_validate_on():
    material = make_material((1, 1))
    assert not material.held_out.any()
    empty = np.empty((0, 2), dtype=np.float32)
    assert material.judge(empty, imbalance="weights", monitor="log_loss") == ()


def make_course(material=None, **overrides):
    return Course(recipe_for("full", overrides), material or make_material(), seed=0)


@given(
    epochs=st.integers(1, 30),
    min_steps=st.integers(0, 300),
    batch_size=st.integers(2, 64),
    patience=st.integers(0, 9),
    imbalance=st.sampled_from(["weights", "oversample"]),
)
@settings(max_examples=60, deadline=None)
def test_a_course_by_hand(epochs, min_steps, batch_size, patience, imbalance):
    material = make_material()
    course = make_course(
        material, epochs=epochs, min_steps=min_steps, batch_size=batch_size, patience=patience,
        imbalance=imbalance,
    )  # fmt: skip
    counts = np.bincount(material.label[~material.held_out])
    images = 3 * counts.max() if imbalance == "oversample" else counts.sum()
    size = min(batch_size, images)
    steps = images // size
    assert course.epochs >= epochs
    assert course.epochs * steps >= min_steps
    assert course.epochs == epochs or (course.epochs - 1) * steps < min_steps
    assert course.steps == course.epochs * steps
    assert course.images(2) == sum(
        len(batch.rows) for n in (0, 1) for batch in course.order.epoch(n)
    )
    assert (course.patience == 0) == (patience == 0)
    assert course.patience / course.epochs == pytest.approx(
        patience / epochs, abs=1 / course.epochs
    )


def test_no_held_out_image_is_trained_on():
    material = make_material()
    course = make_course(material)
    rows = {row for n in range(4) for batch in course.order.epoch(n) for row in batch.rows.tolist()}
    assert rows <= set(material.rows[~material.held_out])


def follow(scores, *, planned=10, patience=2):
    state = State()
    for score in scores:
        if state.ended(planned=planned, patience=patience):
            break
        state.judged(0.5, score)
    return state


def test_training_ends_when_patience_does():
    state = follow([(0.5, -1.0), (0.7, -1.0), (0.6, -1.0), (0.6, -0.5), (0.9, 0.0)])
    assert (state.epoch, state.best_epoch) == (4, 2)
    assert state.ended(planned=10, patience=2)


def test_the_second_number_decides_between_equals_and_the_first_of_equals_is_kept():
    assert follow([(0.5, -1.0), (0.5, -0.9), (0.5, -0.9)], patience=9).best_epoch == 2


def test_patience_of_none_is_endless():
    state = follow([(0.9, 0.0)] + [(0.1, 0.0)] * 20, patience=0)
    assert (state.epoch, state.best_epoch) == (10, 1)


def test_without_validation_the_last_epoch_is_the_best():
    state = follow([()] * 20, planned=6)
    assert (state.epoch, state.best_epoch) == (6, 6)
    assert state.record(planned=6)["scores"] == [None] * 6


def test_a_state_survives_being_written_down():
    import json

    state = follow([(0.5, -1 / 3), (0.7, -0.1)])
    state.chosen = {"probe_C": 0.1}
    state.spend(1.5, 2.5)
    again = State.from_dict(json.loads(json.dumps({**state.to_dict(), "more": 1})))
    assert again.to_dict() == state.to_dict()
    assert again.judged(0.1, (0.7, -0.1)) is False
