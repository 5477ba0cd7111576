import pytest

from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.form import decode_form


def test_brackets_become_a_tree() -> None:
    assert decode_form("a[b][0][c]=1&a[b][0][d]=x%20y&e=") == {
        "a": {"b": {"0": {"c": "1", "d": "x y"}}},
        "e": "",
    }


def test_empty_brackets_count_up() -> None:
    assert decode_form("expand[]=a&expand[]=b") == {"expand": {"0": "a", "1": "b"}}


@pytest.mark.parametrize("text", ["a[b=1", "[a]=1", "a=1&a[b]=2"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ApiError):
        decode_form(text)
