"""In which order a round serves those that wait: by time, within a namespace by priority."""

from hypothesis import given
from hypothesis import strategies as st
from unit.core.quota.rounds import assume, let_in, quota, requeued, round_, session


def test_of_one_namespace_the_highest_priority_is_first() -> None:
    """However late it was created; of equal ones the one created first."""
    sessions = [session("old", age=9), session("new", age=1, priority=5), session("newer", age=0, priority=5)]

    assert ["new", "newer"] == let_in(round_(*sessions, quotas=(quota(sessions=2),)))


def test_a_negative_priority_comes_last() -> None:
    """The default is 0."""
    assert ["b"] == let_in(round_(session("a", age=9, priority=-1), session("b", age=1), quotas=(quota(sessions=1),)))


def test_no_priority_passes_another_namespace() -> None:
    """Whoever may create sessions may write any priority; the place in the queue stays what it was."""
    sessions = [
        session("mine", age=9, namespace="a"),
        session("theirs", age=5, namespace="b"),
        session("urgent", age=1, namespace="a", priority=2**31 - 1),
    ]

    assert ["urgent"] == let_in(round_(*sessions, quotas=(quota(sessions=1),)))
    assert ["urgent", "theirs"] == let_in(round_(*sessions, quotas=(quota(sessions=2),)))


def test_who_has_a_place_lends_it_to_nobody() -> None:
    """One that is admitted and not in status yet is in no queue, so its time moves nobody up."""
    sessions = [
        session("first", age=9, namespace="a"),
        session("theirs", age=5, namespace="b"),
        session("urgent", age=1, namespace="a", priority=1),
    ]

    result = round_(*sessions, assumed=(assume("first"),), quotas=(quota(sessions=2),))
    assert ["theirs"] == let_in(result)


def test_two_that_cannot_run_do_not_take_turns_before_one_that_can() -> None:
    """Whatever their priority: after its time outside each comes after those that were waiting by then."""
    sessions = [
        session("mine", age=90, namespace="a"),
        session("theirs", age=80, namespace="b"),
        requeued("broken", at=-60, namespace="a", priority=9),
        requeued("broken-too", at=-50, namespace="a", priority=9),
    ]

    for places, expected in ((1, ["mine"]), (2, ["mine", "theirs"]), (3, ["mine", "theirs", "broken"])):
        assert expected == let_in(round_(*sessions, quotas=(quota(sessions=places),)))


def test_who_returns_is_before_the_younger_by_its_priority() -> None:
    """The place that it has by its time counts like any other: it may have it, or an urgent one that is newer."""
    later = [session("later", age=9), session("latest", age=8, priority=5)]

    for priority, expected in ((7, ["again", "latest"]), (3, ["latest", "again"])):
        sessions = [requeued("again", at=-60, priority=priority), *later]
        assert expected == let_in(round_(*sessions, quotas=(quota(sessions=2),)))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.integers(-2, 2)), max_size=8))
def test_each_namespace_gets_as_many_places_as_without_priorities(given_: list[tuple[str, int, int]]) -> None:
    """For any number of places, priorities change which of a namespace's sessions get in and not how many."""

    def counts(*, places: int, with_priorities: bool) -> list[str]:
        sessions = [
            session(str(number), namespace=namespace, age=age, priority=priority if with_priorities else 0)
            for number, (namespace, age, priority) in enumerate(given_)
        ]
        return sorted(given_[int(name)][0] for name in let_in(round_(*sessions, quotas=(quota(sessions=places),))))

    for places in range(len(given_) + 1):
        assert counts(places=places, with_priorities=False) == counts(places=places, with_priorities=True)
