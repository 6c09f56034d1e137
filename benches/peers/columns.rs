//! The columns: other tools, and ways to use them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::ours::folder;
use super::peer::Peer;

/// What each is called, the file of its peer, and the variant of the workloads.
pub const COLUMNS: &[(&str, &str, &str)] = &[
    ("JAX", "jax_peer.py", ""),
    ("JAX by steps", "jax_peer.py", "steps"),
    ("JAX, points last", "jax_peer.py", "last"),
    ("PyTorch", "torch_peer.py", ""),
    ("NumPy, SciPy", "numpy_peer.py", ""),
    ("Rust", "native.rs", ""),
];

/// The Python that has the tools.
pub fn python() -> String {
    std::env::var("MINIMA_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// A command in Python, with so many threads in all its libraries.
pub fn in_python(script: &str, threads: usize) -> Command {
    let mut command = Command::new(python());
    command.arg(folder().join(script)).arg(threads.to_string());
    for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env(variable, threads.to_string());
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A Rust file, compiled for this processor.
fn in_rust(file: &str, made: &Path) -> Result<PathBuf, String> {
    let program = made.join(file).with_extension("");
    let options = ["--edition", "2024", "-C", "opt-level=3", "-C", "target-cpu=native", "-o"];
    let said = Command::new("rustc").args(options).arg(&program).arg(folder().join(file)).output();
    match said {
        Ok(said) if said.status.success() => Ok(program),
        Ok(said) => Err(String::from_utf8_lossy(&said.stderr).into_owned()),
        Err(error) => Err(format!("rustc: {error}")),
    }
}

/// Starts the columns that are asked for. Those that are not there are told of.
pub fn start(wanted: impl Fn(&str) -> bool, threads: usize, made: &Path) -> Vec<Peer> {
    let mut peers = Vec::new();
    for (name, file, variant) in COLUMNS.iter().filter(|(name, _, _)| wanted(name)) {
        let command = if Path::new(file).extension().is_some_and(|ending| ending == "rs") {
            in_rust(file, made).map(Command::new)
        } else {
            Ok(in_python(file, threads))
        };
        match command.and_then(|command| Peer::start(name, variant, command)) {
            Ok(peer) => peers.push(peer),
            Err(why) => println!("{name} is not there: {why}"),
        }
    }
    peers
}
