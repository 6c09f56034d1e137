"""Row 4 as a program of its own: data, 1000 steps of Adam, the loss. Arguments: threads, the folder of the data."""

import sys

import jax_peer
import peer

run, values = jax_peer.logistic(1_000, 1_000, data=sys.argv[2])
w, b = values()
x, y = peer.patients(sys.argv[2])
print(float(jax_peer.regression_loss((w, b), x, y)))
