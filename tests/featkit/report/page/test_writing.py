import re
from itertools import pairwise

import pytest
from PIL import Image

from featkit.comparison import analyse, compare, gather
from featkit.errors import DataError, PlanError, StoreError, UsageError
from featkit.features import FeatureStore
from featkit.report import write_page
from featkit.report.tables import short

NASTY = ("<script>alert(1)</script>", "a\"b'c & d", "naïve 皮膚 🙂", "x" * 300)


def check_structure(page):
    """Assert what holds for every page, whatever stands in it."""
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        href = element.attributes.get("href", "#content")
        assert href.startswith("#"), href
        assert href[1:] in ids
        for name in element.attributes.get("aria-labelledby", ids[0]).split():
            assert name in ids
        assert element.attributes.get("src", "data:").startswith("data:")
        assert not {name for name in element.attributes if name.startswith("on")}
        assert "tabindex" not in element.attributes or element.attributes["tabindex"] in {"0", "-1"}
    assert not [e for e in page.elements if e.tag in {"link", "iframe", "object", "base", "form"}]
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert len(page.all("h1")) == len(page.all("main")) == 1
    levels = [int(e.tag[1]) for e in page.elements if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for svg in page.all("svg"):
        hidden = svg.attributes.get("aria-hidden") == "true"
        assert hidden or (svg.attributes["role"], bool(svg.attributes["aria-label"])) == (
            "img",
            True,
        )
    assert all(image.attributes["alt"] for image in page.all("img"))
    captions = [caption.text.strip() for caption in page.all("caption")]
    assert len(captions) == len(set(captions))  # they name the regions that tables scroll in
    for table in page.all("table"):
        assert table.children[0].tag == "caption"
        assert table.children[0].text.strip()
        assert table.parents[-1] == "div"  # scrolls in its own container
        for row in table.children[2].children:
            assert [cell.tag for cell in row.children].count("th") == 1
            assert row.children[0].attributes["scope"] == "row"
    assert all(cell.attributes["scope"] in {"col", "row"} for cell in page.all("th"))
    assert all(len(e.text) > 0 for e in page.elements if e.tag in {"h1", "h2", "h3", "summary"})
    return page


def test_a_page_is_well_formed_and_loads_nothing(page_of_all, read):
    text = page_of_all[1].read_text()
    page = check_structure(read(text))
    sections = [e.attributes["id"] for e in page.all("section")]
    assert sections == [
        *("learning", "frozen", "cost", "classes", "confusion", "calibration"),
        *("subgroups", "mistakes", "map", "labels", "design"),
    ]
    assert not re.search(r"@import|url\(", text)
    assert "://" not in re.sub(r"<code>.*?</code>", "", text, flags=re.S)
    assert page.all("html")[0].attributes["lang"] == "en"


def test_every_figure_has_words_and_a_table(page_of_all, read):
    page = read(page_of_all[1].read_text())
    figures = page.all("figure")
    assert len(figures) >= 5
    for figure in figures:
        tags = [child.tag for child in figure.children]
        assert tags[0] == "h3"
        assert {"figcaption", "details"} <= set(tags)
        assert figure.attributes["aria-labelledby"]


def test_numbers_are_those_of_the_comparison(page_of_all, read):
    folder, path = page_of_all
    page, found = read(path.read_text()), compare(folder, resamples=100)
    table = page.table("Balanced accuracy with 95% interval")
    for cell in found.cells:
        row = table[cell.method.removeprefix("net / ")]
        expected = short(cell.scores["balanced_accuracy"]).replace(" ", "")
        assert row[f"{cell.budget:g}%"].replace(" ", "") == expected
    recall = page.table("All metrics at 100%")["linear"]
    cell = found.cell("net / linear", 100.0)
    assert recall["Accuracy"].startswith(short(cell.scores["accuracy"]).split()[0])


def test_analyses_are_shown(page_of_all, read):
    folder, path = page_of_all
    page, text = read(path.read_text()), path.read_text()
    found = analyse(folder, compare(folder, resamples=100))
    answer = next(e for e in page.all("p") if e.attributes.get("class", "").startswith("lead"))
    assert answer.text == found.headline.answer
    declared = page.table("The pair named in advance")
    assert len(declared) == 1  # rows of one name; the last is the largest budget
    last = found.against.declared[-1]
    value = f"{last.difference.value:+.3f}".replace("0.", ".", 1).replace("-", "−")
    assert next(iter(declared.values()))["Difference"].startswith(value)
    assert page.table("Test images by sex").keys() == {"female", "male"}
    confusion = page.table("finetune-full at 100%")
    matrix = next(
        m for m in found.confusion if (m.method, m.budget) == ("net / finetune-full", 100.0)
    )
    row = next(cells for name, cells in confusion.items() if name.startswith("bkl"))
    assert row["bkl"].startswith(f"{matrix.rates[0][0]:.2f}".removeprefix("0"))
    best_frozen = next(c for c in found.comparison.ranked() if c.frozen).method
    worst = found.mistakes.confident[best_frozen]
    assert worst
    assert worst[0].image_id in text
    assert all(item.words[1:] in text for item in found.needed.values())


def test_the_same_runs_give_the_same_bytes(page_of_all, tmp_path):
    folder, path = page_of_all
    again = write_page(folder, tmp_path / "again.html", resamples=100)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(("split", "red"), [("grouped", False), ("random", True)])
def test_a_random_split_has_a_red_banner(runs, tmp_path, read, split, red):
    folder = runs(split=split, methods=("linear",), budgets=(100.0,))
    page = read(write_page(folder, tmp_path / "r.html", resamples=100).read_text())
    banners = [e for e in page.elements if e.attributes.get("class") == "banner"]
    assert bool(banners) is red
    assert all("Random split" in banner.text for banner in banners)


def test_hostile_names_stay_text(runs, tmp_path, read):
    folder = runs(classes=NASTY, methods=("linear", "finetune-full"), backbones=("<b>net</b>",))
    text = write_page(folder, tmp_path / "r.html", resamples=100).read_text()
    page = check_structure(read(text))
    assert "<script>alert" not in text
    assert "<b>net" not in text
    for name in NASTY:
        assert any(name in cell.text for cell in page.all("th"))


@pytest.mark.parametrize(
    "options",
    [
        {"methods": ("linear",), "budgets": (100.0,)},
        {"methods": ("finetune-full",), "budgets": (100.0,)},
        {"methods": ("linear", "finetune-full"), "budgets": (100.0,)},
        {"classes": [f"class {n}" for n in range(20)], "budgets": (100.0,)},
        {"backbones": ("alpha", "beta", "gamma"), "budgets": (5.0, 100.0)},
        {"missing": 1},
        {"methods": [f"linear+x{n}" for n in range(12)], "budgets": (100.0,)},
    ],
    ids=["one of all", "tuned only", "one pair", "20 classes", "backbones", "empty class", "many"],
)
@pytest.mark.parametrize("metric", ["balanced_accuracy", "ece"])
def test_odd_shapes_render(runs, tmp_path, read, options, metric):
    path = write_page(runs(**options), tmp_path / "r.html", resamples=100, metric=metric)
    text = path.read_text()
    page = check_structure(read(text))
    assert not re.search(r">\s*nan\b|[\"> ,]nan[\"< ,]", text, flags=re.I)
    assert page.all("svg")


@pytest.mark.parametrize(
    ("methods", "shaded"),
    [
        (("linear", "mlp", "lightgbm", "finetune-full"), None),
        (
            ("linear", "mlp", "lightgbm", "finetune-full", "finetune-head"),
            "linear and finetune-full",
        ),
        (("linear", "mlp", "lightgbm", "linear+views", "mlp+views"), "best"),
    ],
)
def test_of_many_lines_the_pair_alone_has_bands(runs, tmp_path, read, methods, shaded):
    folder = runs(methods=methods)
    if shaded == "best":
        shaded = compare(folder, resamples=100).best().method.removeprefix("net / ")
    text = write_page(folder, tmp_path / "r.html", resamples=100).read_text()
    first = next(part for part in text.split("<figure") if "<svg" in part).split("</svg>")
    chart = next(part for part in first if "<polyline" in part)
    expected = len(methods) if shaded is None else len(shaded.split(" and "))
    assert chart.count('class="band') == expected
    caption = read(text).all("figcaption")[0].text
    assert (f"drawn for {shaded} alone" in caption) == (shaded is not None)


def test_methods_of_one_budget_stand_side_by_side(runs, tmp_path):
    path = write_page(runs(budgets=(100.0,)), tmp_path / "r.html", resamples=100)
    chart = path.read_text().split("<figure")[1].split("</svg>")[3]
    places = re.findall(r'class="whisker" x1="([\d.]+)"', chart)
    assert len(set(places)) == 3


def test_undefined_scores_are_dashes(runs, tmp_path, read):
    folder = runs(missing=1)
    page = read(write_page(folder, tmp_path / "r.html", resamples=100).read_text())
    row = next(v for k, v in page.table("linear at 100%").items() if k.startswith("mel"))
    assert {text[0] for name, text in row.items() if name != "True class"} == {"–"}


def write_images(folder, image_ids):
    """Write an image for each id, and the table that names them."""
    folder.mkdir()
    lines = ["image,image_id,label"]
    for place, image_id in enumerate(image_ids):
        Image.new("RGB", (300, 200), (40, 90, 160)).save(folder / f"{place}.png")
        lines.append(f"{place}.png,{image_id},{'mel' if place % 2 else 'nv'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    return str(folder / "table.csv")


def test_thumbnails_are_embedded_only_when_asked_for(runs, tmp_path, read):
    folder = runs()
    test = next(iter(gather([folder]).tests.values()))
    data = write_images(tmp_path / "data", test.image_id)
    plain = write_page(folder, tmp_path / "plain.html", resamples=100).read_text()
    assert "<img" not in plain
    path = write_page(folder, tmp_path / "r.html", resamples=100, thumbnails_of=data)
    page = check_structure(read(path.read_text()))
    images = page.all("img")
    assert images
    assert all(i.attributes["src"].startswith("data:image/jpeg;base64,") for i in images)
    assert all(len(i.attributes["src"]) < 12_000 for i in images)


def test_an_unreadable_image_costs_its_thumbnail_only(runs, tmp_path, read):
    folder = runs()
    test = next(iter(gather([folder]).tests.values()))
    data = write_images(tmp_path / "data", test.image_id)
    for path in sorted((tmp_path / "data").glob("*.png"))[::2]:
        path.write_bytes(b"no image")
    out = write_page(folder, tmp_path / "r.html", resamples=100, thumbnails_of=data)
    page = check_structure(read(out.read_text()))
    assert any("no picture" in element.text for element in page.all("span"))


def test_thumbnails_of_another_data_set_are_refused(runs, tmp_path):
    data = write_images(tmp_path / "data", ["other1", "other2"])
    with pytest.raises(DataError, match="it has no image I"):
        write_page(runs(), tmp_path / "r.html", resamples=100, thumbnails_of=data)


def test_features_of_other_images_are_refused(runs, make_store, tmp_path, monkeypatch):
    store = make_store(prefix="OTHER")
    monkeypatch.setattr(FeatureStore, "open", lambda path: store)
    with pytest.raises(StoreError, match="none of the images that the Runs were tested on"):
        write_page(runs(), tmp_path / "r.html", features=[store.path], resamples=100)


def test_bad_input_leaves_no_file(runs, tmp_path):
    folder, out = runs(), tmp_path / "r.html"
    with pytest.raises(StoreError, match="no Runs in"):
        write_page(tmp_path / "nothing", out)
    with pytest.raises(UsageError, match="metric speed"):
        write_page(folder, out, metric="speed")
    with pytest.raises(UsageError, match="--map tsne"):
        write_page(folder, out, feature_map="tsne")
    with pytest.raises(UsageError, match="--target 7"):
        write_page(folder, out, target=7.0, resamples=100)
    with pytest.raises(StoreError, match=r"missing\.h5"):
        write_page(folder, out, features=[tmp_path / "missing.h5"])
    with pytest.raises(PlanError, match="cannot be compared"):
        write_page([folder, runs("other", classes=("bkl", "mel", "nv", "df"))], out)
    assert not out.exists()
