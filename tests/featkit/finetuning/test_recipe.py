import tomllib
from dataclasses import asdict, fields
from itertools import pairwise

import pytest

from featkit.errors import UsageError
from featkit.finetuning import AUGMENTATIONS, STRATEGIES, Recipe, recipe_for
from featkit.finetuning.recipe import STEPS, changes


def test_lp_ft_differs_from_full_by_where_it_starts_alone():
    recipes = {strategy: recipe_for(strategy) for strategy in STRATEGIES}
    assert recipes.pop("lp-ft") == recipes["full"]
    assert len(set(recipes.values())) == 3
    assert {recipe.augmentation for recipe in recipes.values()} == {AUGMENTATIONS["medium"]}
    assert {recipe.precision for recipe in recipes.values()} == {"auto"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_overrides_replace_these_fields_and_no_other(strategy):
    wanted = {"lr": 0.5, "epochs": 3, "optimizer": "sgd", "momentum": 0.5, "imbalance": "none"}
    found, plain = asdict(recipe_for(strategy, wanted)), asdict(recipe_for(strategy))
    assert found == {**plain, **wanted}


def test_what_toml_writes_is_understood():
    text = """
    lr = 1
    epochs = 7
    ema = 0
    augmentation = ["vflip", "light", "vflip"]
    """
    recipe = recipe_for("full", tomllib.loads(text))
    assert (recipe.lr, recipe.epochs, recipe.ema) == (1.0, 7, 0.0)
    assert isinstance(recipe.lr, float)
    assert recipe.augmentation == ("hflip", "vflip", "quarter-turns", "rotation")


@pytest.mark.parametrize("level", AUGMENTATIONS)
def test_levels_are_made_of_known_steps_in_their_order(level):
    steps = recipe_for("full", {"augmentation": level}).augmentation
    assert steps == AUGMENTATIONS[level]
    assert [STEPS.index(step) for step in steps] == sorted(STEPS.index(step) for step in steps)


def test_each_level_has_the_steps_of_the_one_before():
    levels = [set(steps) for steps in AUGMENTATIONS.values()]
    assert levels[0] == set()
    assert all(less < more for less, more in pairwise(levels))


def test_a_list_of_steps_in_one_text():
    found = recipe_for("full", {"augmentation": "light, colour"}).augmentation
    assert found == AUGMENTATIONS["medium"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_changes_are_what_makes_the_recipe_again(strategy):
    wanted = {"lr": 0.25, "augmentation": ["blur", "hflip"], "clip": 3.0, "monitor": "log_loss"}
    recipe = recipe_for(strategy, wanted)
    texts = dict(text.split("=") for text in changes(strategy, recipe))
    assert set(texts) == set(wanted)
    numbers = {name: float(texts[name]) for name in ("lr", "clip")}
    assert recipe_for(strategy, {**texts, **numbers}) == recipe
    assert changes(strategy, recipe_for(strategy)) == []
    plain = recipe_for(strategy, {"augmentation": "none"})
    assert changes(strategy, plain) == ["augmentation=none"]


def test_one_step_or_none():
    assert recipe_for("head", {"augmentation": "blur"}).augmentation == ("blur",)
    assert recipe_for("head", {"augmentation": []}).augmentation == ()


def test_the_order_in_which_steps_are_named_makes_no_other_recipe():
    one = recipe_for("full", {"augmentation": ["colour", "hflip"]})
    other = recipe_for("full", {"augmentation": ("hflip", "colour")})
    assert one.identity() == other.identity()


def test_identity_tells_every_field():
    plain = recipe_for("full").identity()
    other = {
        "optimizer": "adam", "lr": 1.0, "momentum": 0.1, "weight_decay": 1.0, "layer_decay": 0.5,
        "schedule": "constant", "warmup": 0.5, "epochs": 1, "min_steps": 1, "batch_size": 5,
        "clip": 9.0, "patience": 1, "monitor": "log_loss", "ema": 0.1, "label_smoothing": 0.3,
        "mixup": 0.4, "imbalance": "none", "augmentation": "none", "precision": "fp32",
        "batch_norm": "frozen",
    }  # fmt: skip
    assert set(other) == {field.name for field in fields(Recipe)}
    for name, value in other.items():
        assert recipe_for("full", {name: value}).identity() != plain


def test_only_random_weights_let_batch_normalisation_be_trained_unasked():
    plain = recipe_for("full")
    settled = {known: plain.settled(pretrained=known).batch_norm for known in (True, False)}
    assert settled == {True: "frozen", False: "trained"}
    assert plain.settled(pretrained=True) == recipe_for("full", {"batch_norm": "frozen"})
    for asked in ("trained", "frozen"):
        recipe = recipe_for("full", {"batch_norm": asked})
        assert recipe.settled(pretrained=True) == recipe.settled(pretrained=False) == recipe


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"learning_rate": 1}, "recipe option learning_rate: there is no such option"),
        ({"epoch": 1}, "near is epochs"),
        ({"optimizer": "adamww"}, "optimizer adamww: there is no such choice; near is adamw"),
        ({"optimizer": 3}, "optimizer=3: it takes a name"),
        ({"augmentation": "strong"}, "augmentation strong: there is no such choice"),
        ({"augmentation": ["hflip", "vflop"]}, "augmentation vflop.*near is vflip"),
        ({"augmentation": 3}, "augmentation=3: it takes a level or a list of steps"),
        ({"precision": "tf32"}, "precision tf32"),
        ({"monitor": "loss"}, "near is log_loss"),
        ({"lr": 0}, "lr=0.0: it must be 1e-12 or more"),
        ({"lr": -1.0}, "lr=-1.0"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"lr": float("inf")}, "lr=inf"),
        ({"lr": "fast"}, "lr='fast': it takes a number. Give something like lr=0.001"),
        ({"lr": True}, "lr=True: it takes a number"),
        ({"epochs": 2.5}, "epochs=2.5: it takes a whole number"),
        ({"epochs": 0}, "epochs=0: it must be 1 or more"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 1}, "batch_size=1: it must be 2 or more"),
        ({"layer_decay": 0.0}, "layer_decay=0.0: it must be from 1e-06 to 1"),
        ({"warmup": 1.0}, "warmup=1.0: it must be from 0 to 0.9"),
        ({"ema": 1.0}, "ema=1.0"),
        ({"label_smoothing": 1.0}, "label_smoothing=1.0"),
        ({"mixup": -0.1}, "mixup=-0.1"),
        ({"mixup": float("inf")}, "mixup=inf"),
        ({"clip": None}, "clip=None: it takes a number"),
    ],
)
def test_what_cannot_be_meant(overrides, words):
    with pytest.raises(UsageError, match=words):
        recipe_for("full", overrides)


def test_an_unknown_strategy():
    with pytest.raises(UsageError, match="strategy lpft: there is no such choice; near is lp-ft"):
        recipe_for("lpft")


def test_a_recipe_takes_steps_and_no_levels():
    """A level would be taken for a step that does nothing."""
    with pytest.raises(UsageError, match="augmentation light"):
        Recipe(augmentation=("light",))
