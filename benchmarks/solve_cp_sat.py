# ruff: noqa: INP001 (a folder of commands, not a package)
"""The round as a straightforward CP-SAT model: a boolean per candidate, a constraint per rule, objects throughout.

What anybody who knows OR-Tools would write first; the candidates and the pairs that exclude each other are the
engine's, so that only the model and the search differ.

Usage: python benchmarks/solve_cp_sat.py INSTANCE FACTS.json --seconds 300 [--workers 2]
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ortools.sat.python import cp_model

from leerbudget.matcher.arrays import PARTIES, arrays_of
from leerbudget.matcher.candidates import candidates_of
from leerbudget.matcher.engine.model import Problem, problem_of
from rounds import read_round

GAP = 1e-4


@dataclass
class Straight:
    """The model in the making; `of_seeker`, `of_wish` and `of_session` hold candidate numbers."""

    problem: Problem
    model: Any = field(default_factory=cp_model.CpModel)
    chosen: list[Any] = field(default_factory=list)
    gains: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Plain lists: that is how one writes it."""
        table = self.problem.table
        self.seeker, self.wish, self.session = (c.tolist() for c in (table.seeker, table.wish, table.session))
        self.score, self.persons, self.cents = (c.tolist() for c in (table.score, table.persons, table.cents))
        self.chosen = [self.model.new_bool_var(f"x{number}") for number in range(len(table))]
        self.of_seeker = grouped(self.seeker)
        self.of_wish = grouped(self.wish)
        self.of_session = grouped(self.session)

    def built(self) -> Any:
        """The model, with every rule."""
        self.gains += [points * x for points, x in zip(self.score, self.chosen, strict=True)]
        for number in self.problem.fixed.tolist():
            self.model.add(self.chosen[number] == 1)
        for members in self.of_wish.values():
            self.model.add_at_most_one(self.chosen[number] for number in members)
        for pairs in (self.problem.exclusive, self.problem.company):
            for one, other in zip(*(side.tolist() for side in pairs), strict=True):
                self.model.add_at_most_one(self.chosen[one], self.chosen[other])
        for seeker, members in self.of_seeker.items():
            self.seeker_rules(seeker, members)
        for session, members in self.of_session.items():
            self.session_rules(session, members)
        self.model.maximize(sum(self.gains))
        return self.model

    def seeker_rules(self, seeker: int, members: list[int]) -> None:
        """Number of placements, bonus for the first one, money."""
        seekers = self.problem.arrays.seekers
        self.model.add(sum(self.chosen[number] for number in members) <= int(seekers.placements_max[seeker]))
        served = self.model.new_bool_var(f"served{seeker}")
        self.model.add_bool_or([self.chosen[number] for number in members]).only_enforce_if(served)
        self.gains.append(int(seekers.bonus[seeker]) * served)
        purses = seekers.budget_cents[seeker].tolist()
        paid: dict[int, list[Any]] = defaultdict(list)
        own = []
        for number in members:
            due = self.cents[number]
            shares = [self.model.new_int_var(0, due, "") for _ in range(len(purses) + 1)]
            self.model.add(sum(shares) == due * self.chosen[number])
            for purse, share in enumerate(shares[:-1]):
                if not int(self.problem.payers[number]) >> purse & 1:
                    self.model.add(share == 0)
                paid[purse].append(share)
            own.append(shares[-1])
        for purse, shares in paid.items():
            self.model.add(sum(shares) <= purses[purse])
        self.model.add(sum(own) <= int(seekers.own_cents[seeker]))

    def session_rules(self, session: int, members: list[int]) -> None:
        """Seats, minimum, parties, childcare."""
        sessions = self.problem.arrays.sessions
        runs = self.model.new_bool_var(f"runs{session}")
        taken = int(sessions.seats_taken[session])
        seats = taken + sum(self.persons[number] * self.chosen[number] for number in members)
        self.model.add(seats <= int(sessions.seats_max[session]))
        self.model.add(seats >= int(sessions.seats_min[session])).only_enforce_if(runs)
        for number in members:
            self.model.add_implication(self.chosen[number], runs)
        self.party_rules(session, members, runs)
        self.childcare_rules(session, members)

    def party_rules(self, session: int, members: list[int], runs: Any) -> None:
        """Least, most and spread of the parties in a dialogue."""
        offered = self.problem.arrays.instance.sessions[session]
        if offered.parties is None:
            return
        counts = self.problem.arrays.wishes.party_counts
        voices = {}
        for party, (least, most) in offered.parties.items():
            terms = (int(counts[self.wish[n], PARTIES[party]]) * self.chosen[n] for n in members)
            voices[party] = offered.parties_taken.get(party, 0) + sum(terms)
            self.model.add(voices[party] <= most)
            self.model.add(voices[party] >= least).only_enforce_if(runs)
        if offered.party_spread_max is not None:
            for one in voices.values():
                for other in voices.values():
                    self.model.add(one - other <= offered.party_spread_max).only_enforce_if(runs)

    def childcare_rules(self, session: int, members: list[int]) -> None:
        """A family's children need their places once."""
        arrays = self.problem.arrays
        families = grouped([self.seeker[number] for number in members])
        present = {}
        for family, places in families.items():
            if arrays.seekers.childcare[family].any():
                present[family] = self.model.new_bool_var("")
                for place in places:
                    self.model.add_implication(self.chosen[members[place]], present[family])
        for band, room in enumerate(arrays.sessions.childcare[session].tolist()):
            self.model.add(sum(int(arrays.seekers.childcare[f][band]) * x for f, x in present.items()) <= room)


def grouped(keys: Iterable[int]) -> Mapping[int, list[int]]:
    """The positions of each key."""
    found: dict[int, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        found[key].append(number)
    return found


def main() -> None:
    """Build, solve and write the facts; building counts."""
    parser = argparse.ArgumentParser(description="One measured run of a straightforward CP-SAT model.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.perf_counter()
    arrays = arrays_of(read_round(options.instance))
    model = Straight(problem_of(arrays, candidates_of(arrays))).built()
    built = time.perf_counter() - began
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(1.0, options.seconds - built)
    solver.parameters.num_workers = options.workers
    solver.parameters.relative_gap_limit = GAP
    status = solver.solve(model)
    facts: dict[str, Any] = {
        "build_seconds": round(built, 3),
        "answer_seconds": round(time.perf_counter() - began, 3),
        "finished": status == cp_model.OPTIMAL,
    }
    if solver.best_objective_bound > 0:  # 0 is what it says before anything is proven
        facts["bound"] = round(solver.best_objective_bound)
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        facts["score"] = round(solver.objective_value)
    options.facts.write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
