"""Whole jobs: the Runs that they leave, beside those of `fit`, and what they may depend on."""

import csv
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from featkit.backbones import load_backbone
from featkit.comparison import compare, gather
from featkit.errors import DataError, PlanError, StoreError, UsageError
from featkit.experiment import Design
from featkit.features import extract
from featkit.files import output_lock
from featkit.finetuning import STRATEGIES, _job
from featkit.plans import Plan, validation_rows
from featkit.runs import RunStore
from featkit.sweep import fit

TWO = Design(budgets=(25, 100), draws=2, draws_large=1, folds=3)


class Watched:
    """The models that a job made, by the digests of their Runs."""

    def __init__(self, monkeypatch):
        self.models = {}
        keep = _job.Job._keep

        def kept(job, task, run, model, material, runs):
            self.models[run.key.digest] = model
            keep(job, task, run, model, material, runs)

        monkeypatch.setattr(_job.Job, "_keep", kept)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, fakes):
    """All strategies on two budgets, with their models and the images that were trained on."""
    from featkit.finetuning._pixels import Pixels

    out = tmp_path_factory.mktemp("tuned")
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        watched = Watched(patch)
        read = Pixels.raw

        def reading(pixels, rows, **options):
            asked.extend(rows.tolist())
            return read(pixels, rows, **options)

        patch.setattr(Pixels, "raw", reading)
        result = fakes.tune(out, strategies=STRATEGIES, design=TWO)
    runs = {(run.key.method, run.key.budget, run.key.draw): run for run in RunStore(out)}
    return {"out": out, "result": result, "runs": runs, "models": watched.models, "asked": asked}


def plain_probabilities(fakes, model, dataset, rows):
    """The oracle: one image at a time through the trained network."""
    backbone, found = fakes.backbone(), []
    for row in rows:
        pixels = torch.from_numpy(backbone.preprocessing(dataset.images.read(row)))
        with torch.no_grad():
            logits = model(backbone.normalise(pixels.permute(2, 0, 1)[None]))
        found.append(torch.softmax(logits[0].double(), dim=0).numpy())
    return np.array(found)


def test_every_strategy_budget_and_draw_has_a_run(tuned):
    expected = {
        (f"finetune-{strategy}", budget, draw)
        for strategy in STRATEGIES
        for budget, draws in ((25, 2), (100, 1))
        for draw in range(draws)
    }
    assert set(tuned["runs"]) == expected
    assert (tuned["result"].trained, tuned["result"].reused) == (12, 0)
    assert tuned["result"].failures == {}
    assert not any(run.frozen for run in tuned["runs"].values())
    names = {run.name for run in tuned["runs"].values()}
    assert names == {f"small / finetune-{strategy}" for strategy in STRATEGIES}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_runs_hold_what_the_model_says_of_test_and_held_out_images(tuned, fakes, strategy):
    dataset, plan = fakes.dataset(), tuned["result"].plan
    place = {name: row for row, name in enumerate(dataset.image_id)}
    for (method, budget, draw), run in tuned["runs"].items():
        if method != f"finetune-{strategy}":
            continue
        model = tuned["models"][run.key.digest]
        assert not any(module.training for module in model.modules())
        tested = [place[name] for name in run.test.image_id]
        np.testing.assert_array_equal(run.test.label, dataset.label[tested])
        expected = plain_probabilities(fakes, model, dataset, tested)
        np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
        np.testing.assert_allclose(run.probabilities.sum(axis=1), 1, atol=1e-5)
        # Held out are a fifth of each class's lesions inside the budget.
        rows = plan.train_rows(run.key.fold, budget, draw)
        cell = next(c for c in TWO.cells() if (c.budget, c.draw) == (budget, draw))
        held = validation_rows(plan.label[rows], plan.group[rows], share=0.2, seed=cell.seed(0))
        np.testing.assert_array_equal(run.held_out.label, plan.label[rows][held])
        ids = [place[name] for name in plan.image_id[rows][held]]
        expected = plain_probabilities(fakes, model, dataset, ids)
        np.testing.assert_allclose(run.held_out.probabilities, expected, atol=1e-5)
        assert run.train_images == len(rows)
        assert run.train_lesions == len(set(plan.group[rows]))
        assert not set(plan.group[rows]) & set(run.test.group)


