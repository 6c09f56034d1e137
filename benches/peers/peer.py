"""What a peer says to the benchmark: a JSON object a line on standard input, one back on standard output.

    {"do": "setup", "workload": W, "variant": V, "args": {...}}   makes a workload ready, compiled and run once
    {"do": "values"}        what it computes, as a flat list
    {"do": "run", "times": k, "processor": p}   seconds of one of k runs, if p seconds of the processor
    {"do": "memory"}        the most memory that the process held, in KiB

A workload is a function of its arguments that gives a `run()` and a `values()`; it stands in a dictionary under
`workload` or `workload/variant`. What a tool does not have is answered with `missing`.
"""

import json
import os
import sys
import time


def digits(folder):
    """Images and labels of the digits, first 1792 rows, as `digits.opt` has them."""
    import numpy as np

    table = np.loadtxt(os.path.join(folder, "digits.csv"), delimiter=",", skiprows=1)[:1792]
    return table[:, :-1] / 16, table[:, -1].astype(np.int64)


def patients(folder):
    """Standardised measurements and outcomes, as `logistic.opt` has them."""
    import numpy as np

    table = np.loadtxt(os.path.join(folder, "breast_cancer.csv"), delimiter=",", skiprows=1)
    x = table[:, :-1]
    return (x - x.mean(axis=0)) / x.std(axis=0), table[:, -1]


def patterns(n):
    """Made-up measurements and outcomes, as `growing.opt` has them."""
    import numpy as np

    return np.sin(1.0 + np.arange(30 * n).reshape(n, 30)), (np.sin(5.0 * np.arange(n)) > 0).astype(float)


def mixture(n, d, k):
    """Points and parameters of the mixture of Gaussians, as `gmm.opt` has them."""
    import numpy as np

    t = d * (d - 1) // 2
    x = 2 * np.sin(1.0 + np.arange(n * d).reshape(n, d))
    alpha = np.sin(0.5 + 3.0 * np.arange(k))
    mu = np.sin(0.1 + 7.0 * np.arange(k * d).reshape(k, d))
    q = 0.3 * np.sin(0.2 + 5.0 * np.arange(k * d).reshape(k, d))
    l = 0.3 * np.sin(0.3 + 11.0 * np.arange(k * t).reshape(k, t))
    return (alpha, mu, q, l), x


def valley_start(n):
    """Where Rosenbrock's valley is entered, as `rosenbrock.opt` has it."""
    import numpy as np

    return np.where(np.arange(n) % 2 == 0, -1.2, 1.0)


def flat(values):
    """A list of all numbers in a nest of arrays."""
    import numpy as np

    if isinstance(values, (tuple, list)):
        return [x for value in values for x in flat(value)]
    return np.asarray(values, dtype=float).reshape(-1).tolist()


def peak():
    """The most memory that this process held, in KiB, as the system tells it."""
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), None)


def timed(run, times, processor=False):
    clock = time.process_time if processor else time.perf_counter
    begin = clock()
    for _ in range(times):
        run()
    return (clock() - begin) / times


def serve(versions, workloads, parts={}):
    """Answers until the benchmark closes the line. `parts` has the workloads of which a run does one part of so many."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer

    def answer(**fields):
        out.write(json.dumps(fields) + "\n")
        out.flush()

    answer(versions=versions)
    run, values, part = None, None, 1
    for line in sys.stdin:
        ask = json.loads(line)
        try:
            if ask["do"] == "setup":
                name = "/".join(part for part in (ask["workload"], ask.get("variant")) if part)
                if name in workloads:
                    run, values = workloads[name](**ask["args"])
                    part = parts.get(name, 1)
                    answer(seconds=timed(run, 1))
                else:
                    answer(missing=name)
            elif ask["do"] == "values":
                answer(values=flat(values()))
            elif ask["do"] == "run":
                answer(seconds=part * timed(run, ask["times"], ask.get("processor")))
            elif ask["do"] == "memory":
                answer(kib=peak())
        except ModuleNotFoundError as error:
            answer(missing=str(error))
        except Exception as error:  # told to the benchmark, which ends with it
            answer(error=f"{type(error).__name__}: {error}")
