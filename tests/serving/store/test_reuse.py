from dataclasses import dataclass

from serving.store.reuse import reuses_a_key


@dataclass(frozen=True)
class Stored:
    request_hash: str


def test_a_key_with_the_content_it_is_stored_with_is_the_same_request() -> None:
    assert not reuses_a_key([("a", "1"), ("a", "1"), ("b", "2")], {"a": Stored("1")})


def test_a_key_stored_with_another_content_is_reused() -> None:
    assert reuses_a_key([("b", "2"), ("a", "2")], {"a": Stored("1")})


def test_a_key_with_two_contents_in_one_request_is_reused() -> None:
    assert reuses_a_key([("a", "1"), ("a", "2")], {})
