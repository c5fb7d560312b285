"""The ground that web pages and API stand on; knows neither.

Who asks (`authentication`, `network`), whether the request may be trusted (`csrf`), what is read from it
(`requests`), what went wrong and how that is told (`failures`), who may come in (`guards`), and what every
answer carries (`envelope`).
"""
