"""Telephone numbers: from how a country dials them to E.164 and back (ITU-T E.123, E.164, E.129).

A dialling plan is the country code, the prefix of a national call ("-": none) and the prefixes of an international
one. A country that is not here is served by patterns in the route.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from routing.language.literals import BadLiteral
from routing.language.problem import nearest

_PLANS = """
AD 376 - 00|AE 971 0 00|AL 355 0 00|AM 374 0 00|AR 54 0 00|AT 43 0 00|AU 61 0 0011|AZ 994 0 00|BA 387 0 00
BD 880 0 00|BE 32 0 00|BG 359 0 00|BH 973 - 00|BO 591 0 00|BR 55 0 00|CA 1 1 011|CH 41 0 00|CL 56 - 00|CN 86 0 00
CO 57 - 00|CR 506 - 00|CY 357 - 00|CZ 420 - 00|DE 49 0 00|DK 45 - 00|DZ 213 0 00|EC 593 0 00|EE 372 - 00|EG 20 0 00
ES 34 - 00|FI 358 0 00|FO 298 - 00|FR 33 0 00|GB 44 0 00|GE 995 0 00|GH 233 0 00|GI 350 - 00|GL 299 - 00|GR 30 - 00
GT 502 - 00|HK 852 - 001|HN 504 - 00|HR 385 0 00|HU 36 06 00|ID 62 0 001,007,008|IE 353 0 00|IL 972 0 00|IN 91 0 00
IQ 964 0 00|IR 98 0 00|IS 354 - 00|IT 39 - 00|JO 962 0 00|JP 81 0 010|KE 254 0 000|KR 82 0 001,002,00700|KW 965 - 00
KZ 7 8 810|LB 961 0 00|LI 423 - 00|LK 94 0 00|LU 352 - 00|LV 371 - 00|MA 212 0 00|MC 377 - 00|MD 373 0 00|ME 382 0 00
MK 389 0 00|MT 356 - 00|MX 52 - 00|MY 60 0 00|NG 234 0 009|NI 505 - 00|NL 31 0 00|NO 47 - 00|NZ 64 0 00|OM 968 - 00
PA 507 - 00|PE 51 0 00|PH 63 0 00|PK 92 0 00|PL 48 - 00|PT 351 - 00|QA 974 - 00|RO 40 0 00|RS 381 0 00|RU 7 8 810
SA 966 0 00|SE 46 0 00|SG 65 - 000,001,002,008|SI 386 0 00|SK 421 0 00|SM 378 - 00|SV 503 - 00|TH 66 0 001,007,008,009
TN 216 - 00|TR 90 0 00|UA 380 0 00|US 1 1 011|UY 598 0 00|VE 58 0 00|VN 84 0 00|ZA 27 0 00
"""
_SEPARATORS = str.maketrans("", "", " -.()/")
_DIALLED = re.compile(r"\+?[0-9]+", re.ASCII)


class Plan(NamedTuple):
    """How a country dials."""

    code: str
    national: str
    international: tuple[str, ...]


def _plan(entry: str) -> tuple[str, Plan]:
    country, code, national, international = entry.split()
    return country, Plan(code, national.strip("-"), tuple(international.split(",")))


PLANS = dict(_plan(entry) for line in _PLANS.strip().split("\n") for entry in line.split("|"))


def country(text: str) -> str:
    """A country by the two letters of ISO 3166; BadLiteral when it is not known here."""
    if text.upper() not in PLANS:
        hint = nearest(text.upper(), PLANS) or "two letters of ISO 3166: GB, DE, US, ..."
        raise BadLiteral(f'there is no country "{text}" here', 0, len(text), hint)
    return text.upper()


def to_e164(text: str, plan: Plan) -> str:
    """A number as dialled in a country to `+` and its digits; what is no number comes back as it is."""
    number = text.translate(_SEPARATORS)
    if not _DIALLED.fullmatch(number):
        return text
    if number[0] == "+":
        return number
    for prefix in plan.international:
        if number.startswith(prefix):
            return "+" + number[len(prefix) :]
    if plan.national and number.startswith(plan.national):
        number = number[len(plan.national) :]
    return f"+{plan.code}{number}"


def to_national(text: str, plan: Plan) -> str:
    """An E.164 number (with its `+`) to how a country dials it; anything else comes back as it is."""
    number = text.translate(_SEPARATORS)
    if not _DIALLED.fullmatch(number) or number[0] != "+":
        return text
    if number.startswith(plan.code, 1):
        return plan.national + number[1 + len(plan.code) :]
    return plan.international[0] + number[1:]
