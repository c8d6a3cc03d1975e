"""SIP messages: fields are kept raw and in order, and a typed value is parsed when somebody asks for it.

Rule 1: bytes are parsed with explicit SP, HTAB and CRLF; never with functions that know Unicode. Rule 2: the only
exception that network bytes raise is `Malformed`, and it carries the status that answers it. Rule 3: one header, one
file, the RFC's own word.
"""

from sipcore.message.check import check_request, check_response
from sipcore.message.contact import Contact, Contacts, parse_contact, parse_contacts, parse_expires
from sipcore.message.cseq import CSeq
from sipcore.message.limits import DEFAULT_LIMITS, Limits
from sipcore.message.malformed import answer_malformed
from sipcore.message.message import Message, Request, Response
from sipcore.message.name_addr import NameAddr, parse_name_addr
from sipcore.message.parser import parse, parse_head
from sipcore.message.source import mark_source, response_target
from sipcore.message.via import Via, parse_via

__all__ = [
    "DEFAULT_LIMITS",
    "CSeq",
    "Contact",
    "Contacts",
    "Limits",
    "Message",
    "NameAddr",
    "Request",
    "Response",
    "Via",
    "answer_malformed",
    "check_request",
    "check_response",
    "mark_source",
    "parse",
    "parse_contact",
    "parse_contacts",
    "parse_expires",
    "parse_head",
    "parse_name_addr",
    "parse_via",
    "response_target",
]
