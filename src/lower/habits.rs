//! Names of other languages and libraries, and what Minima has instead: the tables behind the advice
//! of [`super::errors`].

/// Names, and what to write for them.
type Table = &'static [(&'static [&'static str], &'static str)];

/// What stands in a table for a name.
fn find(table: Table, name: &str) -> Option<&'static str> {
    table.iter().find(|(names, _)| names.contains(&name)).map(|(_, advice)| *advice)
}

/// A name that nothing defines, known from another language.
pub(super) fn name(name: &str) -> Option<&'static str> {
    find(NAMES, name)
}

/// A name in the body of an optimizer that people expect there.
pub(super) fn in_optimizer(name: &str) -> Option<&'static str> {
    find(IN_OPTIMIZER, name)
}

/// A field or method of arrays and tables.
pub(super) fn field(name: &str) -> Option<&'static str> {
    find(FIELDS, name)
}

/// A field of the result of a solve.
pub(super) fn of_result(name: &str) -> Option<&'static str> {
    find(OF_RESULT, name)
}

/// An argument of an optimizer or option of a solve that is said elsewhere.
pub(super) fn setting(name: &str) -> Option<&'static str> {
    find(SETTINGS, name)
}

/// A name that is another word for one of Minima's: for functions and arguments.
pub(super) fn synonym(name: &str) -> Option<&'static str> {
    find(SYNONYMS, name)
}

