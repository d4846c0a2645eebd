"""Romanises katakana: Hepburn as on Japanese road signs, without marks for long vowels."""

import unicodedata

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
_LONG = ("ou", "oo", "uu")


def romanise(kana: str) -> str:
    """Return katakana in Latin letters with a capital first letter; other characters are unchanged."""
    letters = ""
    kana = unicodedata.normalize("NFKC", kana)
    for place, letter in enumerate(kana):
        letters = _with(letters, letter, kana[place + 1 : place + 2])
    for pair in _LONG:
        letters = letters.replace(pair, pair[0])
    return letters[:1].upper() + letters[1:]


def romanise_place(kana: str, suffix: str) -> str:
    """Return a romanised place name with its suffix, such as Minato-ku."""
    return f"{romanise(kana)}-{suffix}" if suffix else romanise(kana)


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
