"""ImageNet's classes: 1000 distinct names and sentences."""

import re

import pytest

from rldf.dataset.class_axis import with_nouns
from rldf.dataset.classes import chosen
from rldf.dataset.imagenet import (
    bare,
    gloss,
    imagenet_100,
    imagenet_labels,
    imagenet_vocabulary,
    synsets,
    with_article,
)
from rldf.errors import UsageError
from rldf.grammar.grammar import load_grammar

IMAGENET = load_grammar("imagenet")


def named(wnid):
    return imagenet_vocabulary().find(wnid).name


def test_the_classes_are_those_of_ilsvrc_in_the_order_of_their_wnids():
    keys = [label.key for label in imagenet_labels()]
    assert len(keys) == 1000
    assert keys == sorted(set(keys))
    assert all(re.fullmatch(r"n\d{8}", key) for key in keys)
    assert (keys[0], keys[340], keys[999]) == ("n01440764", "n02391049", "n15075141")
    assert all(synset.definition and synset.lemmas for synset in synsets())


def test_names_differ_in_more_than_a_plural():
    assert len({bare(label.name) for label in imagenet_labels()}) == 1000


@pytest.mark.parametrize("definitions", [False, True])
def test_every_class_has_a_sentence_of_its_own(definitions):
    grammar = with_nouns(IMAGENET, imagenet_labels(), definitions=definitions)
    place = [axis.symbol for axis in grammar.axes].index("Noun")
    sentences = []
    for i in range(1000):
        encoding = [0] * len(grammar.axes)
        encoding[place] = i
        sentences.append(grammar.derive(tuple(encoding)))
    assert len({bare(sentence) for sentence in sentences}) == 1000
    for label, sentence in zip(imagenet_labels(), sentences, strict=True):
        assert sentence.isprintable()
        assert sentence == " ".join(sentence.split())
        assert sentence.startswith(f"a photo of {label.noun.split(' (')[0]}")
        assert sentence.count("(") == sentence.count(")") <= 1
        assert ("(" in sentence) or not definitions


def test_homonyms_and_twins_are_told_apart():
    assert named("n02012849") == "crane bird"
    assert named("n03126707") == "construction crane"
    assert named("n03710637") == "tights"
    assert named("n03710721") == "one-piece bathing suit"
    assert named("n03773504").startswith("missile (a rocket carrying a warhead")
    assert named("n04008634").startswith("projectile (a weapon that is forcibly thrown")
    assert named("n04355933").startswith("sunglass (a convex lens")
    assert named("n04356056").startswith("sunglasses (spectacles that are darkened")


def test_articles():
    of = {label.key: label.noun for label in imagenet_labels()}
    assert of["n02391049"] == "a zebra"
    assert of["n02403003"] == "an ox"
    assert of["n03594734"] == "jeans"
    assert of["n07714990"] == "broccoli"
    for name in ("hourglass", "iPod", "umbrella", "upright piano", "Old English Sheepdog"):
        assert with_article(name) == f"an {name}"
    for name in ("unicycle", "European polecat", "one-piece bathing suit", "hen", "yurt"):
        assert with_article(name) == f"a {name}"


def test_an_article_or_its_absence_fits_each_noun():
    for label in imagenet_labels():
        article, _, rest = label.noun.partition(" ")
        if article not in ("a", "an"):
            assert label.noun == label.name
            continue
        assert rest == label.name
        spoken_vowel = rest[0].lower() in "aeiou" or rest == "hourglass"
        exceptions = ("European", "one-piece", "unicycle")
        assert (article == "an") == (spoken_vowel and not rest.startswith(exceptions)), label.noun


def test_a_gloss_is_the_first_clause_shortened():
    assert gloss("a rocket (of any kind); may be ballistic") == "a rocket"
    long = "a large dog with a very long and most silky coat of the kind that is used for the hunt"
    assert gloss(long) == "a large dog with a very long and most silky coat of the kind"
    assert all(1 <= len(gloss(s.definition).split()) <= 16 for s in synsets())


def test_sentences_fit_clips_text_encoder():
    from open_clip import get_tokenizer

    tokenize = get_tokenizer("ViT-B-32", context_length=200)
    grammar = with_nouns(IMAGENET, imagenet_labels(), definitions=True)
    longest = {
        axis.symbol: max(
            range(len(axis.values)), key=lambda i, a=axis: max(map(len, a.values[i].forms.values()))
        )
        for axis in grammar.axes
    }
    plain_people = {"Gender": 0, "Race": 0, "Age": 0, "Emotion": 0, "City": 0, "Palette": 0}
    sentences = [
        grammar.derive(
            tuple(
                {**longest, **plain_people, "Medium": 0, "Noun": i}[a.symbol] for a in grammar.axes
            )
        )
        for i in range(1000)
    ]
    assert int((tokenize(sentences) != 0).sum(1).max()) <= 77


def test_kinds_of_some_classes():
    kind = {label.key: label.kind for label in imagenet_labels()}
    for wnid, wanted in {
        "n01440764": "fish",  # tench
        "n01514668": "bird",  # rooster
        "n02085620": "pet",  # Chihuahua
        "n02391049": "mammal",  # zebra
        "n02066245": "sea creature",  # grey whale
        "n02165456": "insect",  # ladybug
        "n02690373": "aircraft",  # airliner
        "n04146614": "vehicle",  # school bus
        "n04273569": "ship",  # motorboat
        "n03788195": "building",  # mosque
        "n07753592": "food",  # banana
        "n09472597": "land",  # volcano
        "n09835506": "person",  # baseball player
        "n10148035": "man",  # bridegroom
        "n11939491": "plant",  # daisy
        "n04536866": "thing",  # violin
        "n15075141": "thing",  # toilet paper
    }.items():
        assert kind[wnid] == wanted
    assert "" not in kind.values()


def test_a_hundred_classes_are_the_standard_list():
    standard = imagenet_100()
    assert len(set(standard)) == 100
    assert (standard[0], standard[-1]) == ("n02869837", "n02090622")
    assert [label.key for label in chosen(imagenet_vocabulary(), "100")] == sorted(standard)


def test_fewer_classes_are_among_more_of_every_kind():
    chosen_keys = [
        {label.key for label in chosen(imagenet_vocabulary(), n)}
        for n in ("10", "100", "300", "1000")
    ]
    assert chosen_keys[0] < chosen_keys[1] < chosen_keys[2] < chosen_keys[3]
    kinds = {label.kind for label in imagenet_labels() if label.key in chosen_keys[2]}
    assert len(kinds) >= 12


def test_lemmas_are_names_too():
    find = imagenet_vocabulary().find
    assert find("zebra").key == "n02391049"
    assert find("Alaskan king crab").key == "n01981276"
    for word in ("crane", "maillot", "missile"):
        with pytest.raises(UsageError, match=f"'{word}' is the name of 2 classes"):
            find(word)
    with pytest.raises(UsageError, match="'n09999999' is no class of ImageNet: type a wnid or"):
        find("n09999999")
