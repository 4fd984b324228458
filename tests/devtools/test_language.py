"""The check of the language."""

import pytest

from devtools.language import avoided_words, poor_summaries


@pytest.mark.parametrize("text", ["# Nobody waits.", "a table of its own", "refused_at_once()", "It tells all."])
def test_an_avoided_word_is_found_with_its_replacement(text: str) -> None:
    """The finding has the line and the remedy."""
    [(line, finding)] = avoided_words(f"\n{text}")
    assert line == 2
    assert "write" in finding


@pytest.mark.parametrize("text", ["postgres runs as `nobody`", "the default", "a fallback", "details", "its own data"])
def test_similar_words_are_allowed(text: str) -> None:
    """Only whole words count, and the user `nobody` exists."""
    assert list(avoided_words(text)) == []


def test_a_docstring_that_continues_the_name_is_no_summary() -> None:
    """A reader of the first line alone must understand it."""
    assert [line for line, _ in poor_summaries('"""A module."""\n\n\ndef f():\n    """And the rest."""\n')] == [5]
