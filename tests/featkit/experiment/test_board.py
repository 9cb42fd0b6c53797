import pytest
from sklearn.metrics import balanced_accuracy_score

from featkit.experiment import Board, Score, score_of


class Recorder:
    def __init__(self):
        self.told = []

    def start(self, task, *, total, done=0, unit=""):
        self.told.append((task, total, done, unit))

    def advance(self, amount, *, note=""):
        self.told.append((amount, note))

    def finish(self):
        self.told.append("finished")


def test_the_score_is_scikit_learns(fakes, plan):
    run = fakes.run(plan)
    expected = balanced_accuracy_score(run.test.label, run.probabilities.argmax(axis=1))
    score = score_of(run)
    assert score.balanced_accuracy == pytest.approx(expected)
    assert (score.name, score.budget) == ("net / linear", 100.0)


def test_the_board_shows_the_mean_of_a_cell_and_counts_what_was_there():
    recorder = Recorder()
    board = Board(recorder)
    assert board.add(Score("a", 5.0, 0.4)) == 0.4
    board.start("fit", to_come=2)
    board.show(Score("a", 5.0, 0.6))
    board.show(Score("b", 5.0, 0.9))
    board.finish()
    assert recorder.told == [
        ("fit", 3, 1, "runs"),
        (1, "a at 5%: balanced accuracy 0.500"),
        (1, "b at 5%: balanced accuracy 0.900"),
        "finished",
    ]
    assert board.shown == 3
