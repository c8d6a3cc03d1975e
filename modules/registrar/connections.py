"""The connections that bindings came by, found by binding and by connection."""

from __future__ import annotations

from sipcore.flow import Flow


class Connections:
    """Bindings by the names of their rows (`ruid`), each with the address of record it belongs to."""

    __slots__ = ("_bindings", "_flows")

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}
        self._bindings: dict[Flow, dict[str, str]] = {}

    def connect(self, address_of_record: str, ruid: str, flow: Flow | None) -> None:
        """Remember the connection a binding came by, or that it came by none."""
        if self._flows.get(ruid) is flow:
            return
        self.forget(ruid)
        if flow is not None:
            self._flows[ruid] = flow
            self._bindings.setdefault(flow, {})[ruid] = address_of_record

    def flow_of(self, ruid: str) -> Flow | None:
        """The connection a binding came by, open or not."""
        return self._flows.get(ruid)

    def forget(self, ruid: str) -> None:
        """A binding is no more."""
        flow = self._flows.pop(ruid, None)
        if flow is not None:
            bindings = self._bindings[flow]
            del bindings[ruid]
            if not bindings:
                del self._bindings[flow]

    def end(self, flow: Flow) -> dict[str, str]:
        """A connection is no more: the bindings that came by it, with their addresses of record."""
        bindings = self._bindings.pop(flow, {})
        for ruid in bindings:
            del self._flows[ruid]
        return bindings

    def __len__(self) -> int:
        """How many bindings have a connection."""
        return len(self._flows)
