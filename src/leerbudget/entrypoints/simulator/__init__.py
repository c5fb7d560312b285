"""A year in the life of the service, by seed: everybody acts through the same actions as the pages use.

`year` goes from day to day, `lives` is what families do, `offices` what organisations and trainers do, `desk`
gives their commands and remembers what was answered, `faults` breaks things, `promises` looks every evening
whether all promises hold. The same seed gives the same year, to the byte. Everybody in it is made up (fictief).
"""
