"""Dutch pages for people.

Server-rendered Jinja over the NL Design System; every page works without JavaScript and htmx only
makes it smoother. `templating` is what templates can use, `assets` knows the built files. The head
comment of each page in `templates/` says which view object it shows, field by field.
"""
