"""The workloads in PyTorch as it is: eager tensors, autograd, and `torch.optim.Adam`. A loop runs a twentieth of its steps,
and its seconds are those times twenty: every step is the same work."""

import sys

import numpy as np
import torch

import peer

torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
torch.set_default_dtype(torch.float64)

PART = 20


def adam(loss, start, lr, budget, short):
    """`loss` is given the params and the number of the step."""

    def run(steps):
        params = [torch.tensor(x, requires_grad=True) for x in start]
        optimizer = torch.optim.Adam(params, lr=lr)
        for k in range(steps):
            optimizer.zero_grad()
            loss(params, k).backward()
            optimizer.step()
        return [param.detach().numpy() for param in params]

    return lambda: run(budget // PART), lambda: run(short)


def rosenbrock(n, budget, short):
    def valley(params, _):
        (x,) = params
        return torch.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    return adam(valley, [peer.valley_start(n)], 1e-3, budget, short)


def logistic(data, budget, short):
    x, y = (torch.from_numpy(a) for a in peer.patients(data))

    def loss(params, _):
        w, b = params
        return torch.nn.functional.softplus(-(2 * y - 1) * (x @ w + b)).mean() + 1e-2 / 2 * torch.dot(w, w)

    return adam(loss, [np.zeros(30), np.zeros(())], 0.05, budget, short)


def network(data, start, rows, budget, short):
    x, y = (torch.from_numpy(a) for a in peer.digits(data))
    w, b, v, c = np.split(np.fromfile(start), np.cumsum([32 * 64, 32, 10 * 32]))
    rows = torch.from_numpy(np.fromfile(rows, dtype=np.int64).reshape(-1, 64))

    def loss(params, k):
        w, b, v, c = params
        logits = torch.tanh(x[rows[k]] @ w.T + b) @ v.T + c
        return torch.nn.functional.cross_entropy(logits, y[rows[k]])

    return adam(loss, [w.reshape(32, 64), b, v.reshape(10, 32), c], 0.01, budget, short)


def gmm(n, d, K):
    p, x = peer.mixture(n, d, K)
    p, x = [torch.tensor(a, requires_grad=True) for a in p], torch.from_numpy(x)
    rows, columns = np.tril_indices(d, -1)
    order = np.lexsort((rows, columns))
    rows, columns = torch.from_numpy(rows[order]), torch.from_numpy(columns[order])
    diagonal = torch.arange(d)
    a = torch.tensor((d + 1) / 2)
    normalizer = (d + 1) * d * -np.log(2) / 2 - torch.special.multigammaln(a, d)

    def run():
        alpha, mu, q, l = p
        Q = torch.zeros(K, d, d)
        Q[:, rows, columns] = l
        Q[:, diagonal, diagonal] = torch.exp(q)
        z = torch.einsum("nd,ked->nke", x, Q) - torch.einsum("kd,ked->ke", mu, Q)
        inner = alpha + q.sum(1) - 0.5 * (z**2).sum(2)
        prior = 0.5 * ((torch.exp(q) ** 2).sum() + (l**2).sum()) - K * normalizer
        value = torch.logsumexp(inner, 1).sum() - n * torch.logsumexp(alpha, 0) - n * d / 2 * np.log(2 * np.pi) + prior
        return value, torch.autograd.grad(value, p)

    def values():
        value, slope = run()
        return [value.item()] + [g.numpy() for g in slope]

    return run, values


def sigmoid(n, turns, short):
    start = torch.from_numpy(np.sin(1.0 + np.arange(n)))

    def run(turns):
        x = start
        for _ in range(turns):
            x = torch.sigmoid(1.5 * x - 0.5)
        return x

    return lambda: run(turns), lambda: run(short)


loops = {"rosenbrock": rosenbrock, "logistic": logistic, "network": network}

if __name__ == "__main__":
    version = torch.__version__.split("+")[0]
    peer.serve({"torch": version}, {**loops, "gmm": gmm, "sigmoid": sigmoid}, {name: PART for name in loops})
