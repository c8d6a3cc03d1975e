"""Logging that never blocks a call: records go into a bounded queue, and a thread writes them, one line each.

Rule 1: whatever a peer sent is escaped: no control character and no direction mark reaches a terminal. Rule 2: secrets
are masked. Rule 3: when the writer can't keep up, records are dropped and counted, and calls go on.
"""

from __future__ import annotations

import json
import logging
import queue
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import QueueHandler
from typing import IO, Any

QUEUE_LENGTH = 10_000
LONGEST = 4_000
"""Characters of one record; of a longer one the beginning and the end are kept."""
PLAIN = "plain"
"""A record with this attribute is a line for people: time of day and message, whatever the format."""

_SECRET = re.compile(
    r"""(?ix)
    (\b(?:response|cnonce|nonce|password|passwd|auth_pass|secret|ha1b?)"?\s*[=:]\s*)(?:"[^"]*"|[^\s,;"]+)
    | (\binline:)[^\s|]+
    | (://[^\s:/@]*:)[^\s/@]+(?=@)
    | (\beyJ)[\w-]+\.[\w-]+\.[\w-]+
    """
)
_BARE = re.compile(r"[A-Za-z0-9_.:@+/\[\]<>-]+", re.ASCII)


def mask(text: str) -> str:
    """Hide digest responses, passwords, SRTP keys, passwords in URLs and signed tokens."""
    return _SECRET.sub(lambda match: next(group for group in match.groups() if group) + "***", text)


def escape(text: str) -> str:
    """Make a text printable on one line: control characters, line ends and direction marks become escapes."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )


def cut(text: str) -> str:
    """Shorten an over-long record."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} ...({len(text) - 2 * half} characters cut)... {text[-half:]}"


def quoted(value: object) -> str:
    """A value for `key=value`: in quotes unless it is one plain word, so that no value can look like another key."""
    text = mask(json.dumps(value) if isinstance(value, dict) else str(value))
    if _BARE.fullmatch(text):
        return text
    return '"' + escape(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """The fields a record carries: `log.info("", extra={"fields": {"event": "registered", ...}})`."""
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return fields


def _when(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _with_traceback(record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{record.exc_text}" if record.exc_text else text


class TextFormatter(logging.Formatter):
    """`2026-11-23T17:41:02.123456Z warning ringway event=auth_failed src=198.51.100.9:5060 user=1002`."""

    def format(self, record: logging.LogRecord) -> str:
        if getattr(record, PLAIN, False):
            clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
            return cut(f"{clock}  {escape(record.getMessage())}")
        words = [f"{key}={quoted(value)}" for key, value in fields_of(record).items()]
        message = " | ".join(escape(line) for line in mask(_with_traceback(record)).splitlines())
        if message:
            words.append(message)
        return cut(f"{_when(record)} {record.levelname.lower()} {record.name} {' '.join(words)}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            key: value if isinstance(value, int | float | dict) else cut(mask(str(value)))
            for key, value in fields_of(record).items()
        }
        line = {"ts": _when(record), "level": record.levelname.lower(), "logger": record.name, **fields}
        message = cut(mask(_with_traceback(record)))
        if message:
            line["message"] = message
        return json.dumps(line)


class BoundedHandler(QueueHandler):
    """Puts records into the queue, or counts them when it is full."""

    def __init__(self, records: queue.Queue[logging.LogRecord | None]) -> None:
        super().__init__(records)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Arguments are turned into text now, since the objects change while the record waits."""
        record.message = record.msg = record.getMessage()
        record.args = None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class Logs:
    """The logging of the process: `start` takes over the root logger, `stop` writes out what waits."""

    def __init__(
        self, stream: IO[str], *, level: str = "info", format: str = "text", length: int = QUEUE_LENGTH
    ) -> None:
        self._stream = stream
        self._formatter = JsonFormatter() if format == "json" else TextFormatter()
        self._level = logging.getLevelName(level.upper())
        self._records: queue.Queue[logging.LogRecord | None] = queue.Queue(length)
        self.handler = BoundedHandler(self._records)
        self._thread = threading.Thread(target=self._write_all, name="log writer", daemon=True)

    def start(self) -> None:
        """Send all records through the queue from now on."""
        root = logging.getLogger()
        root.handlers[:] = [self.handler]
        root.setLevel(logging.WARNING)  # libraries
        logging.getLogger("ringway").setLevel(self._level)
        logging.captureWarnings(True)
        self._thread.start()

    def change(self, level: str, format: str) -> None:
        """Write from this level on, and in this format, from now on."""
        self._formatter = JsonFormatter() if format == "json" else TextFormatter()
        self._level = logging.getLevelName(level.upper())
        logging.getLogger("ringway").setLevel(self._level)

    def stop(self, timeout: float = 2.0) -> None:
        """Write what waits, at most for `timeout` seconds: a terminal that stands still must not hold the end up."""
        logging.getLogger().removeHandler(self.handler)
        logging.captureWarnings(False)
        try:
            self._records.put(None, timeout=timeout)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _write_all(self) -> None:
        reported = 0
        while (record := self._records.get()) is not None:
            self._write(self._formatter.format(record))
            if self.handler.dropped != reported and self._records.empty():
                self._write(
                    f"{_when(record)} warning ringway.log {self.handler.dropped - reported} log records were dropped"
                )
                reported = self.handler.dropped

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more, and there is no other place to say so
