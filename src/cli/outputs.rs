//! Files that the command line asks for: none of them may take the place of a program or of its data.

use std::path::{Path, PathBuf};

use super::program::Program;
use super::source::Failure;

/// The ending of programs.
const PROGRAM: &str = "opt";

/// Refuses files that would take the place of something that the program reads, or of each other.
///
/// # Errors
/// A sentence about the first of them.
pub fn protect(program: &Program, outputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let read: Vec<PathBuf> = program.session.files.keys().map(|path| real(path)).collect();
    let sources = program.sources.iter().map(|source| real(Path::new(&source.name)));
    let read: Vec<PathBuf> = read.into_iter().chain(sources).collect();
    let mut seen: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in outputs.iter().filter_map(|(option, path)| path.map(|path| (*option, path))) {
        let refuse =
            |why: &str| Err(Failure::usage(format!("`{option} {}` would write over {why}", path.display())));
        let whole = real(path);
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(PROGRAM)) {
            return refuse("a program: give another name");
        }
        if read.contains(&whole) {
            return refuse("a file that the program reads: give another name");
        }
        if let Some((other, _)) = seen.iter().find(|(_, known)| *known == whole && !is_device(&whole)) {
            return refuse(&format!("what `{other}` writes: give another name"));
        }
        seen.push((option, whole));
    }
    Ok(())
}

/// A path as the system knows it, also of a file that is not there yet.
fn real(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = || Some(folder.canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_path_buf())
}

/// Whether it is there and no regular file: `/dev/null` may be named twice.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file())
}
