"""A made-up Stripe on this machine, for the demonstration and tests: nothing in it is money.

`parameters` holds every request against the types of the installed `stripe` package, `books` keeps the objects, `deeds`
is what happens to them, `resources` is the interface that Stripe has, `faults` goes wrong on request, `webhooks` tells
the website what happened, `pages` is where somebody pays, and `server` puts it together.
"""
