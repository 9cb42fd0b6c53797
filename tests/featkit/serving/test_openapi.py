"""The server keeps to its own description, whatever is sent to it."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")

PATHS = {
    "/healthz": "GET",
    "/metrics": "GET",
    "/api/model": "GET",
    "/api/cases/{image_id}": "GET",
    "/api/predict": "POST",
}

BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(server):
    return schemathesis.openapi.from_dict(httpx2.get(f"{server.url}/openapi.json").json())


def checks():
    found = schemathesis.checks
    found.load_all_checks()
    names = (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
    return [found.CHECKS.get_one(name) for name in names]


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        *((path, "POSITIVE") for path in PATHS),
        ("/api/predict", "NEGATIVE"),  # of the others nothing can be wrong
    ],
)
def test_answers_are_as_described(schema, server, path, mode):
    operation = schema[path][PATHS[path]]
    cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode])

    @BOUNDED
    @given(case=cases)
    def ask(case):
        response = case.call(base_url=server.url)
        case.validate_response(response, checks=checks())

    ask()


def test_every_path_is_asked(schema):
    found = {operation.ok().path for operation in schema.get_all_operations()}
    assert found == set(PATHS)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@BOUNDED
@given(
    rows=st.lists(st.integers(0, 47) | st.binary(max_size=60), max_size=5),
    names=st.lists(st.text(max_size=20), min_size=5, max_size=5),
    query=st.fixed_dictionaries(
        {},
        optional={
            "cases": st.integers(-2, 30) | st.text(max_size=3),
            "heat": st.booleans() | st.text(max_size=3),
            "label": st.sampled_from(["mel", "nv"]) | st.text(max_size=5),
        },
    ),
)
def test_forms_with_real_images_in_them(schema, server, photographs, rows, names, query):
    files = [
        ("images", (name, photographs[row] if isinstance(row, int) else row))
        for row, name in zip(rows, names, strict=False)
    ]
    response = httpx2.post(f"{server.url}/api/predict", params=query, files=files, timeout=60)
    case = schema["/api/predict"]["POST"].Case(query=query)
    response.request.read()
    case.validate_response(schemathesis.Response.from_any(response), checks=checks())
    if response.status_code == 200:
        answers = response.json()["images"]
        assert len(answers) == len(files)
        for row, answer in zip(rows, answers, strict=False):
            assert (answer["error"] is None) == isinstance(row, int)