def test_no_test_or_held_out_image_is_trained_on(tuned, fakes):
    """Images that are augmented are trained on; those that are only looked at are not."""
    plan, dataset = tuned["result"].plan, fakes.dataset()
    place = {name: row for row, name in enumerate(dataset.image_id)}
    allowed = set()
    for cell in TWO.cells():
        rows = plan.train_rows(cell.fold, cell.budget, cell.draw)
        held = validation_rows(plan.label[rows], plan.group[rows], share=0.2, seed=cell.seed(0))
        allowed |= {place[name] for name in plan.image_id[rows][~held]}
    trained = set(tuned["asked"])
    assert trained and trained <= allowed
    assert not {place[n] for n in plan.image_id[plan.test_rows(0)]} & trained


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_costs_by_hand(tuned, strategy):
    for (method, *_), run in tuned["runs"].items():
        if method != f"finetune-{strategy}":
            continue
        trained = run.train_images - len(run.held_out.label)
        size = min(8, trained)
        images = run.chosen["epochs"] * (trained // size) * size
        images += trained if strategy == "lp-ft" else 0  # the probe's
        assert run.cost.images_seen == images
        by_strategy = {"head": 27, "last": 27 + 6 * 9 * 8 + 8 + 16}
        whole = by_strategy["last"] + 3 * 9 * 6 + 6 + 12
        assert run.cost.parameters_trained == by_strategy.get(strategy, whole)
        assert run.cost.wall_s > 0 and run.cost.device_s > 0
        assert run.cost.peak_memory_mb > 50
        assert run.cost.device.startswith("cpu: ")
        assert run.cost.threads == torch.get_num_threads()
        assert 0 < run.cost.features_s < 60


def test_what_was_chosen_is_told(tuned):
    for (method, *_), run in tuned["runs"].items():
        assert 1 <= run.chosen["epoch"] <= run.chosen["epochs"] <= run.chosen["epochs_planned"] == 2
        assert len(run.chosen["losses"]) == len(run.chosen["scores"]) == run.chosen["epochs"]
        assert ("probe_C" in run.chosen) == (method == "finetune-lp-ft")


def test_progress_is_of_training_once_that_has_begun(tmp_path, fakes):
    """Also where hashes of an earlier command are there, and the images are decoded again."""
    fakes.tune(tmp_path)
    recorder = fakes.recorder()
    other = fakes.dataset(prefix="other", first=1000)
    fakes.tune(tmp_path, strategies=("head",), progress=recorder)
    fakes.tune(tmp_path / "external", test=other, progress=recorder)
    assert [start[0] for start in recorder.starts].count("finetune") == 2
    assert [start[0] for start in recorder.starts][-1] == "finetune"
    first = [start[0] for start in recorder.starts].index("finetune")
    assert "decode" in [start[0] for start in recorder.starts[:first]]


@pytest.mark.parametrize(("random_weights", "settled"), [(False, "frozen"), (True, "trained")])
def test_a_run_says_what_became_of_batch_normalisation(tmp_path, fakes, random_weights, settled):
    backbone = fakes.backbone(random_weights=random_weights)
    fakes.tune(tmp_path, backbone=backbone)
    (run,) = RunStore(tmp_path)
    assert run.key.config["batch_norm"] == settled


def test_the_folder_holds_no_more_than_it_should(tuned):
    out = tuned["out"]
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names - {"checkpoints"} == {
        "commands.txt", "images.csv", "pixels", "plan.json", "results.csv", "runs",
    }  # fmt: skip
    assert not list(out.glob("checkpoints/*"))
    assert [path.name for path in out.glob("pixels/*/*")] == ["images.json"]
    with (out / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 12
    assert Counter(row["method"] for row in rows) == {f"finetune-{s}": 3 for s in STRATEGIES}
    with (out / "images.csv").open() as handle:
        assert next(csv.DictReader(handle)).keys() == {"image_id", "group", "label", "age"}


def test_a_second_call_trains_and_decodes_nothing(tuned, fakes):
    dataset = fakes.dataset()
    before = {path: path.stat().st_mtime_ns for path in (tuned["out"] / "runs").iterdir()}
    again = fakes.tune(tuned["out"], dataset=dataset, strategies=STRATEGIES, design=TWO)
    assert (again.trained, again.reused) == (0, 12)
    assert dataset.images.reads == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(tuned["out"].glob("pixels/*/pixels.bin"))


def test_work_grows_and_what_is_missing_is_made_again(tmp_path, fakes):
    fakes.tune(tmp_path, design=TWO)
    runs = {path: path.read_bytes() for path in (tmp_path / "runs").iterdir()}
    first = sorted(runs)[0]
    first.unlink()
    again = fakes.tune(tmp_path, design=replace(TWO, budgets=(25, 50, 100), draws=3))
    assert (again.trained, again.reused) == (3, 2)  # one again, one at 25%, one at 50%
    kept = [path for path in runs if path != first]
    assert all(path.read_bytes() == runs[path] for path in kept)
    assert len(list((tmp_path / "runs").iterdir())) == 5


def test_a_damaged_run_is_made_again(tmp_path, fakes):
    fakes.tune(tmp_path)
    (path,) = (tmp_path / "runs").iterdir()
    path.write_bytes(path.read_bytes()[:500])
    assert fakes.tune(tmp_path).trained == 1


VARIANTS = {
    "plain": ({}, {}),
    "unreadable": ({"broken": {0: "0 bytes", 7: "not an image"}}, {}),
    "excluded": ({}, {"exclude_classes": ("bcc",)}),
    "duplicates": ({}, {"duplicates": (("image0", "image5"), ("image1", "image9"))}),
    "random": ({}, {"split": "random"}),
    "official": ({"official": True}, {"split": "official"}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_plan_is_that_of_fit_on_extracted_features(tmp_path, fakes, variant):
    fields, design = dict(VARIANTS[variant][0]), replace(fakes.design, **VARIANTS[variant][1])
    dataset = fakes.dataset(**{k: v for k, v in fields.items() if k != "official"})
    if fields.get("official"):
        third = np.unique(dataset.group, return_inverse=True)[1] % 3
        dataset = replace(dataset, split=np.where(third == 0, "test", "train"))
    options = {"device": "cpu", "precision": "fp32", "workers": 1}
    store = extract(dataset, fakes.backbone(), tmp_path / "f.h5", **options)
    out = tmp_path / "out"
    fit([store], out, heads=("linear",), design=design, jobs=1)
    expected = Plan.load(out / "plan.json").fingerprint
    tuned = fakes.tune(out, dataset=dataset, strategies=("head",), design=design)
    assert tuned.plan.fingerprint == expected
    assert len(tuned.failures) == len(fields.get("broken", {}))
    grid = gather(out)
    names = {run.name for run in RunStore(out)}
    assert names == {"small / linear", "small / finetune-head"}
    one, other = RunStore(out)
    np.testing.assert_array_equal(one.test.image_id, other.test.image_id)
    assert one.train_images == other.train_images
    if variant == "plain":
        shown = compare(grid, resamples=20)
        assert {cell.method for cell in shown.cells} == names


def other_pixels(dataset, rows):
    """The same table with other photographs in these rows."""
    images = dataset.images
    numbers = images.numbers.copy()
    numbers[rows] += 1000
    return replace(dataset, images=type(images)(images.codes, numbers))


@pytest.mark.parametrize("strategy", ["last", "lp-ft"])
def test_images_outside_the_budget_influence_nothing(tmp_path, fakes, strategy, monkeypatch):
    """Neither the test fold nor other training images: all of them replaced, the same model."""
    dataset, design = fakes.dataset(), Design(budgets=(50,), draws=1, folds=3)
    options = {"strategies": (strategy,), "design": design}
    watched = Watched(monkeypatch)
    tuned = fakes.tune(tmp_path / "one", dataset=dataset, **options)
    budget = tuned.plan.image_id[tuned.plan.train_rows(0, 50, 0)]
    others = np.flatnonzero(~np.isin(dataset.image_id, budget))
    assert len(others) > len(dataset) / 2
    fakes.tune(tmp_path / "two", dataset=other_pixels(dataset, others), **options)
    first, second = watched.models.values()
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])
    (one,), (two,) = RunStore(tmp_path / "one"), RunStore(tmp_path / "two")
    np.testing.assert_array_equal(one.held_out.probabilities, two.held_out.probabilities)
    assert one.chosen == two.chosen
    assert (one.probabilities != two.probabilities).any()
    # And one image inside changes it.
    inside = np.flatnonzero(np.isin(dataset.image_id, budget))
    fakes.tune(tmp_path / "three", dataset=other_pixels(dataset, inside[:6]), **options)
    third = list(watched.models.values())[-1]
    assert not torch.equal(first.last.weight, third.last.weight)


def key(tmp_path, fakes, name, **options):
    fakes.tune(tmp_path / name, **options)
    (run,) = RunStore(tmp_path / name)
    return run


def test_what_matters_makes_another_run_and_what_does_not_makes_the_same(tmp_path, fakes):
    plain = key(tmp_path, fakes, "plain")
    same = {
        "workers": {"workers": 2},
        "device": {"device": "auto"} if not torch.cuda.is_available() else {},
        "precision": {"recipe": {"precision": "auto"}},
        "path": {"backbone": fakes.backbone(spec="local-dir:elsewhere")},
    }
    for name, options in same.items():
        run = key(tmp_path, fakes, name, **options)
        assert run.key.digest == plain.key.digest, name
        np.testing.assert_array_equal(run.probabilities, plain.probabilities)
    larger = fakes.preprocessing(resize=14, crop=(12, 12))
    other = {
        "recipe": {"recipe": {"lr": 0.5}},
        "strategy": {"strategies": ("last",)},
        "precision bf16": {"recipe": {"precision": "bf16"}},
        "image size": {"backbone": fakes.backbone(preprocessing=larger)},
        "weights": {"backbone": fakes.backbone(weights_sha256="cd" * 32)},
        "data": {"dataset": fakes.dataset(first=500)},
        "seed": {"design": replace(fakes.design, seed=1)},
        "budget": {"design": replace(fakes.design, budgets=(50,))},
    }
    digests = {key(tmp_path, fakes, name, **options).key.digest for name, options in other.items()}
    assert len(digests | {plain.key.digest}) == len(other) + 1


def test_the_callers_random_numbers_and_network_are_left_alone(tmp_path, fakes):
    backbone = fakes.backbone(fakes.network(dropout=0.3))
    before = {name: tensor.clone() for name, tensor in backbone.network.state_dict().items()}
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    fakes.tune(
        tmp_path, backbone=backbone, strategies=STRATEGIES,
        recipe={"mixup": 0.2, "augmentation": "heavy"},
    )  # fmt: skip
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.get_rng_state().tolist() == states[2]
    for name, tensor in backbone.network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert all(parameter.requires_grad for parameter in backbone.network.parameters())
    assert not any(module.training for module in backbone.network.modules())


def test_a_run_does_not_depend_on_those_before_it(tmp_path, fakes):
    together, alone = tmp_path / "together", tmp_path / "alone"
    fakes.tune(together, strategies=("head", "full", "last"))
    fakes.tune(alone, strategies=("last",))
    (run,) = RunStore(alone)
    np.testing.assert_array_equal(RunStore(together).find(run.key).probabilities, run.probabilities)


def test_seeds_and_repeated_strategies(tmp_path, fakes):
    assert fakes.tune(tmp_path, strategies=("head", "head")).trained == 1


def test_classes_of_a_single_lesion_are_trained_on_and_never_validated(tmp_path, fakes):
    """At 1% every class has a lesion or two: where one, nothing is held out of it."""
    design = Design(budgets=(1,), draws=1, folds=3)
    run = key(tmp_path, fakes, "few", design=design)
    plan = Plan.load(tmp_path / "few" / "plan.json")
    rows = plan.train_rows(0, 1, 0)
    lesions = {c: len(set(plan.group[rows][plan.label[rows] == c])) for c in range(3)}
    held = set() if run.held_out is None else set(run.held_out.label)
    assert held == {c for c, count in lesions.items() if count > 1}
    assert np.isfinite(run.probabilities).all()


def external(fakes, **fields):
    codes = {"classes": ("BCC", "MEL", "NV")}
    dataset = fakes.dataset((5, 4, 3), prefix="ext", first=3000, **codes)
    renumbered = (2 - dataset.label).astype(np.int16)
    return replace(dataset, label=renumbered, **fields)


def test_external_validation_matches_classes_by_name(tmp_path, fakes, monkeypatch):
    watched, test = Watched(monkeypatch), external(fakes)
    test.images.broken[2] = "truncated file"
    fakes.tune(tmp_path / "out", test=test)
    (run,) = RunStore(tmp_path / "out")
    kept = np.delete(np.arange(len(test)), 2)
    np.testing.assert_array_equal(run.test.image_id, test.image_id[kept])
    names = [run.classes[code] for code in run.test.label]
    assert names == [test.classes[code].lower() for code in test.label[kept]]
    (model,) = watched.models.values()
    expected = plain_probabilities(fakes, model, test, kept)
    np.testing.assert_allclose(run.probabilities, expected, atol=1e-5)
    assert run.test.name == test.name
    assert run.key.test == run.test.fingerprint
    # Trained as without it: the same Plan, budget and held-out images.
    plain = key(tmp_path, fakes, "plain")
    assert run.key.plan == plain.key.plan
    np.testing.assert_array_equal(run.held_out.probabilities, plain.held_out.probabilities)
    with (tmp_path / "out" / "images.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert [row["image_id"] for row in rows] == test.image_id[kept].tolist()
    again = fakes.tune(tmp_path / "out", test=test)
    assert (again.trained, again.reused) == (0, 1)
    assert again.failures == {str(test.image_id[2]): "truncated file"}


def test_an_external_test_set_that_does_not_fit(tmp_path, fakes):
    shared = fakes.dataset((5, 4, 3), prefix="ext")  # the photographs of the training set
    with pytest.raises(DataError, match=r"images of fake:ext also in fake:noise.*same content"):
        fakes.tune(tmp_path / "a", test=shared)
    strange = replace(external(fakes), classes=("BCC", "WART", "NV"))
    with pytest.raises(DataError, match="has classes that fake:noise has not: WART"):
        fakes.tune(tmp_path / "b", test=strange)
    assert not list(tmp_path.glob("*/runs/*"))
    fakes.tune(tmp_path / "c")
    with pytest.raises(PlanError, match=r"tested on other images.*--test"):
        fakes.tune(tmp_path / "c", test=external(fakes))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"design": Design(budgets=(100,), draws=1, folds=4)}, r"folds \(3 and 4\)"),
        ({"design": Design(budgets=(100,), draws=1, folds=3, seed=5)}, r"seed \(0 and 5\)"),
        (
            {"design": Design(budgets=(100,), draws=1, folds=3, exclude_classes=("bcc",))},
            r"classes \(nv, mel, bcc and nv, mel\)",
        ),
    ],
)
def test_a_folder_of_another_plan_is_refused_naming_the_difference(tmp_path, fakes, options, words):
    fakes.tune(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    with pytest.raises(PlanError, match=f"holds Runs of another Plan: .*{words}.*--out"):
        fakes.tune(tmp_path, **options)
    assert {path: path.read_bytes() for path in before} == before


def test_two_jobs_in_one_folder(tmp_path, fakes):
    with (
        output_lock(tmp_path / "plan.json"),
        pytest.raises(StoreError, match="written by another process"),
    ):
        fakes.tune(tmp_path)
    assert fakes.tune(tmp_path).trained == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategies": ()}, "no strategy was given"),
        ({"strategies": ("all",)}, "strategy all"),
        ({"workers": 0}, "--workers 0"),
        ({"device": "tpu"}, "--device tpu: there is no such kind"),
        ({"device": "cuda:99"}, "--device cuda:99"),
        ({"recipe": {"precision": "fp16"}}, "precision fp16"),
        ({"recipe": {"lrs": 1}}, "near is lr"),
        ({"design": Design(exclude_classes=("wart",))}, "--exclude-class wart"),
    ],
)
def test_options_that_cannot_be_meant(tmp_path, fakes, options, words):
    with pytest.raises(UsageError, match=words):
        fakes.tune(tmp_path / "out", **options)
    assert not (tmp_path / "out" / "runs").exists()


