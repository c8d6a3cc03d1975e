"""The `test` blocks of route files: sentences to checked stories, which `ringway test` performs.

Rule 1: a sentence is one line, read from left to right; what it may say is written here and never in the grammar.
Rule 2: whoever acts in a story has been introduced by a `given`, so that a wrong name is a mistake and not a new phone.
Rule 3: everything that can be told without a server is checked here, and a server ignores the rest.
"""

from routing.language.stories.reading import read_stories
from routing.language.stories.story import Story

__all__ = ["Story", "read_stories"]
