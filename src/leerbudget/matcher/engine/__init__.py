"""The search: from a candidate table to a plan and a proven upper bound. The only place that knows OR-Tools.

`conflicts` says which candidates exclude each other, `money` what a seeker can pay together, `model` turns
all rules into one integer program, `mip` lets OR-Tools solve it, and `plan` holds a plan that keeps every
rule at each step: the start, the fallback and the last polish.
"""
