"""The page in a headless Chromium: what a person sees, and does without a mouse."""

from __future__ import annotations

import shutil

import httpx2
import pytest
from PIL import Image

from featkit.inference import Predictor
from featkit.serving import Limits, Thumbnails, make_app

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on PATH")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser):
    """Return an opener of pages; nothing on them may fail or come from elsewhere."""
    contexts, errors, asked = [], [], []

    def open_(url, *, ready="#choose", **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append((url, request.url)))
        page.goto(url)
        page.locator(ready).wait_for()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not errors
    for url, each in asked:
        assert each.startswith((url, "blob:", "data:")), each


@pytest.fixture
def files(photographs, tmp_path):
    """Four photographs, and what is none."""
    for place in range(4):
        (tmp_path / f"{place}.jpg").write_bytes(photographs[place])
    Image.new("RGB", (60, 40), "brown").save(tmp_path / "scan.tif")
    (tmp_path / "notes.txt").write_text("nothing to see")
    return tmp_path


def done(page, count):
    said = "1 photograph, done." if count == 1 else f"{count} photographs, done."
    page.locator("#status", has_text=said).wait_for()


def ask(client_url, content, as_form, **query):
    found = httpx2.post(f"{client_url}/api/predict", params=query, files=as_form(content))
    return found.json()["images"][0]


def test_a_photograph_and_what_is_said_of_it(server, open_page, files, photographs, as_form):
    page = open_page(server.url)
    page.set_input_files("#files", str(files / "0.jpg"))
    done(page, 1)
    answer = ask(server.url, photographs[0], as_form, cases=6)
    card = page.locator(".card")
    assert card.locator(".name").inner_text() == "0.jpg"
    best = f"{100 * answer['probabilities'][answer['top']]:.1f}%"
    assert card.locator(".verdict").inner_text().split()[-2:] == [answer["top"], best] or (
        answer["top"] != answer["decision"]
    )
    ranked = sorted(answer["probabilities"].items(), key=lambda each: -each[1])
    assert card.locator(".bars th").all_inner_texts() == [name for name, _ in ranked]
    marked = card.locator(".bars tr", has=page.locator(".mark span")).locator("th")
    assert sorted(marked.all_inner_texts()) == sorted(answer["above_threshold"])
    assert "calibrated" in card.locator(".calibration").inner_text()
    assert "ike the training data" in card.locator(".unlike").inner_text()
    cases = card.locator(".near li").all_inner_texts()
    assert [text.split("\n")[:2] for text in cases] == [
        [case["diagnosis"], case["image_id"]] for case in answer["cases"]
    ]
    assert page.locator(".notice").inner_text().startswith("For research. No medical device")
    assert card.get_by_text("For research. No medical device.").is_visible()


def test_where_both_classes_differ_the_page_says_why(
    server, open_page, files, photographs, as_form
):
    answer = ask(server.url, photographs[0], as_form, cases=6, heat=True)
    first, second, *_ = answer["probabilities"]
    answer.update(top=first, decision=second)
    page = open_page(server.url)
    page.route("**/api/predict*", lambda route: route.fulfill(json={"images": [answer]}))
    page.set_input_files("#files", str(files / "0.jpg"))
    done(page, 1)
    assert page.locator(".verdict dt").all_inner_texts() == ["Most probable", "Decision"]
    names = [text.split()[0] for text in page.locator(".verdict dd").all_inner_texts()]
    assert names == [first, second]
    assert page.locator(".why").inner_text().startswith("They differ. The decision is")