const NAMES: Table = &[
    (
        &["zeros", "zeros_like", "zeroes"],
        "write the sizes in brackets: `zeros[n]`, `zeros[n, d]`; like x is `0*x`",
    ),
    (&["ones", "ones_like"], "write the sizes in brackets: `ones[n]`, `ones[n, d]`"),
    (
        &["full", "fill", "repmat", "tile"],
        "a number times `ones[n, d]`; a declared shape repeats: `let x: real[n] = 2`",
    ),
    (&["empty", "undef", "similar"], "write `zeros[n]`"),
    (
        &["None", "null", "nil", "nothing", "NaN", "nan", "undefined"],
        "there is no such value; leave the thing out",
    ),
    (
        &["np", "numpy", "jnp", "jax", "torch", "tf", "math", "scipy", "nn", "F", "LinearAlgebra", "optax"],
        "functions such as `exp` and `sum` are in scope without a prefix",
    ),
    (&["range", "arange", "xrange"], "write a range as `0..n`"),
    (&["return"], "the last expression of a block is its value"),
    (&["self", "this"], "there are no objects; take what you need as an argument"),
    (
        &["size", "length", "shape", "numel", "ndims", "nrow", "ncol"],
        "`len(x)` is the size of the first dimension, `len(A[0])` that of the second",
    ),
    (
        &["break"],
        "a loop ends by its condition: `for k in 0..n while c { … }`; a solve with `stop STATUS if c` in its step",
    ),
    (&["continue", "next"], "put the rest of the turn into an `if`"),
    (&["pass"], "leave it out: a block may be empty where its value is not wanted"),
    (&["end"], "blocks stand in braces; the last element of x is `last(x)`"),
    (&["println", "disp", "printf", "fprintf", "display", "puts", "echo", "console"], "write `print x, y`"),
    (
        &[
            "read_csv",
            "loadtxt",
            "genfromtxt",
            "readtable",
            "readmatrix",
            "csvread",
            "read",
            "load",
            "open",
            "DataFrame",
            "pd",
        ],
        "write `csv(\"file.csv\")`; `npy`, `npz` and `json` read other files",
    ),
    (&["matmul", "mm", "bmm", "mul"], "a product of matrices is `A @ B`"),
    (&["transpose", "permute_dims", "swapaxes"], "write `A'`"),
    (&["einsum", "tensordot"], "write the sum: `[sum(A[i, j]*x[j] for j in 0..m) for i in 0..n]`"),
    (
        &["hstack", "vstack", "cat", "concatenate", "append_arrays"],
        "`concat(a, b)` puts arrays one behind the other; `[[A, B], [C, D]]` is a block matrix",
    ),
    (&["stack"], "`[a, b]` stacks arrays of one shape"),
    (
        &["vmap", "map", "broadcast", "vectorize", "pmap", "apply"],
        "write a generator: `[f(x) for x in X]`; functions of numbers take arrays as they are",
    ),
    (&["jit", "compile", "njit"], "leave it out: every program is compiled"),
    (
        &["scan", "fori_loop", "while_loop", "reduce", "fold", "accumulate"],
        "write a loop: `var s = s0` and `for x in X { s = … }`",
    ),
    (&["filter"], "a filter stands under a reduction: `sum(x for x in X if c)`"),
    (&["zip"], "several collections run together in parentheses: `for (x, y) in (X, Y)`"),
    (&["enumerate"], "write `for (i, x) in (0..len(X), X)`"),
    (&["stop_gradient", "detach", "no_grad"], "write `constant(e)`"),
    (
        &["PRNGKey", "key", "manual_seed", "srand", "rng", "RandomState", "default_rng"],
        "a seed is an option: `(e with seed = 1)`, `solve … with seed = 1`",
    ),
    (
        &["randn", "random", "rand", "randint", "rand_normal"],
        "draw: `let z: real[n] ~ normal(0, 1)`, `~ uniform(0, 1)`, `let k ~ 0..n`",
    ),
    (
        &["tensor", "array", "asarray", "Tensor", "vector", "Array", "list"],
        "brackets make an array: `[1.0, 2.0]`",
    ),
    (
        &["cross_entropy", "binary_cross_entropy", "nll_loss", "bce"],
        "write the sum: `-sum(p*log_softmax(z))`; for two classes `softplus(-s*z)` with s = ±1",
    ),
    (&["mse", "mse_loss", "mean_squared_error"], "write `mean((a - b)^2)`"),
    (&["isnan", "isinf", "isfinite"], "write `is_finite(x)`"),
    (&["linsolve", "lstsq", "mldivide", "linalg"], "`inv(A) @ b` solves equations; no inverse is computed"),
    (&["fsolve", "root", "root_scalar", "fzero", "nlsolve"], "write `solve F(z) == 0 over z = z0`"),
    (
        &[
            "fminsearch",
            "fminunc",
            "fmin",
            "fmincon",
            "curve_fit",
            "least_squares",
            "leastsq",
            "lsqnonlin",
            "minimise",
            "optimize",
        ],
        "write `minimize f(x) over x = x0`",
    ),
    (
        &["derivative", "diff", "gradient", "autograd", "Dual", "D"],
        "the derivative of f at x is `grad(f)(x)`",
    ),
    (
        &["float", "double", "float64", "float32"],
        "`real(n)` makes a real of an integer; a type is written `x: real`",
    ),
    (
        &["str", "string", "format", "sprintf", "repr"],
        "`print` shows values; several with commas, one with a name as `name = e`",
    ),
    (&["sort_by", "sorted", "argpartition"], "`sort(x)`, `argsort(x)`, `top_k(x, k)`"),
    (&["E"], "an expectation is `expect(e for z ~ D)`"),
    (&["T"], "a transpose is `A'`"),
    (&["var", "nanmean"], "write `variance(x)`"),
    (&["fit", "train", "lm"], "a `solve` or `minimize` fits: `let fit = solve P using lbfgs()`"),
    (
        &["gamma", "beta", "poisson", "binomial", "dirichlet", "student_t", "chi2"],
        "the library draws from `normal`, `uniform`, `bernoulli` and `categorical`; \
         `distribution` declares another by its quantiles, `sample(u)`",
    ),
];

