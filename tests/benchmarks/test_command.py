import pytest

from benchmarks.catalogue import BENCHMARKS
from benchmarks.command import main


def test_list_names_all(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in BENCHMARKS)


@pytest.mark.parametrize("words", [["extracton"], ["extraction", "--rounds", "0"], []])
def test_wrong_usage(words, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)


@pytest.mark.bench
@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_benchmark_runs(name, tmp_path, monkeypatch):
    monkeypatch.delenv("BENCH_THINGSVISION_PYTHON", raising=False)
    words = [name, "--quick", "--rounds", "1", "--backbone", "mobilenetv2", "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    assert {f"{name}.json", f"{name}.md"} <= {path.name for path in tmp_path.iterdir()}
