"""Whatever the audit can tell, the security history tells in words, in both languages."""

from portal_app.language import _, speaking
from portal_app.services.audit import Tag
from portal_app.state.identity.history_words import WORDS


def test_every_audit_event_has_words_in_the_security_history() -> None:
    assert {tag.value for tag in Tag} - WORDS.keys() == set()


def test_the_words_of_the_security_history_are_all_translated() -> None:
    with speaking("ja"):
        assert [words for words in WORDS.values() if _(words) == words] == []