def test_the_heat_map_has_a_strength_and_a_class(server, open_page, files):
    page = open_page(server.url)
    page.set_input_files("#files", str(files / "1.jpg"))
    done(page, 1)
    canvas = page.locator("canvas")
    strength = page.get_by_label("Strength of the heat map of 1.jpg")
    before = canvas.evaluate("each => each.toDataURL()")
    strength.focus()
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    assert canvas.evaluate("each => each.style.opacity") == "0.45"
    classes = page.get_by_label("Class of the heat map of 1.jpg")
    other = next(
        name
        for name in classes.locator("option").all_inner_texts()
        if name != classes.input_value()
    )
    classes.select_option(other)
    page.locator(".way", has_text=f"speaks for {other}").wait_for()
    assert canvas.evaluate("each => each.toDataURL()") != before


def turned_by_xmp(jpeg):
    """Return a JPEG with a tag that featkit obeys and browsers do not know."""
    tag = (
        b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff='
        b'"http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    return jpeg[:2] + b"\xff\xe1" + (len(tag) + 2).to_bytes(2, "big") + tag + jpeg[2:]


@pytest.mark.parametrize("size", [(90, 60), (60, 90)])
def test_the_heat_map_lies_over_what_the_model_saw(server, open_page, as_file, as_form, size):
    drawn, tag = Image.effect_noise(size, 60).convert("RGB"), Image.Exif()
    drawn.paste("red", (0, 0, 20, 20))
    tag[0x0112] = 6
    contents = [
        as_file(drawn),
        as_file(drawn, exif=tag),
        as_file(drawn, "WEBP", exif=tag),
        as_file(drawn, "TIFF"),
        turned_by_xmp(as_file(drawn)),
    ]
    page = open_page(server.url)
    for content in contents:
        answer = ask(server.url, content, as_form, heat=True)
        given = {"name": "x", "mimeType": "image/jpeg", "buffer": content}
        page.set_input_files("#files", files=[given])
        done(page, 1)
        picture, image = page.locator(".picture"), page.locator(".picture img")
        natural = image.evaluate(
            "async each => (await each.decode(), [each.naturalWidth, each.naturalHeight])"
        )
        assert natural == [answer["width"], answer["height"]]
        around, within, over = (
            each.bounding_box() for each in (picture, image, page.locator("canvas"))
        )
        assert within == pytest.approx(around, abs=1)
        left, top, right, bottom = answer["heat"]["seen"]
        assert over == pytest.approx(
            {
                "x": around["x"] + left * around["width"],
                "y": around["y"] + top * around["height"],
                "width": (right - left) * around["width"],
                "height": (bottom - top) * around["height"],
            },
            abs=1,
        )
        page.locator(".remove").click()


def test_a_map_that_fails_leaves_the_one_before_and_its_class(server, open_page, files):
    page = open_page(server.url)
    page.set_input_files("#files", str(files / "1.jpg"))
    done(page, 1)
    classes, canvas = page.get_by_label("Class of the heat map of 1.jpg"), page.locator("canvas")
    before, first = canvas.evaluate("each => each.toDataURL()"), classes.input_value()
    names = classes.locator("option").all_inner_texts()
    second, third = [name for name in names if name != first][:2]
    held = []

    def hold(route):
        if f"label={second}" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/predict*", hold)
    classes.select_option(second)
    page.locator(".way", has_text=f"Making the heat map of {second}").wait_for()
    assert not canvas.is_visible()
    held.pop().abort()
    page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
    canvas.wait_for()
    assert classes.input_value() == first
    assert canvas.evaluate("each => each.toDataURL()") == before
    # Of two that are asked for, only the later one counts, whatever becomes of the first.
    with page.expect_request("**/api/predict*"):
        classes.select_option(second)
    classes.select_option(third)
    page.locator(".way", has_text=f"speaks for {third}").wait_for()
    held.pop().abort()
    page.wait_for_timeout(100)
    assert not page.get_by_role("alert").is_visible()
    assert classes.input_value() == third


def test_numbers_say_no_more_than_they_know(server, open_page, files, photographs, as_form):
    answer = ask(server.url, photographs[0], as_form)
    first, second, third, *others = answer["probabilities"]
    about = httpx2.get(f"{server.url}/api/model").json()
    about["thresholds"] = {first: 0.99, second: 0.00043, third: 0.1227}
    shares = {first: 0.9996, second: 0.0004, third: 0.1226, **dict.fromkeys(others, 0.0)}
    answer.update(top=first, decision=first, probabilities=shares, above_threshold=[first])
    answer["unlike"] = {"score": 0.004, "marked": False}
    page = open_page(server.url)
    page.route("**/api/model", lambda route: route.fulfill(json=about))
    page.route("**/api/predict*", lambda route: route.fulfill(json={"images": [answer]}))
    page.reload()
    page.locator("#choose").wait_for()
    page.set_input_files("#files", str(files / "0.jpg"))
    done(page, 1)
    shown = dict(
        zip(
            page.locator(".bars th").all_inner_texts(),
            page.locator(".bars .share").all_inner_texts(),
            strict=True,
        )
    )
    assert (shown[first], shown[second], shown[third]) == ("> 99.9%", "0.040%", "12.26%")
    assert "stranger than less than 1% of its lesions" in page.locator(".unlike").inner_text()
    titles = page.locator(".track div").evaluate_all("all => all.map(each => each.title)")
    assert f"{third} is marked from 12.27% on" in titles
    assert f"{second} is marked from 0.043% on" in titles


def test_several_some_of_which_cannot_be_read_or_shown(server, open_page, files):
    page = open_page(server.url)
    names = ["0.jpg", "scan.tif", "notes.txt", "2.jpg"]
    page.set_input_files("#files", [str(files / name) for name in names])
    done(page, 4)
    assert page.locator(".card .name").all_inner_texts() == names
    scan, notes = page.locator(".card").nth(1), page.locator(".card").nth(2)
    assert not scan.locator(".cannot-show").is_visible()
    assert scan.locator(".picture img").evaluate("each => each.naturalWidth") == 60
    assert scan.locator(".bars tr").count() > 1
    assert "not an image" in notes.get_by_role("alert").inner_text()
    assert not notes.locator(".columns").is_visible()
    page.get_by_role("button", name="Remove all").click()
    assert page.locator(".card").count() == 0


def test_by_keyboard_alone(server, open_page, files):
    page = open_page(server.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "files"
    outline = "getComputedStyle(document.querySelector('#drop')).outlineStyle"
    assert page.evaluate(outline) == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([str(files / "0.jpg"), str(files / "1.jpg")])
    done(page, 2)
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') ||"
                "document.activeElement.textContent"
            )
        )
    assert {
        "Remove all",
        "Remove 0.jpg",
        "Strength of the heat map of 1.jpg",
        "Class of the heat map of 1.jpg",
        "About this model",
    } <= reached
    page.get_by_role("button", name="Remove 0.jpg").focus()
    page.keyboard.press("Enter")
    done(page, 1)
    label = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(label) == "Remove 1.jpg"


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_dropped_and_pasted(server, open_page, photographs, kind):
    page = open_page(server.url)
    page.evaluate(
        """([kind, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "given.jpg", {type: "image/jpeg"}));
            const made = kind === "drop"
              ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
              : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
            document.body.dispatchEvent(made);
        }""",
        [kind, list(photographs[0])],
    )
    done(page, 1)
    assert page.locator(".card .name").inner_text() == "given.jpg"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_wide_and_dark(server, open_page, files, scheme):
    for width in (320, 360, 1280):
        page = open_page(server.url, viewport={"width": width, "height": 740}, color_scheme=scheme)
        page.set_input_files("#files", [str(files / "0.jpg"), str(files / "scan.tif")])
        done(page, 2)
        page.locator("#about summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for selector in ("body", ".notice", ".verdict div", ".card", ".fine", ".big"):
            assert contrast(page, selector) >= 4.5, selector


def contrast(page, selector):
    """Return the contrast of text and ground by WCAG's formula."""
    ink, ground = page.evaluate(
        """selector => {
            const found = document.querySelector(selector);
            let ground = found;
            while (getComputedStyle(ground).backgroundColor === "rgba(0, 0, 0, 0)") {
                ground = ground.parentElement;
            }
            return [getComputedStyle(found).color, getComputedStyle(ground).backgroundColor];
        }""",
        selector,
    )
    bright = sorted(map(luminance, (ink, ground)))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def luminance(colour):
    numbers = [int(each) / 255 for each in colour[4:-1].split(",")]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in numbers]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_token_is_asked_for(serve, predictor, open_page, files):
    url = serve(make_app(predictor, token="secret")).url
    page = open_page(url, ready="#sign-in")
    assert not page.locator("#choose").is_visible()
    page.get_by_label("This server asks for a token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("missing or wrong").wait_for()
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    page.locator("#choose").wait_for()
    page.set_input_files("#files", str(files / "0.jpg"))
    done(page, 1)
    assert page.locator(".bars tr").count() > 1


def test_thumbnails_are_shown(serve, predictor, open_page, files, tmp_path):
    ids = predictor.model.cases.image_id.tolist()
    for name in ids:
        Image.new("RGB", (20, 20), "tan").save(tmp_path / f"{name}.png")
    url = serve(make_app(predictor, thumbnails=Thumbnails(tmp_path, ids), token="t")).url
    page = open_page(url, ready="#sign-in")
    page.get_by_label("This server asks for a token").fill("t")
    page.keyboard.press("Enter")
    page.locator("#choose").wait_for()
    page.set_input_files("#files", str(files / "0.jpg"))
    page.locator(".near img").nth(5).wait_for()
    loaded = "[...document.querySelectorAll('.near img')].every(each => each.naturalWidth === 20)"
    page.wait_for_timeout(100)
    assert page.evaluate(loaded)


def test_a_busy_server_is_asked_again(server, open_page, files):
    page = open_page(server.url)
    turned_away = []

    def busy(route):
        if len(turned_away) < 1:
            turned_away.append(route)
            error = {"code": "too_busy", "message": "full", "remedy": "Try again"}
            route.fulfill(status=503, json={"error": error})
        else:
            route.continue_()

    page.route("**/api/predict*", busy)
    page.set_input_files("#files", str(files / "0.jpg"))
    page.locator(".looking", has_text="busy").wait_for()
    done(page, 1)
    assert page.locator(".bars tr").count() > 1


def test_a_server_that_is_gone(server, open_page, files):
    page = open_page(server.url)
    page.route("**/api/predict*", lambda route: route.abort())
    page.set_input_files("#files", str(files / "0.jpg"))
    page.get_by_role("alert").get_by_text("The server does not answer").wait_for()
    page.unroute("**/api/predict*")
    page.get_by_role("button", name="Try again").click()
    page.locator(".bars tr").first.wait_for()
    assert not page.get_by_role("alert").is_visible()


def test_limits_are_told(serve, predictor, open_page, files):
    url = serve(make_app(predictor, limits=Limits(megabytes=0.001, megapixels=2))).url
    page = open_page(url)
    assert "up to 0.001 MB and 2 megapixels" in page.locator("#takes").inner_text()
    page.set_input_files("#files", str(files / "0.jpg"))
    page.get_by_role("alert").get_by_text("more than 0.001 MB").wait_for()


def test_a_slow_heat_map_is_made_when_asked_for(serve, folder_of, open_page, files):
    with Predictor.load(folder_of("lightgbm"), device="cpu", precision="fp32") as predictor:
        page = open_page(serve(make_app(predictor)).url)
        page.set_input_files("#files", str(files / "0.jpg"))
        done(page, 1)
        assert not page.locator("canvas").is_visible()
        page.get_by_role("button", name="Make a heat map").click()
        page.locator("canvas").wait_for()
        assert page.locator(".way").inner_text().startswith("Occlusion")
        page.close()