const SYNONYMS: Table = &[
    (&["True", "TRUE"], "true"),
    (&["False", "FALSE"], "false"),
    (&["ln"], "log"),
    (&["fabs"], "abs"),
    (&["arctan"], "atan"),
    (&["arctan2"], "atan2"),
    (&["arcsin"], "asin"),
    (&["arccos"], "acos"),
    (&["average"], "mean"),
    (&["product"], "prod"),
    (&["eig", "eigvals", "eigvalsh"], "eigh"),
    (&["slogdet"], "logdet"),
    (&["chol"], "cholesky"),
    (&["identity", "I", "Identity"], "eye"),
    (&["pinv", "inverse"], "inv"),
    (&["amax"], "max"),
    (&["amin"], "min"),
    (&["ravel", "vec"], "flatten"),
    (&["gradient_descent", "steepest_descent", "GradientDescent"], "gd"),
    (&["stochastic_gradient_descent"], "sgd"),
    (&["conjugate_gradient", "cg"], "nonlinear_cg"),
    (&["quasi_newton"], "bfgs"),
    (&["simplex_search", "NelderMead"], "nelder_mead"),
    (&["cmaes", "CMA"], "cma_es"),
    (&["marquardt", "LevenbergMarquardt"], "levenberg_marquardt"),
];

const IN_OPTIMIZER: Table = &[
    (
        &["gradient", "grads", "dx", "df", "dfdx", "gradients", "G", "gt", "g_t"],
        "in an optimizer `g` is the gradient at x",
    ),
    (&["loss", "cost", "value", "fx", "f_x", "objective"], "in an optimizer `f(x)` is the value at x"),
    (
        &["k", "i", "n", "iter", "iteration", "step_count", "steps", "epoch", "it", "counter"],
        "in an optimizer `t` is the number of the step, from 1",
    ),
    (
        &["params", "theta", "w", "weights", "p", "param", "x_t", "xt"],
        "in an optimizer `x` is the vector of all params",
    ),
    (
        &["hess", "H", "hessian_x"],
        "the Hessian at x is `hessian(f)(x)`, its product with a vector `hvp(f, x, v)`",
    ),
    (
        &[
            "lr",
            "learning_rate",
            "eta",
            "alpha",
            "beta",
            "gamma",
            "mu",
            "eps",
            "b1",
            "b2",
            "beta1",
            "beta2",
            "momentum",
        ],
        "declare it behind the name of the optimizer: `optimizer name(lr: real = 0.1) { … }`",
    ),
    (
        &[
            "m", "v", "s", "u", "velocity", "buf", "buffer", "state", "prev", "old", "last_g", "g_old",
            "x_old", "y", "z",
        ],
        "what is kept from step to step is a state: `state m = 0*x` above the step",
    ),
];

const FIELDS: Table = &[
    (&["T", "transpose", "t", "mT"], "a transpose is `A'`"),
    (
        &["shape", "size", "length", "ndim", "n", "nrow", "rows", "numel"],
        "`len(x)` is the size of the first dimension, `len(A[0])` that of the second",
    ),
    (&["append", "push", "extend", "push_back"], "write `x = append(x, e)`; x is a `var`"),
    (&["at", "set", "insert"], "an entry of a `var` is assigned: `x[i] = e`"),
    (&["backward", "grad", "gradient"], "a gradient is that of a function: `grad(f)(x)`"),
    (&["head", "tail", "iloc", "loc", "sample"], "the first rows are `data[..5]`, one row is `data[i]`"),
    (&["columns", "keys", "names", "dtypes"], "write `names(data)`"),
    (&["values", "to_numpy", "numpy", "to_matrix", "matrix"], "write `matrix(data)`"),
    (
        &["item", "copy", "clone", "detach", "tolist", "astype", "float", "cuda", "cpu", "double", "to"],
        "leave it out: values are values",
    ),
    (
        &[
            "sum", "mean", "max", "min", "prod", "std", "norm", "dot", "abs", "sqrt", "exp", "log", "argmax",
            "argmin", "reshape", "flatten", "cumsum", "sort", "trace", "det", "inv", "all", "any", "round",
            "reverse", "var", "len",
        ],
        "a function stands before what it takes: `sum(x)`, `dot(x, y)`, `reshape(x, n, m)`",
    ),
    (
        &["describe", "info", "dropna", "fillna", "groupby", "apply", "map", "drop"],
        "columns are arrays: `mean(data.a)`, `[f(r.a) for r in data]`; `matrix(data, except = \"a\")` leaves one out",
    ),
];

