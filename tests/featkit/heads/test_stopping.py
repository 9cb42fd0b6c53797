from featkit.heads._stopping import Stopping


def stopped_after(losses, *, patience):
    stopping = Stopping(patience=patience)
    for loss in losses:
        stopping.record(loss)
        if stopping.is_over:
            break
    return stopping


def test_patience_runs_out_after_rounds_without_a_better_loss():
    stopping = stopped_after([3, 2, 2.5, 2.1, 2.2, 0], patience=3)
    assert (stopping.best, stopping.rounds) == (2, 5)


def test_a_better_loss_renews_patience():
    stopping = stopped_after([3, 4, 2, 4, 1], patience=2)
    assert (stopping.best, stopping.is_over) == (5, False)


def test_first_of_equal_losses_is_best_and_a_standstill_ends():
    stopping = stopped_after([1, 1, 1, 1], patience=2)
    assert (stopping.best, stopping.rounds) == (1, 3)


def test_nothing_is_over_before_it_began():
    assert not Stopping(patience=1).is_over
