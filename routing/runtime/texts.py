"""Functions that reckon with texts and numbers: pure ones, so that they may be called anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zlib import crc32

from routing.language.literals import BadLiteral
from routing.runtime.context import Context
from routing.runtime.editing import with_user
from routing.runtime.module import Module, Place, function
from routing.runtime.numbering import PLANS, to_e164, to_national
from routing.runtime.values import Country, Replacement
from sipcore.errors import RingwayError
from sipcore.message import NameAddr
from sipcore.uri import Uri, parse_uri

_ANYWHERE = Place.REQUEST | Place.DIALOG | Place.BRANCH | Place.REPLY
_MARK = re.compile(r"\$([0-9$]?)")
_GLOBAL = re.compile(r"\+[0-9]{1,15}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)


def replacement(text: str) -> str:
    """What stands for a match, in the form that `re` takes: `$1` is the first group, `$0` the whole, `$$` a dollar."""
    for mark in _MARK.finditer(text):
        if not mark[1]:
            hint = "`$1` is the first group, `$$` a dollar"
            raise BadLiteral("`$` is followed by the number of a group", mark.start(), 1, hint)
    escaped = text.replace("\\", r"\\")
    return _MARK.sub(lambda mark: "$" if mark[1] == "$" else rf"\g<{mark[1]}>", escaped)


def replacement_at_run_time(text: str) -> str:
    """The same for a text that was not written out."""
    try:
        return replacement(text)
    except BadLiteral as mistake:
        raise RingwayError(mistake.message) from None


def _groups(arguments: Mapping[str, object]) -> str:
    """Whether the groups that a replacement names are in the pattern."""
    pattern, by = arguments.get("pattern"), arguments.get("by")
    if not isinstance(pattern, re.Pattern) or not isinstance(by, str):
        return ""
    most = max((int(number) for number in re.findall(r"\\g<([0-9])>", by)), default=0)
    groups = f"{pattern.groups or 'no'} group{'' if pattern.groups == 1 else 's'}"
    return f"`${most}`: the pattern has {groups}" if most > pattern.groups else ""


class Texts(Module):
    """Texts, numbers, chance."""

    name = "texts"

    @function(places=_ANYWHERE, check=_groups)
    def replace(self, context: Context, text: str, pattern: re.Pattern[str], by: Replacement) -> str:
        """The text with every match of the pattern replaced; `$1` stands for what its first group matched.

        Arguments:
            text: what is looked through
            pattern: what is replaced
            by: what stands there afterwards; `$0` is the whole match, `$$` a dollar
        Result: the new text, or the same when nothing matched
        Fails: 500 when `by` is known only while the route runs and names a group that the pattern has not
        Example:
            request.uri.user = replace(request.uri.user, /^0(\\d+)$/, "+44$1")
            authenticate(as: from)
            relay()
        See: strip, e164
        """
        try:
            return pattern.sub(by, text)
        except (re.error, IndexError):
            raise RingwayError(f"replace: {by!r} names a group that the pattern has not") from None

    @function(places=_ANYWHERE)
    def start_of(self, context: Context, text: str, count: int) -> str:
        """The first characters of a text; all of it when it is shorter.

        Arguments:
            text: the text
            count: how many characters
        Result: so many of its first characters
        Example:
            if start_of(request.uri.user, 3) == "+44" { reply(403) }
            authenticate(as: from)
            relay()
        See: end_of, strip
        """
        return text[: max(count, 0)]

    @function(places=_ANYWHERE)
    def end_of(self, context: Context, text: str, count: int) -> str:
        """The last characters of a text; all of it when it is shorter.

        Arguments:
            text: the text
            count: how many characters
        Result: so many of its last characters
        Example:
            request.uri.user = end_of(request.uri.user, 3)
            authenticate(as: from)
            relay()
        See: start_of, strip
        """
        return text[max(len(text) - max(count, 0), 0) :]

    @function(places=_ANYWHERE)
    def strip(self, context: Context, text: str, count: int) -> str:
        """The text without its first characters.

        Arguments:
            text: the text
            count: how many characters go
        Result: what is left; empty when the text is shorter
        Example:
            request.uri.user = "+44" + strip(request.uri.user, 1)
            authenticate(as: from)
            relay()
        See: start_of, end_of, replace
        """
        return text[max(count, 0) :]

    @function(places=_ANYWHERE)
    def to_number(self, context: Context, text: str) -> int:
        """The number that a text writes out; 0 when it holds anything but digits, or more than 15.

        Arguments:
            text: digits
        Result: the number
        Example:
            if to_number(request.header["X-Account"]) > 1000 { reply(403) }
            authenticate(as: from)
            relay()
        See: e164
        """
        return int(text) if _WHOLE.fullmatch(text) else 0

    @function(places=_ANYWHERE)
    def e164(self, context: Context, number: str, *, country: Country) -> str:
        """A number as it is dialled in a country, as `+` and its digits; what is no number stays as it is.

        Spaces, dots, dashes, slashes and parentheses are taken out of a number.

        Arguments:
            number: as it was dialled: `020 7946 0148`, `0033...`, `+33...`
            country: where it was dialled, by the two letters of ISO 3166
        Result: `+442079460148`, or what came when it is no number
        Example:
            request.uri.user = e164(request.uri.user, country: "GB")
            authenticate(as: from)
            relay()
        See: national, enum
        """
        return to_e164(number, PLANS[country])

    @function(places=_ANYWHERE)
    def national(self, context: Context, number: str, *, country: Country) -> str:
        """A number that begins with `+`, as it is dialled in a country; anything else stays as it is.

        Arguments:
            number: `+` and digits
            country: where it shall be dialled, by the two letters of ISO 3166
        Result: `02079460148` or `0033...`, or what came when it does not begin with `+`
        Example:
            request.uri.user = national(request.uri.user, country: "GB")
            authenticate(as: from)
            relay()
        See: e164
        """
        return to_national(number, PLANS[country])

    @function(places=_ANYWHERE)
    def asserted(self, context: Context, number: str) -> NameAddr:
        """The identity of a number, for `identity`: a `tel` URI with a `+`, else a user of the first domain.

        Arguments:
            number: the number as the other side shall show it
        Result: an address to set `identity` to
        Example:
            authenticate(as: from)
            request.identity = asserted(from.user)
            relay()
        See: e164, national
        """
        if _GLOBAL.fullmatch(number):
            uri = parse_uri(f"tel:{number}")  # RFC 3966 section 5.1.4: a number that means the same everywhere
        else:
            uri = with_user(Uri("sip", "", self.platform.domains.names[0]), number)
        return NameAddr("", uri.text, (), uri)

    @function(places=_ANYWHERE)
    def chance(self, context: Context, percent: float, *, per: str = "") -> bool:
        """True so many times in a hundred; with `per:` always the same for the same text.

        Arguments:
            percent: 0 to 100; parts of a percent count too
            per: what always goes the same way, a caller for example
        Result: true or false
        Example:
            if chance(5, per: from.user) { relay("sip:new.example.net") }
            relay("sip:old.example.net")
        See: limit
        """
        if per:
            return crc32(per.encode("utf-8", "surrogateescape")) % 10_000 < percent * 100
        return int.from_bytes(self.platform.tokens.random_bytes(4), "big") / 2**32 * 100 < percent
