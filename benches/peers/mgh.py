"""The unconstrained test problems of Moré, Garbow and Hillstrom, Testing Unconstrained Optimization Software, ACM TOMS
7(1), 1981, pages 17-41, as sums of squares: `stdlib/problems/mgh.opt` in the words of NumPy, or of JAX."""

import numpy


def problems(np):
    """Pairs of a function and a start, in the order of `mgh.opt`; `np` is numpy or jax.numpy."""

    def rosenbrock(x):
        return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def freudenstein_roth(x):
        return np.stack([-13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]])

    def beale(x):
        return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - np.stack([x[1], x[1] ** 2, x[1] ** 3]))

    def helical_valley(x):
        turns = np.arctan(x[1] / x[0]) / (2 * np.pi)
        turns = np.where(x[0] > 0, turns, turns + 0.5)
        return np.stack([10 * (x[2] - 10 * turns), 10 * (np.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])

    bard_y = numpy.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])

    def bard(x):
        u = numpy.arange(1.0, 16)
        v = 16 - u
        return bard_y - (x[0] + u / (v * x[1] + numpy.minimum(u, v) * x[2]))

    gaussian_y = numpy.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989])
    gaussian_y = numpy.concatenate([gaussian_y, gaussian_y[-2::-1]])

    def gaussian(x):
        t = (8 - numpy.arange(1, 16)) / 2.0
        return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - gaussian_y

    def box_3d(x):
        t = 0.1 * numpy.arange(1, 11)
        return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * (numpy.exp(-t) - numpy.exp(-10 * t))

    def powell_singular(x):
        return np.stack(
            [x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2]
        )

    def wood(x):
        a, b = 10 * (x[1] - x[0] ** 2), 90**0.5 * (x[3] - x[2] ** 2)
        return np.stack([a, 1 - x[0], b, 1 - x[2], 10**0.5 * (x[1] + x[3] - 2), (x[1] - x[3]) / 10**0.5])

    def brown_dennis(x):
        t = numpy.arange(1, 21) / 5.0
        return (x[0] + t * x[1] - numpy.exp(t)) ** 2 + (x[2] + x[3] * numpy.sin(t) - numpy.cos(t)) ** 2

    def biggs_exp6(x):
        t = 0.1 * numpy.arange(1, 14)
        y = numpy.exp(-t) - 5 * numpy.exp(-10 * t) + 3 * numpy.exp(-4 * t)
        return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y

    osborne_y = numpy.array(
        [1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616]
        + [0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495]
        + [0.500, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428, 0.429, 0.523, 0.562, 0.607, 0.653, 0.672]
        + [0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.710, 0.729, 0.720, 0.636, 0.581]
        + [0.428, 0.292, 0.162, 0.098, 0.054]
    )

    def osborne_2(x):
        t = numpy.arange(0, 65) / 10.0
        bumps = x[0] * np.exp(-t * x[4]) + x[1] * np.exp(-((t - x[8]) ** 2) * x[5])
        bumps = bumps + x[2] * np.exp(-((t - x[9]) ** 2) * x[6]) + x[3] * np.exp(-((t - x[10]) ** 2) * x[7])
        return osborne_y - bumps

    def extended_rosenbrock(x):
        a, b = x[0::2], x[1::2]
        return np.concatenate([10 * (b - a**2), 1 - a])

    def penalty_1(x):
        return np.concatenate([1e-5**0.5 * (x - 1), (np.sum(x**2) - 0.25)[None]])

    def variably_dimensioned(x):
        s = np.sum(numpy.arange(1.0, x.shape[0] + 1) * (x - 1))
        return np.concatenate([x - 1, s[None], (s**2)[None]])

    def brown_almost_linear(x):
        n = x.shape[0]
        return np.concatenate([x[:-1] + np.sum(x) - (n + 1), (np.prod(x) - 1)[None]])

    def broyden_tridiagonal(x):
        z = np.zeros(1)
        before, after = np.concatenate([z, x[:-1]]), np.concatenate([x[1:], z])
        return (3 - 2 * x) * x - before - 2 * after + 1

    def linear_rank_1(x):
        return numpy.arange(1.0, 21) * np.sum(numpy.arange(1.0, x.shape[0] + 1) * x) - 1

    def squares(residual):
        return lambda x: np.sum(residual(x) ** 2)

    array, valley = numpy.array, numpy.array([-1.2, 1.0])
    pairs = [
        (rosenbrock, valley),
        (freudenstein_roth, array([0.5, -2.0])),
        (beale, array([1.0, 1.0])),
        (helical_valley, array([-1.0, 0.0, 0.0])),
        (bard, numpy.ones(3)),
        (gaussian, array([0.4, 1.0, 0.0])),
        (box_3d, array([0.0, 10.0, 20.0])),
        (powell_singular, array([3.0, -1.0, 0.0, 1.0])),
        (wood, array([-3.0, -1.0, -3.0, -1.0])),
        (brown_dennis, array([25.0, 5.0, -5.0, -1.0])),
        (biggs_exp6, array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0])),
        (osborne_2, array([1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5])),
        (extended_rosenbrock, numpy.tile(valley, 5)),
        (extended_rosenbrock, numpy.tile(valley, 500)),
        (penalty_1, numpy.arange(1.0, 5)),
        (penalty_1, numpy.arange(1.0, 11)),
        (penalty_1, numpy.arange(1.0, 101)),
        (variably_dimensioned, 1 - numpy.arange(1.0, 11) / 10),
        (variably_dimensioned, 1 - numpy.arange(1.0, 101) / 100),
        (brown_almost_linear, 0.5 * numpy.ones(10)),
        (brown_almost_linear, 0.5 * numpy.ones(40)),
        (broyden_tridiagonal, -numpy.ones(10)),
        (linear_rank_1, numpy.ones(10)),
    ]
    return [(squares(residual), start) for residual, start in pairs]
