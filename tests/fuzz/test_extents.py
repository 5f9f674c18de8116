"""A slice of the generator of extents, and the generator's own teeth."""

from symnet.backends.llvm.sizes import SizeChecks
from tests.fuzz import extents


def test_sizes_that_cannot_be_addressed_are_refused_for_every_width() -> None:
    counts, wrong = extents.session(0, 600, most=600)
    assert not wrong and set(extents.EXPRESSIONS) <= set(counts)


def test_an_unchecked_product_is_caught(monkeypatch) -> None:
    monkeypatch.setattr(SizeChecks, "product", lambda sizes, left, right: sizes.e.text.binary("mul", left, right))
    monkeypatch.setattr(SizeChecks, "note", lambda sizes, condition: None)
    extents.compiled.cache_clear()
    try:
        assert extents.session(0, 600, most=60)[1]
    finally:
        extents.compiled.cache_clear()