def test_a_backbone_whose_images_a_gpu_decodes(tmp_path, fakes):
    with pytest.raises(UsageError, match="the gpu decodes: fine-tuning decodes them on the"):
        fakes.tune(tmp_path / "out", backbone=load_backbone("featkit:tiny", decoder="gpu"))


def test_data_that_cannot_be_learned_from(tmp_path, fakes):
    broken = fakes.dataset(broken=dict.fromkeys(range(100), "0 bytes"))
    with pytest.raises(DataError, match="fake:noise has no row with a label and a readable image"):
        fakes.tune(tmp_path / "a", dataset=broken)
    with pytest.raises(PlanError, match="one class"):
        fakes.tune(tmp_path / "b", dataset=fakes.dataset((20,)))


def test_progress_counts_images_over_all_runs(tmp_path, fakes):
    recorder = fakes.recorder()
    fakes.tune(tmp_path, strategies=("head", "full"), progress=recorder)
    task, total, done, unit = recorder.starts[-1]
    assert (task, done, unit) == ("finetune", 0, "images")
    assert recorder.advanced == total > 0
    assert recorder.finished == 2  # decoding and training
    first = "run 1 of 2: finetune-head at 100% (fold 0, draw 0)"
    assert first in recorder.notes
    assert recorder.notes[-1].startswith("run 2 of 2: finetune-full at 100%")
    assert "; the last one: balanced accuracy 0." in recorder.notes[-1]
