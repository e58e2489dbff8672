from evenkeel.symptoms.blindness import blindness
from symptoms._made import chain, link, look


def test_is_between_the_first_and_the_last_features():
    parts = [link(str(number), similarity=value) for number, value in enumerate((0.2, 0.9, 0.99, 0.999))]
    found = blindness(chain(*parts))
    assert found is not None
    assert (found.first.name, found.last.name, len(found.between)) == ("0", "2", 3)
    assert (found.seen, found.left) == (0.2, 0.99)


def test_links_without_weights_after_the_output_are_passed_over():
    tail = link("log", terms=(), similarity=0.1)
    found = blindness(chain(link("0", similarity=0.2), link("1", similarity=0.99), link("head"), tail))
    assert found is not None and found.last.name == "1"


def test_one_hidden_link_shows_no_fall():
    assert blindness(chain(link("0", similarity=0.99), link("head"))) is None
    assert look().chain is None and blindness(chain()) is None
