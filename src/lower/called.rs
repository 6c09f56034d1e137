//! How the functions that are built in are called: they are written in Rust, and have no declaration to show.

/// The parameters of a function that is built in, one after the other.
pub fn called(name: &str) -> Option<&'static [&'static str]> {
    CALLED.iter().find(|(names, _)| names.contains(&name)).map(|(_, parameters)| *parameters)
}

/// Functions with equal parameters stand together.
const CALLED: &[(&[&str], &[&str])] = &[
    (&["sum", "mean", "prod", "all", "any", "logsumexp", "argmax", "argmin"], &["x"]),
    (&["max", "min"], &["x"]),
    (&["grad", "value_and_grad", "jacobian", "hessian", "laplacian"], &["f", "wrt = …"]),
    (&["jvp", "hvp"], &["f", "x", "v"]),
    (&["vjp"], &["f", "x", "u"]),
    (&["constant", "norm", "flatten", "len", "last", "reverse", "real", "int"], &["x"]),
    (&["sort", "argsort", "cumsum", "cumprod", "cummax", "cummin"], &["x"]),
    (&["dot"], &["a", "b"]),
    (&["where"], &["condition", "a", "b"]),
    (&["eye"], &["n"]),
    (&["diag", "trace", "cholesky", "inv", "det", "logdet", "cofactors", "qr", "eigh", "svd"], &["A"]),
    (&["forward_solve", "back_solve"], &["L", "b"]),
    (&["linspace"], &["a", "b", "n"]),
    (&["append"], &["x", "element"]),
    (&["concat"], &["a", "b", "…"]),
    (&["reshape"], &["x", "n", "…"]),
    (&["top_k"], &["x", "k"]),
    (&["expect"], &["e for z ~ D"]),
    (&["checkpoint", "cost"], &["e"]),
    (&["csv"], &["path: string", "drop_missing = false"]),
    (&["npy", "npz", "json"], &["path: string"]),
    (&["matrix", "names"], &["data", "except = …", "only = …"]),
    (&["standardize"], &["X: real[n, d]"]),
    (&["one_hot"], &["labels", "classes: int"]),
    (&["split"], &["data", "fraction: real", "seed: int"]),
    (&["group"], &["column"]),
    (&["table"], &["name = column", "…"]),
];

#[cfg(test)]
mod tests {
    use super::{CALLED, called};
    use crate::lower::builtins;

    #[test]
    fn every_function_that_is_built_in_has_its_parameters() {
        let missing: Vec<&str> =
            builtins().map(|(name, _)| name).filter(|name| called(name).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let known: Vec<&str> = builtins().map(|(name, _)| name).collect();
        let gone: Vec<&&str> =
            CALLED.iter().flat_map(|(names, _)| *names).filter(|name| !known.contains(name)).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }
}
