"""The demonstration: a fictional Netherlands lives through one matching round and nine weeks of courses.

Everything happens through the same importers and actions that people use, on a clock that travels from
nine weeks ago to today. Nothing here decides anything: families answer by seeded chance.
"""
