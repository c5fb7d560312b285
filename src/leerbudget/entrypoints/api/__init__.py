"""The JSON API below `/api/v1`: parses strictly, asks an action or a query, and answers.

`types` holds the strict shared types, `problems` the error answers (RFC 9457), `documentation` the OpenAPI
document and its self-hosted pages. Each room has its own module with controllers, listed once in `app`.
"""
