"""Money in from organisations: a top-up under a bank reference, confirmed by a second person.

Gateways for online payment come in this room too; only it will speak to a payment company.
"""
