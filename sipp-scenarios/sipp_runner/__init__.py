"""Runs SIPp scenarios, a folder each, against a Ringway that it starts or any SIP server that is running.

A case is read completely and checked before the first process starts. Every wait has a limit, and every process is
ended by its own id. Nothing here imports the server: it is started and spoken to from outside, as an operator would.
"""
