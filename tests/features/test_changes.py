"""What is due to the data and what to the model adds up to the difference of two scores."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from features.changes import Weighed, change_between, change_in_words, field_in_words, undivided_in_words
from features.text import Text

contribution = st.floats(-4, 4)
contributions = st.lists(st.tuples(contribution, contribution), min_size=1, max_size=8)


def weighed(base: float, values: list[float]) -> Weighed:
    log_odds = base + math.fsum(values)
    return Weighed(1 / (1 + math.exp(-log_odds)), {f"f{place}": value for place, value in enumerate(values)})


@given(contributions, st.floats(-3, 3), st.floats(0, 1))
def test_data_and_model_add_up_to_the_difference_and_fields_to_the_data(
    values: list[tuple[float, float]], base: float, answered_before: float
) -> None:
    before, after = weighed(base, [pair[0] for pair in values]), weighed(base, [pair[1] for pair in values])
    change = change_between(answered_before, after.probability, before, after)
    assert abs(change.points - 100 * (after.probability - answered_before)) < 1e-9
    assert abs(change.data_points + change.model_points - change.points) < 1e-9
    assert abs(math.fsum(change.by_field.values()) - change.data_points) < 1e-9


@given(contributions, st.floats(-3, 3))
def test_under_one_model_nothing_is_due_to_the_model(values: list[tuple[float, float]], base: float) -> None:
    before, after = weighed(base, [pair[0] for pair in values]), weighed(base, [pair[1] for pair in values])
    assert change_between(before.probability, after.probability, before, after).model_points == 0


def test_the_worked_example() -> None:
    """The old model answered 0.20; the new one makes 0.24 of the old data and 0.35 of the new."""
    before, after = Weighed(0.24, {"a": 0.1, "b": 0.5}), Weighed(0.35, {"a": 0.1, "b": 1.0})
    change = change_between(0.20, 0.35, before, after)
    assert [round(points, 9) for points in (change.points, change.data_points, change.model_points)] == [15, 11, 4]
    assert change.by_field["a"] == 0
    assert round(change.by_field["b"], 9) == 11
    words = change_in_words(change, same_model=False)
    assert words.en == "+15.0 points: +11.0 points because its data changed, +4.0 points because the model did."
    assert words.de == "+15,0 Punkte: +11,0 Punkte durch geänderte Daten, +4,0 Punkte durch das geänderte Modell."


def test_fields_that_cancel_each_other_out_still_add_up() -> None:
    before, after = weighed(-1, [1.0, -1.0]), weighed(-1, [-1.0, 1.0])
    change = change_between(before.probability, after.probability, before, after)
    assert change.data_points == 0
    assert change.by_field["f0"] == -change.by_field["f1"] < 0


def test_a_field_is_told_with_what_it_was_and_what_it_is() -> None:
    label, nine, ten = Text("Employees", "Beschäftigte"), Text("9", "9"), Text("10", "10")
    assert field_in_words(label, nine, ten, 1.26, changed=True).de == "Beschäftigte: 9 → 10, +1,3 Punkte."
    assert field_in_words(label, nine, nine, -0.3, changed=False).en == "Employees: 9, as before, −0.3 points."


def test_what_cannot_be_divided_says_why() -> None:
    told = undivided_in_words(-2, Text("it is gone", "es ist fort"))
    assert told.en.startswith("−2.0 points. How much")
    assert told.de.endswith("ist nicht bekannt: es ist fort.")
