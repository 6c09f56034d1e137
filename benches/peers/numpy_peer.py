"""The workloads as they are written with NumPy, gradients by hand, and SciPy's L-BFGS-B."""

import os
import sys

import numpy as np
import scipy
from scipy.optimize import minimize

import peer

PART = 20


def adam(gradient, start, lr, budget, short):
    """A loop runs a twentieth of its steps, and its seconds are those times twenty."""

    def run(steps):
        x, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
        for k in range(steps):
            g = gradient(x)
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            x -= lr * (m / (1 - 0.9 ** (k + 1))) / (np.sqrt(v / (1 - 0.999 ** (k + 1))) + 1e-8)
        return x

    return lambda: run(budget // PART), lambda: run(short)


def rosenbrock(n, budget, short):
    def gradient(x):
        r = x[1:] - x[:-1] ** 2
        g = np.zeros_like(x)
        g[1:] = 200 * r
        g[:-1] -= 400 * r * x[:-1] + 2 * (1 - x[:-1])
        return g

    return adam(gradient, peer.valley_start(n), 1e-3, budget, short)


def logistic(data, budget, short):
    x, y = peer.patients(data)
    sign = 2 * y - 1

    def gradient(p):
        slope = -sign / (1 + np.exp(sign * (x @ p[:-1] + p[-1]))) / len(y)
        return np.append(x.T @ slope + 1e-2 * p[:-1], slope.sum())

    return adam(gradient, np.zeros(31), 0.05, budget, short)


def sigmoid(n, turns, short):
    start = np.sin(1.0 + np.arange(n))

    def run(turns):
        x = start
        for _ in range(turns):
            x = 1 / (1 + np.exp(-(1.5 * x - 0.5)))
        return x

    return lambda: run(turns), lambda: run(short)


def vectors(n):
    i = np.arange(n)
    return np.sin(1.0 + i), np.cos(2.0 + i)


def axpy(n, turns):
    x, start = vectors(n)

    def run():
        y = start.copy()
        for _ in range(turns):
            y += 1e-3 * x
        return y

    return run, run


def dot(n):
    x, y = vectors(n)
    return lambda: np.dot(x, y), lambda: np.dot(x, y)


def mgh():
    """L-BFGS-B with values and gradients compiled by JAX before; its test of the decrease is off, as ours has none."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp

    import mgh as moré

    jax.config.update("jax_enable_x64", True)

    def compiled(f):
        both = jax.jit(jax.value_and_grad(f))

        def call(x):
            value, slope = both(x)
            return float(value), np.asarray(slope)

        return call

    problems = [(compiled(f), start) for f, start in moré.problems(jnp)]
    for f, start in problems:
        f(start)
    options = {"gtol": 1e-6, "ftol": 0.0, "maxiter": 10_000, "maxfun": 100_000}

    def run():
        return [minimize(f, x, jac=True, method="L-BFGS-B", options=options).fun for f, x in problems]

    def values():
        starts = [(value, np.linalg.norm(slope)) for value, slope in (f(x) for f, x in problems)]
        return [x for start, end in zip(starts, run()) for x in (*start, end)]

    return run, values


loops = {"rosenbrock": rosenbrock, "logistic": logistic}

if __name__ == "__main__":
    others = {"sigmoid": sigmoid, "axpy": axpy, "dot": dot, "mgh": mgh}
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    peer.serve(versions, {**loops, **others}, {name: PART for name in loops})
