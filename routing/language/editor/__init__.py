"""Answers for editors, from a text and a position alone; the server that speaks to an editor is elsewhere.

Rule 1: one checker: what is right and what is known comes from the language's own parser, checker and environment.
Rule 2: a text that is being typed is never right, so every answer is found in a tree that was mended. Rule 3: places
are offsets into the text; lines, columns and their encodings are an affair of whoever asks.
"""
