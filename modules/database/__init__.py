"""Accounts and bindings in a database: one schema, one file for each backend.

Rule 1: the schema is Kamailio's (tables, columns, version rows), so that its tools and its server can share the file;
what we add are nullable columns and tables of our own. Rule 2: a driver is imported in its backend file only
(`sqlite.py`); everybody else knows the contracts of `routing.runtime.stores`. Rule 3: an operation is reported as done
when it is on the disk, and at no other time.
"""
