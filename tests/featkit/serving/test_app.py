"""What the server answers, beside what the predictor says of the same files."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from io import BytesIO
from multiprocessing import active_children

import httpx2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from featkit.inference import Heater, Predictor
from featkit.serving import Limits, make_app


@pytest.fixture(scope="module")
def wanted(predictor, photographs, tmp_path_factory):
    """The predictor's own rows of all photographs."""
    folder = tmp_path_factory.mktemp("photographs")
    paths = [folder / f"{place:03d}.jpg" for place in range(len(photographs))]
    for path, content in zip(paths, photographs, strict=True):
        path.write_bytes(content)
    return predictor.predictions(paths)


def check(answer, wanted, row):
    assert answer["error"] is None
    found = [answer["probabilities"][name] for name in wanted.classes]
    assert found == pytest.approx(wanted.probabilities[row].tolist(), abs=2e-5)
    assert answer["top"] == wanted.top[row]
    assert answer["decision"] == wanted.decision[row]
    assert answer["above_threshold"] == wanted.above_threshold(row)
    assert answer["unlike"]["score"] == pytest.approx(wanted.unlike[row], abs=0.02)


def test_answers_are_those_of_the_predictor(client, photographs, wanted, as_form):
    found = client.post("/api/predict", files=as_form(*photographs[:16]))
    assert found.status_code == 200
    for row, answer in enumerate(found.json()["images"]):
        assert answer["name"] == f"{row}.jpg"
        assert (answer["width"], answer["height"]) == (48, 48)
        check(answer, wanted, row)


@pytest.mark.parametrize("kind", ["mlp", "lightgbm"])
def test_other_heads_answer_alike(kind, folder_of, client_of, photographs, as_form):
    with Predictor.load(folder_of(kind), device="cpu", precision="fp32") as predictor:
        client = client_of(predictor=predictor)
        query = "/api/predict?heat=true&cases=2"
        answer = client.post(query, files=as_form(photographs[0])).json()["images"][0]
        (row,) = predictor.predict_proba([Image.open(BytesIO(photographs[0]))])
        assert list(answer["probabilities"].values()) == pytest.approx(row.tolist(), abs=2e-5)
        assert answer["heat"]["way"] == client.get("/api/model").json()["heat"]
        assert client.get("/api/model").json()["heat_is_slow"] == (kind == "lightgbm")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    requests=st.lists(
        st.tuples(
            st.lists(st.integers(0, 47), min_size=1, max_size=4),
            st.booleans(),
            st.integers(0, 3),
            st.integers(0, 20),
        ),
        min_size=2,
        max_size=16,
    )
)
def test_nothing_is_mixed_up(predictor, photographs, wanted, requests, as_form):
    """However requests fall together, each gets the answers to its own images."""
    app = make_app(predictor, processes=2)

    async def ask(client, rows, heat, cases, wait):
        await asyncio.sleep(wait / 1000)
        found = await client.post(
            f"/api/predict?heat={heat}&cases={cases}",
            files=as_form(*(photographs[row] for row in rows)),
        )
        assert found.status_code == 200
        return found.json()["images"]

    async def whole():
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://x") as client,
        ):
            return await asyncio.gather(*(ask(client, *each) for each in requests))

    for (rows, heat, cases, _), answers in zip(requests, asyncio.run(whole()), strict=True):
        assert len(answers) == len(rows)
        for row, answer in zip(rows, answers, strict=True):
            check(answer, wanted, row)
            assert (answer["heat"] is not None) == heat
            assert len(answer["cases"] or []) == cases


def test_cases_are_the_nearest_ones(client, predictor, photographs, as_form):
    answer = client.post("/api/predict?cases=5", files=as_form(photographs[3])).json()["images"][0]
    cases = predictor.model.cases
    found = [each["similarity"] for each in answer["cases"]]
    assert found == sorted(found, reverse=True)
    diagnosis = {
        image_id: predictor.model.classes[label]
        for image_id, label in zip(cases.image_id.tolist(), cases.label.tolist(), strict=True)
    }
    for each in answer["cases"]:
        assert each["diagnosis"] == diagnosis[each["image_id"]]
        assert each["thumbnail"] is None


def test_heat_maps_are_those_of_the_heater(client, predictor, photographs, as_form):
    pixels = predictor.stream.backbone.preprocessing(Image.open(BytesIO(photographs[0])))
    heater = Heater(predictor.stream.backbone, predictor.model.head)
    for label, name in enumerate(predictor.model.classes):
        query = {"heat": "true", "label": name}
        found = client.post("/api/predict", params=query, files=as_form(photographs[0]))
        heat = found.json()["images"][0]["heat"]
        if label not in predictor.model.facts.head.classes:
            assert heat is None
            continue
        assert heat["label"] == name
        maps = heater.maps(pixels[None], np.array([label])).maps[0]
        assert np.array(heat["values"]) == pytest.approx(maps, abs=1e-3)


def test_one_bad_file_costs_the_others_nothing(client, photographs, wanted, as_form):
    files = as_form(photographs[0], b"no image", photographs[1], b"", photographs[2][:300])
    answers = client.post("/api/predict", files=files).json()["images"]
    check(answers[0], wanted, 0)
    check(answers[2], wanted, 1)
    for place in (1, 3, 4):
        assert answers[place]["error"]["code"] == "not_readable"
        assert answers[place]["probabilities"] is None


