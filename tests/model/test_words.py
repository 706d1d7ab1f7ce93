"""Numbers with what they count."""

import pytest

from meshforensics.model.words import count_of, in_words, noun, of_many, unit_of


@pytest.mark.parametrize(
    ("number", "one", "many", "said"),
    [
        (1, "proxy", "", "1 proxy"),
        (2, "proxy", "", "2 proxies"),
        (0, "call", "", "0 calls"),
        (1.0, "day", "", "1.0 day"),
        (3, "day", "", "3 days"),
        (2, "leaf", "leaves", "2 leaves"),
        (1, "pod has", "pods have", "1 pod has"),
        ("unknown", "host", "", "unknown hosts"),
    ],
)
def test_a_number_with_what_it_counts(number: object, one: str, many: str, said: str) -> None:
    assert count_of(number, one, many) == said
    assert said.endswith(noun(number, one, many))


@pytest.mark.parametrize(
    ("template", "one", "two"),
    [
        ("{n:proxy|s} trust", "1 proxy trust", "2 proxies trust"),
        ("{n:push|pushes}", "1 push", "2 pushes"),
        ("{n:pod has|pods have} none", "1 pod has none", "2 pods have none"),
        ("a{n:~| first}, {n:~has|have}", "a, has", "a first, have"),
        ("route{n:~|s}", "route", "routes"),
        ("{n:~the only pod|all {n} pods}", "the only pod", "all 2 pods"),
        ("{n:>3}|", "  1|", "  2|"),
    ],
)
def test_a_template_that_counts(template: str, one: str, two: str) -> None:
    assert [in_words(template, n=number) for number in (1, 2)] == [one, two]
    assert of_many(template).replace("{n}", "2") == two or ":>" in template


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(KeyError):
        in_words("{count:pod|s}")


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [
        (1, "requests", "request"),
        (1, "s", "s"),
        (1, "requests/s", "requests/s"),
        (1.0, "proxies", "proxy"),
        (0, "lines", "lines"),
    ],
)
def test_a_unit_behind_its_number(number: float, unit: str, said: str) -> None:
    assert unit_of(number, unit) == said
