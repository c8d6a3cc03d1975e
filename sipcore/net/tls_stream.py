"""TLS over a TCP stream, with the standard library's engine and our own socket: what is encrypted is sent directly."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import trio

from sipcore.net.byte_stream import CHUNK, TcpStream
from sipcore.net.identity import identities, speaks_for

_DRAIN = 1.0
"""How long a peer whose handshake failed may take to read why."""


class TlsStream:
    """One TLS connection; without `domain` we are the server.

    As a client it accepts only a certificate that speaks for `domain` (RFC 5922 section 7.3). `keep` is given the
    session at the end, which may be `session` of the next connection to that server.
    """

    __slots__ = (
        "_carrier", "_domain", "_ended", "_finished", "_incoming", "_keep", "_outgoing", "_tls", "identities",
    )  # fmt: skip

    def __init__(
        self,
        carrier: TcpStream,
        context: ssl.SSLContext,
        domain: str = "",
        session: ssl.SSLSession | None = None,
        keep: Callable[[ssl.SSLSession | None], None] | None = None,
    ) -> None:
        self._carrier = carrier
        self._domain = domain
        self._keep = keep
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, not domain, server_hostname=domain or None, session=session
        )
        self._finished = self._ended = False
        self.identities: tuple[str, ...] = ()

    # -- the handshake ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and shake hands; raises OSError when either side does not like what it sees."""
        await self._carrier.open()
        try:
            await self._shake_hands()
        except ssl.SSLError:
            await self._part()
            raise
        certificate = self._tls.getpeercert() or {}
        if self._domain and not speaks_for(certificate, self._domain):
            shown = ", ".join(identities(certificate)) or "no domain"
            raise ssl.SSLCertVerificationError(f"its certificate is for {shown}")
        self.identities = identities(certificate)

    async def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send_outgoing()
                received = await self._carrier.receive_some()
                if not received:
                    raise ConnectionResetError("the peer left during the TLS handshake") from None
                self._incoming.write(received)
            else:
                await self._send_outgoing()
                return

    async def _send_outgoing(self) -> None:
        data = self._outgoing.read()
        while data:
            data = data[self._carrier.send_now(data) :]
            if data:
                await self._carrier.wait_send()

    async def _part(self) -> None:
        """Send the alert that says why; a client may read it, which closing with unread bytes would reset away."""
        with trio.move_on_after(0 if self._domain else _DRAIN):
            try:
                self._carrier.send_now(self._outgoing.read())
                self._carrier.finish()
                while await self._carrier.receive_some():
                    pass
            except (OSError, trio.ClosedResourceError):
                return  # the peer is gone already

    # -- bytes ------------------------------------------------------------------------------------------------------

    async def receive_some(self) -> bytes | None:
        """Wait for bytes; b"" at the end, which needs no farewell: SIP knows by itself where its messages end."""
        if self._incoming.pending and not self._finished:  # it came together with the end of the handshake
            await trio.lowlevel.checkpoint()
            data = self._decrypt()
            if data:
                return data
        while not self._ended:
            received = await self._carrier.receive_some()
            if not received or self._finished:
                return received  # behind our farewell nothing is decrypted any more: it is thrown away
            self._incoming.write(received)
            data = self._decrypt()
            if data:
                return data
            if self.owes:
                return None
        await trio.lowlevel.checkpoint()
        return b""

    def _decrypt(self) -> bytes:
        """All that can be decrypted now; notes the peer's farewell (RFC 5246 section 7.2.1)."""
        found = []
        try:
            while self._incoming.pending or self._tls.pending():
                data = self._tls.read(CHUNK)
                if not data:
                    self._ended = True
                    break
                found.append(data)
        except ssl.SSLWantReadError:
            pass  # the last record is not complete
        except ssl.SSLError:
            self._carrier.send_now(self._outgoing.read())  # the alert, as far as it goes
            raise
        return b"".join(found)

    def encode(self, data: bytes) -> bytes:
        """Encrypt; what TLS itself has to say goes in front."""
        if data:
            self._tls.write(data)
        return self._outgoing.read()

    @property
    def owes(self) -> bool:
        """Whether an alert or a new key waits to be sent."""
        return self._outgoing.pending > 0

    def send_now(self, data: bytes | bytearray) -> int:
        """Send what the socket takes of encrypted bytes."""
        return self._carrier.send_now(data)

    async def wait_send(self) -> None:
        """Wait until the socket takes bytes again."""
        await self._carrier.wait_send()

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """Say farewell and send FIN (RFC 5923 section 8.3)."""
        self._finished = True
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it would wait for the peer's farewell, which we don't need
        self._carrier.send_now(self._outgoing.read())
        self._carrier.finish()

    def close(self) -> None:
        """Close the socket."""
        if self._keep is not None and self.identities:
            self._keep(self._tls.session)
            self._keep = None
        self._carrier.close()
