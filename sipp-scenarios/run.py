#!/usr/bin/env python3
"""Runs the SIPp scenarios of this folder; `run.py --help` lists what can be asked for."""

from __future__ import annotations

import sys

from sipp_runner.command_line import main

if __name__ == "__main__":
    sys.exit(main())
