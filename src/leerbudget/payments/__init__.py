"""Money in from organisations, and money out: by bank under a reference, or through a payment company.

Gateways speak to payment companies; statements are read from the bank and payouts are ordered from it, by two people.
"""
