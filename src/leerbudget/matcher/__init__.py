"""The matcher: an instance of wishes, sessions, seats and money goes in, an outcome with its proof comes out.

Pure: no database, no files, no clock, no settings. `instance` and `outcome` are the formats, `audit` checks an
outcome without any of the code that made it, `criteria` are the points, `candidates` the table of what is
possible, `engine` the search (OR-Tools), `explain` the reasons and `suggest` the answer for one late-comer.
"""
