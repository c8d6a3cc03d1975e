"""Who is in a story: users, their phones and peers, found by the names that `given` gave them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from routing.language import tree
from routing.language.literals import BadLiteral, read_uri
from routing.language.problem import Span, nearest
from routing.language.stories.cursor import BadStep, Cursor, bad, said
from routing.language.stories.story import Given, Phone, User, Whom

_USER = re.compile(r"[A-Za-z0-9_.+*#-]{1,64}(?:@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)?", re.ASCII)
_PHONE = re.compile(r"[A-Za-z0-9_.+-]{1,64}", re.ASCII)
_BARE = re.compile(r"[^\s<>\"@:;,]+(?:@[A-Za-z0-9.-]+)?", re.ASCII)
_WORDS = frozenset(
    {"given", "expect", "wait", "after", "no", "nobody", "nothing", "log", "event", "then", "and", "with", "without"}
)
"""What a sentence, or a part of one, begins with: nobody is called so without quotes."""
_SOMEBODY = "a user, a phone or a URI in quotes"


class Cast:
    """The names of a story; `given` collects what they stand for."""

    def __init__(self) -> None:
        self.given = Given()
        self._introduced: dict[str, Span] = {}

    # -- introducing ------------------------------------------------------------------------------------------------

    def user(self, cursor: Cursor) -> tree.Word | tree.Text:
        """Take the name of a new user; there must be one."""
        written = self.new_name(cursor, "the name of a user")
        name = name_of(written)
        if not _USER.fullmatch(name):
            raise BadStep(written.span, f'"{name}" is no name of a user', 'as in bob, "1001" or "bob@example.org"')
        self._introduce("user", name, written.span)
        return written

    def new_name(self, cursor: Cursor, what: str) -> tree.Word | tree.Text:
        """Take a name that somebody may have; there must be one."""
        written = cursor.need_name(what)
        if isinstance(written, tree.Word) and written.text in _WORDS:
            hint = cursor.goes_on(written) or "choose another name, or put it in quotes"
            raise BadStep(written.span, f"`{written.text}` is a word of tests", hint)
        return written

    def add_user(self, user: User) -> None:
        """Let there be a user."""
        self.given.users[user.name] = user

    def add_phone(self, phone: Phone) -> None:
        """Let there be a phone or a peer."""
        if not _PHONE.fullmatch(phone.name):
            raise BadStep(phone.span, f'"{phone.name}" is no name of a phone', "letters, digits and . _ + -")
        self._introduce("phone", phone.name, phone.span)
        self.given.phones[phone.name] = phone

    def _introduce(self, kind: str, name: str, span: Span) -> None:
        before = self._introduced.setdefault(f"{kind} {name}", span)
        if before is not span:
            raise BadStep(span, f"`{name}` was introduced in line {before.line} already", "choose another name")

    # -- finding ----------------------------------------------------------------------------------------------------

    def phone(self, cursor: Cursor, what: str = "a phone") -> str:
        """Take the name of a phone or peer; there must be one."""
        written = cursor.need_name(what)
        name = name_of(written)
        if name in self.given.phones:
            return name
        user = self.given.users.get(name)
        if user is None:
            raise self._nobody(written, self.given.phones)
        phones = " and ".join(f"`{phone}`" for phone in user.phones)
        hint = f"its phones are {phones}" if len(user.phones) > 1 else f"its phone is {phones}"
        raise BadStep(written.span, f"`{name}` is a user, and no phone", hint)

    def account(self, cursor: Cursor) -> str:
        """Take the name of a user; there must be one."""
        written = cursor.need_name("a user")
        name = name_of(written)
        if name in self.given.users:
            return name
        phone = self.given.phones.get(name)
        if phone is not None:
            hint = f"it is a phone of `{phone.user}`" if phone.user else "it is a peer, which has no account"
            raise BadStep(written.span, f"`{name}` is no user", hint)
        raise self._nobody(written, self.given.users)

    def whom(self, cursor: Cursor) -> Whom:
        """Take somebody: a name, or a number, address or URI as text; there must be one."""
        written = cursor.need_name(_SOMEBODY)
        name = name_of(written)
        if name in self.given.users or name in self.given.phones:
            return Whom(name, True, written.span)
        if isinstance(written, tree.Word):
            raise self._nobody(written, [*self.given.users, *self.given.phones])
        if ":" in name:
            try:
                read_uri(name)
            except BadLiteral as mistake:
                raise bad(written.span, mistake, 1) from None
        elif not _BARE.fullmatch(name):
            hint = 'as in "1001", "bob@example.org" or "sip:bob@192.0.2.7"'
            raise BadStep(written.span, f'"{name}" is nobody that can be called', hint)
        return Whom(name, False, written.span)

    def _nobody(self, written: tree.Word | tree.Text, known: Iterable[str]) -> BadStep:
        name = name_of(written)
        hint = nearest(name, known) or f"introduce it: `given user {name}` or `given peer {name}`"
        return BadStep(written.span, f"nobody is called `{name}` here", hint)


def name_of(written: tree.Word | tree.Text) -> str:
    """What a name says."""
    return written.text if isinstance(written, tree.Word) else said(written)
