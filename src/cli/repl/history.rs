//! Where the entries of earlier sessions are kept.

use std::path::PathBuf;

/// The file of the history: what `MINIMA_HISTORY` says, else one in the user's folder for state. None
/// where that is empty or there is no such folder.
pub fn path() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(value) = std::env::var_os("MINIMA_HISTORY") {
        return (!value.is_empty()).then(|| PathBuf::from(value));
    }
    let folder = if cfg!(windows) {
        named("LOCALAPPDATA")
    } else {
        named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local").join("state")))
    };
    folder.map(|folder| folder.join("minima").join("history"))
}
