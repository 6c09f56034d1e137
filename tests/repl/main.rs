//! The REPL as a user meets it: as a script on standard input, and at a terminal.

mod script;
#[cfg(unix)]
mod talk;
#[cfg(unix)]
mod terminal;

use std::path::{Path, PathBuf};

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("repl").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the folder of the last run can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}
