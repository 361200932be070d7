"""Threads that share the planes of a box: who is done takes the next part; what fails is told when all have stopped."""

import time

import pytest

from interlith.deposit.solver.team import Team


def test_a_part_that_fails_is_told_when_nobody_is_at_work_any_more():
    done, parts = [], [(n, n + 1) for n in range(40)]

    def work(first, last):
        if first == 3:
            raise ValueError("the fourth")
        time.sleep(0.002)
        done.append(first)

    with Team(4) as team:
        with pytest.raises(ValueError, match="the fourth"):
            team.share(parts, work)
        n_done = len(done)
        time.sleep(0.05)
        assert len(done) == n_done
        assert team.share(parts, lambda first, last: first) == list(range(40))
