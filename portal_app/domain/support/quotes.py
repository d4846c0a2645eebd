"""What a mail repeats of earlier mails, told from what is new in it."""

import re

# Above what is quoted, mail programs write when and by whom it was written, in English or Japanese.
_HEADS = (
    re.compile(r"^On\b.{5,200}\bwrote:\s*$"),
    re.compile(r"^\d{4}年\d{1,2}月\d{1,2}日.{0,200}[:：]\s*$"),
    re.compile(r"^\d{4}/\d{1,2}/\d{1,2}.{0,200}[:：]\s*$"),
    re.compile(
        r"^[-_]{3,}\s*(?:Original Message|Forwarded message|元のメッセージ|転送メッセージ)\s*[-_]{3,}\s*$", re.I
    ),
)
# The block that Outlook writes instead, of which the second line decides.
_FROM = re.compile(r"^(?:From|差出人)\s*[:：]")
_SENT = re.compile(r"^(?:Sent|Date|To|送信日時|日時|宛先)\s*[:：]")
_QUOTED = re.compile(r"^\s*[>＞]")


def split_quotes(text: str) -> tuple[str, str]:
    """Return what is new in a mail and what it quotes at its end; a mail of quotes alone counts as new."""
    lines = text.split("\n")
    begin = next((place for place in range(len(lines)) if _begins_quote(lines, place)), len(lines))
    own, quoted = "\n".join(lines[:begin]).strip(), "\n".join(lines[begin:]).strip()
    return (own, quoted) if own else (text.strip(), "")


def _begins_quote(lines: list[str], place: int) -> bool:
    line = lines[place].strip()
    if any(head.match(line) for head in _HEADS):
        return True
    if _FROM.match(line) and any(_SENT.match(each.strip()) for each in lines[place + 1 : place + 3]):
        return True
    # Answers written between quoted lines are new: only quotes up to the end are folded.
    return bool(_QUOTED.match(line)) and all(not each.strip() or _QUOTED.match(each) for each in lines[place:])