def test_the_same_name_twice(client, photographs, wanted):
    files = [("images", ("same.jpg", photographs[row])) for row in (4, 5)]
    answers = client.post("/api/predict", files=files).json()["images"]
    assert [answer["name"] for answer in answers] == ["same.jpg", "same.jpg"]
    for row, answer in zip((4, 5), answers, strict=True):
        check(answer, wanted, row)


def test_about(client, predictor):
    about = client.get("/api/model").json()
    assert about["classes"] == list(predictor.model.classes)
    assert "No medical device" in about["notice"]
    assert "alibrated" in about["calibration"]
    assert about["takes"] == {"megabytes": 25, "megapixels": 50, "images": 16, "seconds": 30}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/page.py", 404, "not_found"),
        ("GET", "/../app.py", 404, "not_found"),
        ("GET", "/api/cases/1", 404, "no_picture"),
        ("DELETE", "/api/model", 405, "wrong_method"),
        ("GET", "/api/predict", 405, "wrong_method"),
        ("POST", "/api/predict?cases=-1", 422, "invalid"),
        ("POST", "/api/predict?cases=many", 422, "invalid"),
        ("POST", "/api/predict?heat=true&label=x", 422, "no_such_class"),
        ("POST", "/api/predict?label=x", 422, "no_such_class"),
        ("POST", "/api/predict", 415, "not_multipart"),
    ],
)
def test_refusals_have_one_shape(client, method, path, status, code):
    found = client.request(method, path)
    assert found.status_code == status
    error = found.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["remedy"]
    assert_sealed(found)


def assert_sealed(found):
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in found.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/", "/page.js", "/page.css", "/card.js", "/asking.js", "/heat.js", "/healthz"]
)
def test_what_the_page_is_made_of(client, path):
    found, head = client.get(path), client.head(path)
    assert found.status_code == head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(found.content))
    assert_sealed(found)
    assert "http://" not in found.text.replace("http://www.w3.org", "")
    assert "https://" not in found.text


def test_a_fault_is_told_to_the_operator_alone(client_of, predictor, photographs, caplog, as_form):
    class Faulty:
        def __getattr__(self, name):
            return getattr(predictor, name)

        def answers_of_pixels(self, pixels):
            if (pixels != 128).any():
                raise RuntimeError("/home/someone/model.py is wrong")
            return predictor.answers_of_pixels(pixels)

    client = client_of(predictor=Faulty())
    with caplog.at_level(logging.ERROR, "featkit.serving"):
        found = client.post("/api/predict", files=as_form(photographs[0]))
    assert found.status_code == 500
    assert found.json()["error"]["code"] == "fault"
    assert "someone" not in found.text
    assert "someone" in caplog.text
    assert_sealed(found)
    assert client.get("/healthz").status_code == 200
    assert 'status="500"' in client.get("/metrics").text


def test_token(client_of, photographs, as_form):
    client = client_of(token="secret")
    for path in ("/api/model", "/metrics", "/openapi.json", "/api/cases/1", "/nothing"):
        found = client.get(path)
        assert (found.status_code, found.headers["www-authenticate"]) == (401, "Bearer")
        assert_sealed(found)
    found = client.post("/api/predict", files=as_form(photographs[0]))
    assert found.status_code == 401
    for path in ("/", "/page.js", "/healthz"):
        assert client.get(path).status_code == 200
    known = {"Authorization": "Bearer secret"}
    found = client.post("/api/predict", files=as_form(photographs[0]), headers=known)
    assert found.status_code == 200
    assert "HTTPBearer" in client.get("/openapi.json", headers=known).text


def test_metrics_count(client_of, photographs, as_form):
    client = client_of()
    client.post("/api/predict", files=as_form(*photographs[:3], b"x"))
    client.get("/somewhere")
    lines = dict(
        line.rsplit(" ", 1)
        for line in client.get("/metrics").text.splitlines()
        if not line.startswith("#")
    )
    assert lines['featkit_requests_total{path="/api/predict",status="200"}'] == "1.0"
    assert lines['featkit_requests_total{path="other",status="404"}'] == "1.0"
    assert lines["featkit_images_answered_total"] == "3.0"
    assert lines['featkit_images_refused_total{code="not_readable"}'] == "1.0"
    assert lines["featkit_batch_images_sum"] == "3.0"
    assert lines["featkit_images_inside"] == "0.0"
    assert lines["featkit_decoders_lost"] == "0.0"


def test_a_server_with_a_killed_decoder_goes_on(client_of, photographs, wanted, as_form):
    others = {process.pid for process in active_children()}
    client = client_of()
    (decoder,) = {process.pid for process in active_children()} - others
    os.kill(decoder, signal.SIGKILL)
    answers = client.post("/api/predict", files=as_form(*photographs[:4])).json()["images"]
    for row, answer in enumerate(answers):
        check(answer, wanted, row)
    assert "featkit_decoders_lost 1.0" in client.get("/metrics").text


def test_the_time_limit_is_kept(client_of, predictor, photographs, as_form):
    class Slow:
        def __getattr__(self, name):
            return getattr(predictor, name)

        def answers_of_pixels(self, pixels):
            time.sleep(0.6 * bool((pixels != 128).any()))
            return predictor.answers_of_pixels(pixels)

    client = client_of(predictor=Slow(), limits=Limits(seconds=0.3))
    found = client.post("/api/predict", files=as_form(photographs[0]))
    assert (found.status_code, found.json()["error"]["code"]) == (504, "too_slow")
    assert "featkit_images_inside 0.0" in client.get("/metrics").text
