"""Search in help articles: an index in memory, of words in Latin script and of pairs of Japanese characters.

Japanese has no spaces between words: pairs of characters find a word wherever it stands, without a dictionary.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from portal_app.domain.help.article import Article, Hit
from portal_app.domain.support.case_list import folded

LONGEST_QUERY = 100
_RUN = re.compile(r"[a-z0-9]+|[ぁ-ゖゝゞー\u3400-\u9fff々〆]+")
_SENTENCE = re.compile(r"(?<=[.。!?！？])\s*|\n+")
_LONGEST_SNIPPET = 180
# Words that nearly every question has. They would find an article that has nothing else in common with it.
_EMPTY = frozenset(
    "a am an and are as at be been by can could did do does for from get has have how i if in is it me my of on or our "
    "should so that the their there this to was we what when where which who why will with would you your".split()
)
_HIRAGANA = re.compile("[ぁ-ゖ]")
# What a pair counts by how many of its characters are hiragana.
_SHARES = (1.0, 0.4, 0.15)
# A word of the title counts as much as four in the text, a keyword as much as six.
_TITLE, _KEYWORD, _SUMMARY = 4, 6, 2
# Of BM25: how soon a repeated word stops counting, and how much a long text is held back.
_SATURATION, _LENGTH = 1.2, 0.6
# What must be found of the weight of a question, and of the best hit's score.
_LEAST_COVERED, _LEAST_OF_BEST = 0.3, 0.15


class HelpIndex:
    """The articles of one language."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._articles = tuple(articles)
        self._weights: defaultdict[str, dict[int, float]] = defaultdict(dict)
        self._sentences: list[list[tuple[str, frozenset[str]]]] = []
        lengths = [sum(1 for _ in tokens(article.text)) for article in self._articles]
        average = max(1.0, sum(lengths) / max(1, len(lengths)))
        for at, article in enumerate(self._articles):
            self._add(at, article, length=lengths[at] / average)

    def search(self, query: str, *, most: int = 10) -> list[Hit]:
        """Return the articles that fit a question best, the best first."""
        asked = dict(_of_query(query))
        if not asked:
            return []
        rarity = {token: share * self._rarity(token) for token, share in asked.items()}
        scores: defaultdict[int, float] = defaultdict(float)
        covered: defaultdict[int, float] = defaultdict(float)
        for token in asked:
            for at, weight in self._weights.get(token, {}).items():
                scores[at] += rarity[token] * weight
                covered[at] += rarity[token]
        least = _LEAST_COVERED * sum(rarity.values())
        fitting = sorted((at for at in scores if covered[at] >= least), key=lambda at: (-scores[at], at))
        found = [at for at in fitting if scores[at] >= _LEAST_OF_BEST * scores[fitting[0]]][:most]
        return [Hit(self._articles[at], self._snippet(at, rarity)) for at in found]

    def _add(self, at: int, article: Article, *, length: float) -> None:
        """Add an article; `length` is how long its text is beside the average."""
        held_back = _SATURATION * (1 - _LENGTH + _LENGTH * length)
        for token, count in Counter(tokens(article.text)).items():
            self._weights[token][at] = count * (_SATURATION + 1) / (count + held_back)
        for text, weight in (
            (article.title, _TITLE),
            (article.summary, _SUMMARY),
            (" ".join(article.keywords), _KEYWORD),
        ):
            # A word stands for itself here, however often it comes.
            for token in set(tokens(text)):
                self._weights[token][at] = self._weights[token].get(at, 0.0) + weight
        sentences = [part.strip() for part in _SENTENCE.split(article.text) if part.strip()]
        self._sentences.append([(sentence, frozenset(tokens(sentence))) for sentence in sentences])

    def _rarity(self, token: str) -> float:
        holding = len(self._weights.get(token, {}))
        return math.log(1 + (len(self._articles) - holding + 0.5) / (holding + 0.5))

    def _snippet(self, at: int, rarity: dict[str, float]) -> str:
        """Return the sentence that fits best with what follows it, or the summary where none fits."""

        def fit(number: int) -> float:
            return sum(weight for token, weight in rarity.items() if token in sentences[number][1])

        sentences = self._sentences[at]
        best = max(range(len(sentences)), key=fit, default=0)
        if not sentences or not fit(best):
            return self._articles[at].summary
        text = ""
        for sentence, _ in sentences[best:]:
            if text and len(text) + len(sentence) > _LONGEST_SNIPPET * 2 // 3:
                break
            text = f"{text} {sentence}" if text else sentence
        return text if len(text) <= _LONGEST_SNIPPET else text[: _LONGEST_SNIPPET - 1].rstrip() + "…"


def tokens(text: str) -> Iterator[str]:
    """Yield what a text is found by: stems of Latin words, pairs and single characters of Japanese ones."""
    for run in _RUN.findall(folded(text)):
        if run[0].isascii():
            yield stem(run)
            continue
        yield from run
        yield from map("".join, pairwise(run))


def question_words(query: str) -> list[str]:
    """Return the words of a question that carry meaning, as they are counted."""
    return [run for run in _RUN.findall(folded(query[:LONGEST_QUERY])) if run not in _EMPTY]


def stem(word: str) -> str:
    """Return what the forms of an English word have in common."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    for ending, shortest in (("ing", 6), ("ed", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= shortest and not word.endswith("ss"):
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou0123456789s":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


def _of_query(query: str) -> Iterator[tuple[str, float]]:
    """Yield the tokens of a question with what each counts: pairs, and a single character only where it stands alone.

    Hiragana that is typed as such mostly carries grammar: an ending counts less than the word before it.
    """
    plain = unicodedata.normalize("NFKC", query[:LONGEST_QUERY]).casefold().strip()
    for run in _RUN.finditer(folded(plain)):
        typed, word = plain[run.start() : run.end()], run[0]
        if word[0].isascii():
            if word not in _EMPTY:
                yield stem(word), 1.0
        elif len(word) == 1:
            yield word, 1.0
        else:
            for at in range(len(word) - 1):
                yield word[at : at + 2], _SHARES[len(_HIRAGANA.findall(typed[at : at + 2]))]
