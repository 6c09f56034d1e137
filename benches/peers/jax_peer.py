"""The workloads in JAX: the whole loop in one `jit` with `fori_loop`, and (variant `steps`) a jitted step in a Python loop."""

import functools
import os
import sys

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from jax import lax
from jax.scipy.special import gammaln, logsumexp

import peer

jax.config.update("jax_enable_x64", True)


def adam_step(gradient, lr, k, carry):
    """One step of Adam (Kingma & Ba, 2015, Algorithm 1) on any tree of arrays."""
    x, m, v = carry
    t = k + 1.0
    g = gradient(x, k)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    c1, c2 = 1 - 0.9**t, 1 - 0.999**t
    x = jax.tree.map(lambda x, m, v: x - lr * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), x, m, v)
    return x, m, v


def adam(gradient, start, data, lr, budget, short, steps_alone):
    """Runs of `budget` steps in one compiled loop, or of compiled steps in a loop of Python; values after `short`."""
    start = jax.tree.map(jnp.asarray, start)
    data = jax.tree.map(jnp.asarray, data)
    zeros = jax.tree.map(jnp.zeros_like, start)
    carry = (start, zeros, zeros)

    def loop(carry, data, steps):
        return lax.fori_loop(0, steps, lambda k, c: adam_step(lambda x, k: gradient(x, k, *data), lr, k, c), carry)

    whole = jax.jit(loop, static_argnums=2)
    step = jax.jit(lambda k, carry, data: adam_step(lambda x, k: gradient(x, k, *data), lr, k, carry))

    def one_by_one(steps):
        c = carry
        for k in range(steps):
            c = step(k, c, data)
        return jax.block_until_ready(c)

    if steps_alone:
        return lambda: one_by_one(budget), lambda: one_by_one(short)[0]
    return (
        lambda: jax.block_until_ready(whole(carry, data, budget)),
        lambda: whole(carry, data, short)[0],
    )


def valley(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock(n, budget, short, alone=False):
    slope = jax.grad(valley)
    return adam(lambda x, k: slope(x), peer.valley_start(n), (), 1e-3, budget, short, alone)


def regression_loss(p, x, y):
    w, b = p
    return jnp.mean(jax.nn.softplus(-(2 * y - 1) * (x @ w + b))) + 1e-2 / 2 * jnp.dot(w, w)


def logistic(budget, short, data=None, n=None, alone=False):
    x, y = peer.patients(data) if data else peer.patterns(n)
    slope = jax.grad(regression_loss)
    return adam(lambda p, k, x, y: slope(p, x, y), (np.zeros(30), 0.0), (x, y), 0.05, budget, short, alone)


def network_loss(p, x, y):
    w, b, v, c = p
    logits = jnp.tanh(x @ w.T + b) @ v.T + c
    return jnp.mean(logsumexp(logits, axis=1) - jnp.take_along_axis(logits, y[:, None], axis=1)[:, 0])


def network(data, start, rows, budget, short, alone=False):
    """`start` and `rows` are files: the params as one vector, and the rows of every minibatch, 64 a step."""
    x, y = peer.digits(data)
    p = np.fromfile(start)
    cuts = np.cumsum([32 * 64, 32, 10 * 32])
    w, b, v, c = np.split(p, cuts)
    p = (w.reshape(32, 64), b, v.reshape(10, 32), c)
    rows = np.fromfile(rows, dtype=np.int64).reshape(-1, 64)
    slope = jax.grad(network_loss)
    return adam(lambda p, k, x, y, rows: slope(p, x[rows[k]], y[rows[k]]), p, (x, y, rows), 0.01, budget, short, alone)


def log_posterior(p, x, last=False):
    """ADBench's mixture of Gaussians (Srajer, Kukelova & Fitzgibbon, 2018) with gamma = 1, m = 0. `last` lays the points
    along the last axis, which XLA runs faster."""
    alpha, mu, q, l = p
    (k, d), n = mu.shape, x.shape[0]
    rows, columns = np.tril_indices(d, -1)
    order = np.lexsort((rows, columns))  # l goes column by column
    rows, columns = rows[order], columns[order]
    Q = jnp.zeros((k, d, d)).at[:, rows, columns].set(l) + jnp.exp(q)[:, :, None] * jnp.eye(d)
    # Q (x - mu), as one product of the points with all the factors.
    weight, offset = alpha + jnp.sum(q, axis=1), jnp.einsum("kd,ked->ke", mu, Q)
    if last:
        z = jnp.einsum("ked,nd->ken", Q, x) - offset[:, :, None]
        inner = (weight[:, None] - 0.5 * jnp.sum(z**2, axis=1)).T
    else:
        z = jnp.einsum("nd,ked->nke", x, Q) - offset
        inner = weight - 0.5 * jnp.sum(z**2, axis=2)
    nu = d + 1
    multigamma = d * (d - 1) / 4 * np.log(np.pi) + sum(gammaln(nu / 2 + (1 - j) / 2) for j in range(1, d + 1))
    normalizer = nu * d * (np.log(1.0) - np.log(2) / 2) - multigamma
    prior = 0.5 * (jnp.sum(jnp.exp(q) ** 2) + jnp.sum(l**2)) - k * normalizer
    return jnp.sum(logsumexp(inner, axis=1)) - n * logsumexp(alpha) - n * d / 2 * np.log(2 * np.pi) + prior


def gmm(n, d, K, last=False):
    p, x = peer.mixture(n, d, K)
    p, x = jax.tree.map(jnp.asarray, p), jnp.asarray(x)
    slope = jax.jit(jax.value_and_grad(functools.partial(log_posterior, last=last)))
    return lambda: jax.block_until_ready(slope(p, x)), lambda: slope(p, x)


def sigmoid(n, turns, short):
    start = jnp.sin(1.0 + jnp.arange(n))

    def loop(x, turns):
        return lax.fori_loop(0, turns, lambda k, x: jax.nn.sigmoid(1.5 * x - 0.5), x)

    loop = jax.jit(loop, static_argnums=1)
    return lambda: jax.block_until_ready(loop(start, turns)), lambda: loop(start, short)


workloads = {"gmm": gmm, "gmm/last": lambda **args: gmm(last=True, **args), "sigmoid": sigmoid}
for loop in (rosenbrock, logistic, network):
    workloads[loop.__name__] = loop
    workloads[loop.__name__ + "/steps"] = lambda loop=loop, **args: loop(alone=True, **args)

if __name__ == "__main__":
    peer.serve({"jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__}, workloads)
