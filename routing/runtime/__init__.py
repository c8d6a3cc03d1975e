"""What modules and compiled routes are written against: the Context of one request and the Module contract.

Rule 1: a plain `def` never waits; an `async def` may await a Need or a Pending and nothing else. Rule 2: a function
says in its declaration where it may be called and whether it ends the route. Rule 3: a fault in a route answers 500
for that request alone.
"""

from routing.runtime.context import Attempt, Context, Outcome
from routing.runtime.module import Effect, Ends, Module, Place, function
from routing.runtime.platform import Domains, Platform
from routing.runtime.values import (
    BranchFunction,
    CallSite,
    Destination,
    DialogFunction,
    Duration,
    FinalCode,
    HeaderField,
    Networks,
    Order,
    Rate,
    ReplyFunction,
    address_number,
)
from sipcore.uri import Uri

__all__ = [
    "Attempt",
    "BranchFunction",
    "CallSite",
    "Context",
    "Destination",
    "DialogFunction",
    "Domains",
    "Duration",
    "Effect",
    "Ends",
    "FinalCode",
    "HeaderField",
    "Module",
    "Networks",
    "Order",
    "Outcome",
    "Place",
    "Platform",
    "Rate",
    "ReplyFunction",
    "Uri",
    "address_number",
    "function",
]
