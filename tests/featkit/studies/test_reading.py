"""What a study file may say, and how what it may not say is refused."""

from __future__ import annotations

import pytest

from featkit.errors import DataError, UsageError
from featkit.studies import load_study


def test_the_file_is_read_with_its_defaults(write_study):
    study = load_study(write_study())
    assert study.name == "toy"
    assert study.design_of("original").split == "random"
    assert study.design_of("original").budgets == (50, 100)
    assert study.design_of("proper").split is None
    assert study.backbones_of(study.arms["proper"].fit["frozen"]) == ("tiny",)
    assert study.arms["proper"].fit["frozen"].imbalance == "weights"


def test_a_stated_name_replaces_that_of_the_file(write_study):
    path = write_study(('note = "A test', 'name = "mine"\nnote = "A test'))
    assert load_study(path).name == "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("budgets", "budgetz"), r"toy.toml: design.budgetz: .*did you mean budgets"),
        (('spec = "featkit:tiny", ', ""), r"backbones.tiny.spec: it is missing.*Add spec"),
        (
            ('heads = ["linear"]', 'headz = ["linear"]'),
            r"arms.original.fit.frozen.headz: .*did you mean heads \(1 more to mend\)",
        ),
        (
            ('"linear"', '"linera"'),
            r"arms.original.fit.frozen.heads: head 'linera': .*linear, light",
        ),
        (("0.9", "90"), r"published.0.value: 90: it should be less than or equal to 1"),
        (('what = "the best"', 'wat = "x"'), r"published.0.wat: .*did you mean what"),
        (('"random"', '"rando"'), r"arms.original.design: split rando: .*grouped, random"),
        (("100]", "200]"), r"arms.original.design: budget 200: .*at most 100"),
        (("draws = 1", "draws = 0"), r"arms.original.design: --draws 0"),
        (("arms.proper.", 'arms."a/b".'), r"arms.a/b: 'a/b': string should match"),
        (("arms.proper.", "arms.runs."), r"arms.runs: a folder of this name"),
        (("image_size = 32", 'pooling = "max"'), r"backbones.tiny.pooling: 'max': it should be"),
        (("image_size = 32", "image_size = 0"), r"backbones.tiny.image_size: 0: it should be"),
        (("resamples = 100", 'metric = "f1"'), r"report.metric: metric f1: no such metric"),
        (
            ("resamples = 100", 'pair = ["lineer", "finetune-full"]'),
            r"report.pair: head 'lineer': there is no head",
        ),
        (
            ("resamples = 100", 'pair = ["mlp+views", "finetune-ful"]'),
            r"report.pair: method finetune-ful: there is no such choice",
        ),
        (
            ("[data]", '[data]\ngroup_column = "patient"'),
            r"data: .*image_column and label_column are needed beside the other columns",
        ),
        (("value = 0.9", 'value = 0.9\nmetric = "f1"'), r"published.0.metric: metric f1"),
        (("value = 0.9", 'value = 0.9\nbackbone = "x"'), r"published.0.backbone: x is none of"),
        (
            ('heads = ["linear"]', 'backbones = ["x"]'),
            r"arms.original.fit.frozen.backbones: x is none of the backbones tiny",
        ),
        (
            ('heads = ["linear"]', 'views = "all"'),
            r"arms.original.fit.frozen: views all: extract.views is 1. Set extract.views to 5",
        ),
        (
            ("[arms.proper.fit.frozen]", "[arms.proper.finetune.x]\nrecipe = {epoch = 1}\nx = 1"),
            r"arms.proper.finetune.x.x: there is no such key",
        ),
        (
            (
                '[arms.proper.fit.frozen]\nheads = ["linear"]',
                "[arms.proper.finetune.x]\nrecipe = {epoch = 1}",
            ),
            r"arms.proper.finetune.x: recipe option epoch: .*near is epochs",
        ),
        (
            (
                '[arms.proper.fit.frozen]\nheads = ["linear"]',
                '[arms.proper.finetune.x]\nstrategies = ["all"]',
            ),
            r"arms.proper.finetune.x: strategy all: .*head, last, full, lp-ft",
        ),
        (
            ('[arms.proper.fit.frozen]\nheads = ["linear"]', "[arms.proper]"),
            r"arms.proper trains nothing",
        ),
        (("[data]", "[data"), r"toy.toml: it is not TOML .*line 4.*Mend the file"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_key(write_study, change, message):
    with pytest.raises(UsageError, match=message):
        load_study(write_study(change))


def test_an_unknown_study_gets_near_names():
    with pytest.raises(UsageError, match=r"unknown study scaling-law: .*did you mean scaling-laws"):
        load_study("scaling-law")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"binary.toml: it is not TOML"):
        load_study(path)


def test_options_replace_what_the_file_says(write_study):
    study = load_study(
        write_study(),
        data="ham10000:elsewhere",
        limit=50,
        settings=["design.budgets=1,5", "backbones.*.image_size=64"],
        random_weights=True,
    )
    assert (study.data.spec, study.data.limit) == ("ham10000:elsewhere", 50)
    assert study.design.budgets == (1, 5)
    assert study.backbones["tiny"].image_size == 64
    assert study.backbones["tiny"].random_weights


def test_a_wrong_setting_is_blamed_and_not_the_file(write_study):
    with pytest.raises(UsageError, match=r"toy.toml with --set design.drws=2: design.drws"):
        load_study(write_study(), settings=["design.drws=2"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("synthetic:images=120,size=32", "synthetic:images=120,size=32"),
        ("ham10000:data/ham", "ham10000:{}/data/ham"),
        ("ham10000:/data/ham", "ham10000:/data/ham"),
        ("data/table.csv", "{}/data/table.csv"),
        ("synthetic", "synthetic"),
    ],
)
def test_paths_of_data_start_from_the_file(write_study, old, new):
    path = write_study(("synthetic:images=120,size=32", old))
    assert load_study(path).data.spec == new.format(path.parent)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("local-dir:weights/net", "local-dir:{}/weights/net"),
        ("../net", "{}/../net"),
        ("hf-hub:timm/resnet18", "hf-hub:timm/resnet18"),
        ("resnet18", "resnet18"),
    ],
)
def test_folders_of_weights_start_from_the_file(write_study, old, new):
    path = write_study(("featkit:tiny", old))
    assert load_study(path).backbones["tiny"].spec == new.format(path.parent)


def test_further_paths_start_from_the_file(write_study):
    columns = 'image_column = "path"\nlabel_column = "dx"'
    paths = 'lesions = "lesions.csv"\nimages = "/images"'
    path = write_study(("[data]", f"[data]\n{columns}\n{paths}"))
    data = load_study(path).data
    assert data.lesions == str(path.parent / "lesions.csv")
    assert data.images == "/images"


def test_duplicates_are_read_from_the_file_that_is_named(write_study):
    path = write_study(("folds = 3", 'folds = 3\nduplicates = "pairs.csv"'))
    pairs = path.parent / "pairs.csv"
    pairs.write_text("image_1,image_2,confirmed\na,b,yes\nc,d,no\n")
    assert load_study(path).design_of("proper").duplicates == (("a", "b"),)
    other = path.with_name("others.csv")
    other.write_text("image_1,image_2,confirmed\nc,d,yes\n")
    settings = [f"design.duplicates={other}"]
    assert load_study(path, settings=settings).design_of("proper").duplicates == (("c", "d"),)
    pairs.unlink()
    with pytest.raises(DataError, match=r"pairs\.csv"):
        load_study(path)