const OF_RESULT: Table = &[
    (
        &["fun", "value", "objective", "obj", "cost", "f", "minimum", "fval", "fx", "optimum"],
        "the value is `loss`",
    ),
    (
        &["nit", "iterations", "niter", "iter", "n_iter", "nsteps", "its", "epochs", "num_steps"],
        "the number of steps is `steps`",
    ),
    (
        &["success", "converged", "flag", "exitflag"],
        "why it ended is `status`, such as \"locally_solved\", and `reason`",
    ),
    (&["message", "msg"], "why it ended is `reason`, with its numbers"),
    (
        &[
            "x",
            "sol",
            "solution",
            "argmin",
            "minimizer",
            "best",
            "theta",
            "weights",
            "coef",
            "coef_",
            "point",
        ],
        "the answer has the names of the params; all of them are `params`",
    ),
    (&["jac", "grad", "gradient", "gnorm"], "the norm of the gradient is `grad_norm`"),
    (
        &["history", "losses", "log", "loss_history", "path"],
        "the recorded points are the table `trace`: `fit.trace.loss`",
    ),
    (&["time", "elapsed", "runtime"], "the time is `seconds`"),
    (&["nfev", "njev", "evaluations", "calls"], "the counts are `evals.f`, `evals.grad` and `evals.hvp`"),
];

const SETTINGS: Table = &[
    (
        &[
            "iterations",
            "maxiter",
            "max_iter",
            "maxiters",
            "steps",
            "max_steps",
            "n_iter",
            "niter",
            "num_steps",
            "nsteps",
            "iters",
            "max_iterations",
        ],
        "how long a solve goes on is its condition: `until steps >= 100`",
    ),
    (
        &["epochs", "n_epochs", "num_epochs", "max_epochs"],
        "how long a solve goes on is its condition: `until epochs >= 10`",
    ),
    (
        &["tol", "tolerance", "gtol", "ftol", "xtol", "rtol", "atol", "g_tol", "f_tol"],
        "how close a solve comes is its condition: `until grad_norm < 1e-8`",
    ),
    (&["batchsize", "batch_size", "minibatch", "bs", "batches"], "write `with batch = 32` behind the solve"),
    (
        &["optimizer", "method", "solver", "algorithm"],
        "an optimizer stands behind `using`: `using adam(lr = 0.1)`",
    ),
    (
        &["time", "time_limit", "timeout", "max_time"],
        "how long a solve goes on is its condition: `until seconds >= 10`",
    ),
    (
        &["bounds", "constraints", "lb", "ub", "lower", "upper"],
        "bounds are not built yet: put `x = a + (b - a)*sigmoid(u)` for x in (a, b), or add a penalty",
    ),
    (&["x0", "init", "start", "initial"], "the start stands behind `over x = …`, or behind `from`"),
    (&["random_state", "rng", "key"], "write `with seed = 1`"),
    (
        &["verbose", "disp", "callback", "display", "show_trace", "print_level"],
        "`--verbose` shows the steps; the recorded points are `fit.trace`",
    ),
    (&["betas"], "the decay rates are two numbers: `b1 = 0.9, b2 = 0.999`"),
    (&["momentum", "nesterov"], "`momentum`, `nesterov` and `sgd` are optimizers that have it"),
    (
        &["weight_decay", "l2", "wd"],
        "`adamw`, `sgd` and others have it: `minima optimizers` lists them; or add `lambda/2*dot(w, w)` to the loss",
    ),
    (&["amsgrad"], "`amsgrad` is an optimizer of its own"),
    (&["clip", "clipnorm", "grad_clip", "max_grad_norm"], "`clip(base = adam(), norm = 1)` is a wrapper"),
    (
        &["schedule", "scheduler", "lr_schedule", "warmup"],
        "a rate may be a function of the step: `lr = cosine(0.1, steps = 1000)`",
    ),
    (&["seed"], "a draw has the seed of its expression: `(e with seed = 1)`"),
    (&["lr", "learning_rate"], "the rate is an argument of the optimizer: `using adam(lr = 0.1)`"),
];
