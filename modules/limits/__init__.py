"""How much of something is too much: rates per source, user or trunk, and bans for a time.

Rule 1: what is counted is bounded in number, whatever a sender invents; the oldest goes first. Rule 2: a rate costs one
number for each key and no timer. Rule 3: everything is in memory, of this process.
"""
