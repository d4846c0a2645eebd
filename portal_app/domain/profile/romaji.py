"""Romanises katakana: Hepburn as on Japanese road signs, without marks for long vowels."""

import re
import unicodedata
from itertools import pairwise

_ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "s": "サシスセソ", "t": "タチツテト", "n": "ナニヌネノ", "h": "ハヒフヘホ",
    "m": "マミムメモ", "r": "ラリルレロ", "g": "ガギグゲゴ", "z": "ザジズゼゾ", "d": "ダヂヅデド", "b": "バビブベボ",
    "p": "パピプペポ",
}  # fmt: skip
_SPECIAL = {
    "シ": "shi", "チ": "chi", "ツ": "tsu", "フ": "fu", "ジ": "ji", "ヂ": "ji", "ヅ": "zu", "ヤ": "ya", "ユ": "yu",
    "ヨ": "yo", "ワ": "wa", "ヲ": "o", "ヴ": "vu", "ヰ": "i", "ヱ": "e", "ァ": "a", "ィ": "i", "ゥ": "u", "ェ": "e",
    "ォ": "o",
}  # fmt: skip
_SOUNDS = {kana: head + vowel for head, row in _ROWS.items() for kana, vowel in zip(row, "aiueo", strict=True)}
_SOUNDS |= _SPECIAL
_SMALL = {"ャ": "a", "ュ": "u", "ョ": "o"}
_LONG = re.compile("ou|oo|uu")
# A vowel is long only inside one part of a word. Parts that begin with ウ, by the character that is read so.
_PARTS = {
    "内": "ウチ", "浦": "ウラ", "裏": "ウラ", "上": "ウエ", "植": "ウエ", "馬": "ウマ", "梅": "ウメ", "牛": "ウシ",
    "海": "ウミ", "臼": "ウス", "歌": "ウタ", "打": "ウチ", "魚": "ウオ", "畝": "ウネ", "姥": "ウバ", "後": "ウシロ",
    "薄": "ウス", "渦": "ウズ", "潮": "ウシオ", "氏": "ウジ", "生": "ウブ", "浮": "ウキ", "埋": "ウメ", "碓": "ウス",
    "瓜": "ウリ", "鶯": "ウグイス", "漆": "ウルシ", "請": "ウケ", "産": "ウブ",
}  # fmt: skip
# Characters of one syllable: before any other, a part is at least two syllables long (相馬 is ソウ|マ, not ソ|ウマ).
_SHORT = {
    "小": "コ", "子": "コ", "古": "コ", "湖": "コ", "野": "ノ", "の": "ノ", "ノ": "ノ", "之": "ノ", "戸": "ト",
    "都": "ト", "津": "ツ", "穂": "ホ", "保": "ホ", "帆": "ホ", "尾": "オ", "御": "オ", "須": "ス", "洲": "ス",
    "巣": "ス", "九": "ク",
}  # fmt: skip
# Kana alone does not tell the parts. After these a native word for an inlet, an inside, a top ... is far more common
# in names than a long vowel: マツ|ウラ, フク|ウラ, マルノ|ウチ.
_LIKELY = re.compile("(?<=.)[ツクスルムノ](?=ウ[ラチエメマミオネ])")


def romanise(kana: str, written: str = "") -> str:
    """Return katakana in Latin letters, its first letter a capital; other characters stay as they are.

    `written` is the name in Japanese script, where it is known: it tells where the parts of the name begin.
    """
    kana = unicodedata.normalize("NFKC", kana)
    letters = "".join(_long_vowels_once(_spelled(part)) for part in _parts(kana, written))
    return letters[:1].upper() + letters[1:]


def romanise_place(kana: str, suffix: str) -> str:
    """Return a romanised place name with its suffix, such as Minato-ku."""
    return f"{romanise(kana)}-{suffix}" if suffix else romanise(kana)


def reading_once(kana: str, written: str) -> str:
    """Return a reading without repetitions: Japan Post's list has it once for each block of some towns."""
    period = _period(kana)
    return kana if period == len(kana) or _period(written) < len(written) else kana[:period]


def _period(text: str) -> int:
    """Return the length of the shortest word that a text repeats, its own length where it repeats none."""
    found = (text + text).find(text, 1)
    return found if text else 0


def _parts(kana: str, written: str) -> list[str]:
    starts = {match.end() for match in _LIKELY.finditer(kana)}
    for place, character in enumerate(written):
        if place and (reading := _PARTS.get(character)):
            starts.update(at for at in _places(reading, kana) if _may_begin(at, kana, written[:place]))
    bounds = [0, *sorted(starts), len(kana)]
    return [kana[first:last] for first, last in pairwise(bounds)]


def _places(reading: str, kana: str) -> list[int]:
    return [at for at in range(1, len(kana)) if kana.startswith(reading, at)]


def _may_begin(at: int, kana: str, before: str) -> bool:
    """Say whether the characters before a part can be read as the kana before it."""
    if kana[at - 1] in _SMALL:
        # チョウ, リュウ: the vowel belongs to the syllable.
        return False
    return at > len(before) or (at == len(before) and _SHORT.get(before[-1]) == kana[at - 1])


def _spelled(kana: str) -> str:
    letters = ""
    for place, letter in enumerate(kana):
        letters = _with(letters, letter, kana[place + 1 : place + 2])
    return letters


def _long_vowels_once(letters: str) -> str:
    return _LONG.sub(lambda pair: pair[0][0], letters)


def _with(letters: str, letter: str, following: str) -> str:
    if letter in _SMALL and letters.endswith("i"):
        stem = letters[:-1]
        glide = "" if stem.endswith(("sh", "ch", "j")) else "y"
        return stem + glide + _SMALL[letter]
    if letter == "ッ":
        sound = _SOUNDS.get(following, "")
        return letters + ("t" if sound.startswith("ch") else sound[:1])
    if letter == "ン":
        return letters + "n"
    if letter == "ー":
        return letters
    return letters + _SOUNDS.get(letter, letter)
