import pytest

from featkit.speed import advice


def test_the_bottleneck_comes_first(made):
    slow = made.speed(made.way(20.0, taken=True), architecture="big")
    fast = made.speed(made.way(900.0, taken=True), architecture="small")
    first = advice(made.findings(slow, fast))[0]
    assert first == "Most of the time goes to the network for big and decoding for small."
    assert advice(made.findings(slow))[0] == "Most of the time goes to the network."
    beside = made.findings(fast, beside=True)
    assert advice(beside)[0] == "What decides is decoding."


def test_a_cpu_is_told_what_a_gpu_could_do_at_most(made):
    text = " ".join(advice(made.findings(made.speed(decode=100.0), images=360_000)))
    assert "360,000 images would then take 60 min, which is decoding alone" in text
    assert "OpenVINO" not in text
    assert "featkit[openvino]" in " ".join(advice(made.findings(openvino=False)))


def test_a_gpu_that_waits_wants_cores(made):
    speed = made.speed(made.way(3000.0, taken=True), decode=800.0)
    text = " ".join(advice(made.findings(speed, beside=True, workers=4)))
    assert "The GPU waits for decoding; net would keep 15 cores busy" in text
    assert "featkit bench --decoder gpu" in text
    itself = made.findings(speed, beside=True, decoder="gpu")
    assert "The GPU decodes more slowly than it computes" in " ".join(advice(itself))
    busy = made.findings(made.speed(made.way(300.0, taken=True), decode=800.0), beside=True)
    assert "the GPU is busy" in " ".join(advice(busy))
    assert "openvino" not in " ".join(advice(busy))


def test_faster_ways_that_are_left_are_explained(made):
    plain, bf16 = made.way(50.0, taken=True), made.way(125.0, error=0.2, precision="bf16")
    others = [made.speed(plain, bf16), made.speed(plain, bf16, architecture="other")]
    assert advice(made.findings(*others))[-1] == (
        "bf16 would make the network of net 2.5 times as fast, other 2.5 times as fast, but "
        "changes the features too much; `--precision bf16` takes it all the same."
    )


@pytest.mark.parametrize(
    "other",
    [
        {"images_per_second": 55.0, "error": 0.2},  # hardly faster
        {"images_per_second": 500.0, "error": 0.001},  # faithful: chance alone left it
        {"images_per_second": 500.0, "faithfulness": None},
        {"images_per_second": 500.0, "precision": "fp32", "error": 0.2},
    ],
)
def test_of_other_ways_nothing_is_claimed(made, other):
    way = made.way(**{"precision": "bf16", **other})
    speed = made.speed(made.way(50.0, taken=True), way)
    assert "bf16" not in " ".join(advice(made.findings(speed)))


def test_random_weights_promise_nothing(made):
    ways = made.way(50.0, taken=True), made.way(300.0, faithfulness=None, precision="bf16")
    speed = made.speed(*ways, decode=150.0, random_weights=True)
    last = advice(made.findings(speed, images=10_000))[-1]
    assert last == (
        "bf16 is faster, and taken if the trained weights bear it, which `extract` finds out: "
        "net 2 min."
    )
