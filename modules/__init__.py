"""Roles and features, one folder each: what a route can call and what answers requests by itself.

Rule 1: a module imports sipcore (never sipcore.net) and routing.runtime; a driver only in its named backend file.
Rule 2: modules find each other through contracts (`platform.get(Contract)`), not by import. Rule 3: what a module
offers to routes is declared with `@function`, and its reference page is generated from there.
"""
