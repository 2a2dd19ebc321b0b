"""What a generator reads of a long sentence."""

from tests.doubles import CountingGenerator


def test_a_short_sentence_is_left_alone(pocket):
    sentence = "a photo of one banana and no people in a park"
    assert pocket.generator.cut(sentence) == sentence


def test_a_long_sentence_keeps_its_first_words(pocket):
    sentence = " ".join(["banana"] * 50)
    assert pocket.generator.cut(sentence) == " ".join(["banana"] * 30)  # 32 less begin and end


def test_a_generator_without_a_limit_cuts_nothing():
    assert CountingGenerator().cut("a " * 999) == "a " * 999
