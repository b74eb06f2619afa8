"""One run of Operon: a population, a set of operators, a number of generations; its Pareto front as expressions.

Two objectives, R2 and length, sorted by NSGA-II; after crossover and mutation the constants of every individual take a few steps of Levenberg-Marquardt. One
thread, so that the same seed gives the same front. Operon keeps bare pointers to what it is given, lists included: everything it uses has a name here and
stays alive until the run is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from workbench.expression import Expression
from workbench.search.operon.nodes import expression_of

LONGEST = 50  # nodes of a tree: room for detours that trimming takes back
DEEPEST = 9
_LOCAL_STEPS = 20  # of Levenberg-Marquardt for each individual: with 3, half as many laws were found in the same time
_UNBOUNDED = 10**8  # seconds, evaluations: a limit that is not meant to be reached: generations end a run, so that it is the same on every machine


@dataclass(frozen=True)
class Setup:
    """What one run is made with.

    Parameters
    ----------
    operators : names of pyoperon.NodeType
    generations, population, seed : of the run
    longest : nodes of a tree
    """

    operators: tuple[str, ...]
    generations: int
    population: int
    seed: int
    longest: int = LONGEST


def evolved(X: np.ndarray, y: np.ndarray, symbols: Sequence[str], setup: Setup) -> list[Expression]:
    """Run Operon and return its front, shortest first; scale and offset of each formula are left to the fit that follows.

    Parameters
    ----------
    X : (n_rows, n_inputs)
    y : (n_rows,)
    """
    import pyoperon as op

    dataset = op.Dataset(np.asfortranarray(np.column_stack([X, y])))
    variables = sorted(dataset.Variables, key=lambda variable: variable.Index)
    problem = _problem(op, dataset, variables, setup.operators)
    primitives, inputs = problem.PrimitiveSet, problem.InputHashes
    creator = op.BalancedTreeCreator(primitives, inputs, 0.0)
    initializer = op.UniformLengthTreeInitializer(creator)
    initializer.ParameterizeDistribution(2, min(10, setup.longest))
    initializer.MinDepth, initializer.MaxDepth = 1, 1000
    coefficients = op.NormalCoefficientInitializer()
    coefficients.ParameterizeDistribution(0, 1)
    # every part of it stays in a name: see the module's text
    dispatch, metric = op.DispatchTable(), op.R2()
    fit, length = op.Evaluator(problem, dispatch, metric, True), op.LengthEvaluator(problem)
    fit.Budget = length.Budget = _UNBOUNDED
    evaluator = op.MultiEvaluator(problem)
    evaluator.Add(fit)
    evaluator.Add(length)
    evaluator.Budget = _UNBOUNDED
    comparison = op.CrowdedComparison()
    female, male = (op.TournamentSelector(comparison) for _ in range(2))
    female.TournamentSize = male.TournamentSize = 5
    reinserter, sorter = op.KeepBestReinserter(comparison), op.RankSorter()
    crossover = op.SubtreeCrossover(0.9, DEEPEST, setup.longest)
    mutation, _kept_alive = _mutation(op, primitives, inputs, creator, coefficients, setup.longest)
    optimizer = op.LMOptimizer(dispatch, problem, _LOCAL_STEPS, 0)
    tuning = op.CoefficientOptimizer(optimizer)
    generator = op.BasicOffspringGenerator(evaluator, crossover, mutation, female, male, tuning)
    config, random = _config(op, setup), op.RandomGenerator(np.uint64(setup.seed))
    algorithm = op.NSGA2Algorithm(config, problem, initializer, coefficients, generator, reinserter, sorter)
    algorithm.Run(random, None, 1, False)
    names = {variable.Hash: name for variable, name in zip(variables, symbols)}
    front = sorted(algorithm.BestFront, key=lambda individual: individual.GetFitness(1))
    return [expression_of(individual.Genotype.Nodes, names) for individual in front]


def _problem(op: ModuleType, dataset: object, variables: Sequence, operators: Sequence[str]) -> object:
    problem = op.Problem(dataset)
    problem.TrainingRange, problem.TestRange = op.Range(0, dataset.Rows), op.Range(dataset.Rows - 1, dataset.Rows)
    problem.Target = variables[-1]
    problem.InputHashes = [variable.Hash for variable in variables[:-1]]
    primitives = 0
    for name in (*operators, "Constant", "Variable"):
        primitives |= int(getattr(op.NodeType, name))
    problem.ConfigurePrimitiveSet(primitives)
    return problem


def _mutation(op: ModuleType, primitives: object, inputs: object, creator: object, coefficients: object, longest: int) -> tuple[object, list]:
    """Return a mutation that is one of many, and those it is made of."""
    one_constant = op.NormalOnePointMutation()
    one_constant.ParameterizeDistribution(0, 1)
    each = [
        one_constant,
        op.ChangeVariableMutation(inputs),
        op.ChangeFunctionMutation(primitives),
        op.ReplaceSubtreeMutation(creator, coefficients, DEEPEST, longest),
        op.InsertSubtreeMutation(creator, coefficients, DEEPEST, longest),
        op.RemoveSubtreeMutation(primitives),
    ]
    mutation = op.MultiMutation()
    for one in each:
        mutation.Add(one, 1.0)
    return mutation, each


def _config(op: ModuleType, setup: Setup) -> object:
    return op.GeneticAlgorithmConfig(
        generations=setup.generations,
        max_evaluations=_UNBOUNDED,
        local_iterations=_LOCAL_STEPS,
        population_size=setup.population,
        pool_size=setup.population,
        p_crossover=1.0,
        p_mutation=0.25,
        p_local=1.0,
        p_lamarck=1.0,
        epsilon=1e-6,
        seed=setup.seed,
        max_time=_UNBOUNDED,
    )
