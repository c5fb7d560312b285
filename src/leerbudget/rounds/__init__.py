"""Matching rounds: freeze, solve, audit, explain, publish, answer.

An outcome is published only after the independent audit accepted it; every proposal then goes
through the ordinary booking action, with every check made again.
"""
