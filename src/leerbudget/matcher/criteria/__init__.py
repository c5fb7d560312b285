"""What makes one placement better than another: one file per criterion.

A criterion has a name, a Dutch label, a default weight, points for many candidates at once and a sentence
for one of them. `weights` lists them all and reads the policy. The hard rules are not here.
"""
