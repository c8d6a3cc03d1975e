"""A binding: one contact under which an address of record can be reached."""

from __future__ import annotations

from sys import intern
from typing import NamedTuple

from routing.runtime.stores import BindingRow
from sipcore.uri import Uri, parse_uri

NO_Q = -1.0
"""Stands in the `q` column when the contact gave none."""
_BEHIND_NAT = 64
"""Bit of `cflags` that says so in Kamailio's default configuration."""
_TEN_YEARS = 10 * 365 * 86_400


class Binding(NamedTuple):
    """One contact of an address of record.

    `expires` is when, in Unix seconds of the steady clock. `received` (where it really came from), `path` (as Path
    header value), `instance` and `methods` are None when there is none. `ruid` names the row in the store. Whoever
    makes one interns the texts that many bindings share.
    """

    contact: str
    expires: int
    q: float
    call_id: str
    cseq: int
    user_agent: str
    received: str | None
    path: str | None
    socket: str
    methods: int | None
    instance: str | None
    reg_id: int
    ruid: str

    @property
    def uri(self) -> Uri:
        """The Contact URI."""
        return parse_uri(self.contact)

    def row(self, address_of_record: str, now: int, wall_clock: float) -> BindingRow:
        """What the store keeps; `now` is the steady time of `expires`, and the row tells it in wall-clock time."""
        username, _, domain = address_of_record.rpartition("@")
        behind_nat = self.received is not None
        return BindingRow(
            self.ruid,
            username,
            domain,
            self.contact,
            self.received,
            self.path,
            wall_clock + (self.expires - now),
            self.q,
            self.call_id,
            self.cseq,
            wall_clock,
            0,
            _BEHIND_NAT if behind_nat else 0,
            self.user_agent,
            self.socket,
            self.methods,
            self.instance,
            self.reg_id,
            0,
            -1,
            int(behind_nat),
            0,
        )


def from_row(row: BindingRow, now: int, wall_clock: float) -> Binding:
    """A binding with the life it has left; one that never expires gets ten years."""
    return Binding(
        row.contact,
        now + (int(row.expires - wall_clock + 0.5) if row.expires else _TEN_YEARS),
        row.q,
        row.callid,
        row.cseq,
        intern(row.user_agent),
        row.received,
        row.path,
        intern(row.socket or ""),
        row.methods,
        row.instance,
        row.reg_id,
        row.ruid,
    )
