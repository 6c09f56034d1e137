//! Documents by their addresses, files by their paths; and the library as files that an editor can show.

use std::fs;
use std::path::{Path, PathBuf};

use crate::data;
use crate::driver::Library;
use crate::editor::{Origin, Place};

/// The path of a `file:` address.
pub fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = decoded(&rest[rest.find('/')?..])?;
    // `/c:/x` is a path of Windows.
    let bytes = path.as_bytes();
    let drive = bytes.len() > 2 && bytes[1].is_ascii_alphabetic() && bytes[2] == b':';
    Some(PathBuf::from(if drive && cfg!(windows) { &path[1..] } else { &path }))
}

/// The `file:` address of a path.
pub fn uri_of(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    let mut uri = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(byte as char)
            }
            _ => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The address of the text of a place; `own` is that of the document.
pub fn uri_of_place(place: &Place, own: &str) -> Option<String> {
    match &place.origin {
        Origin::Own => Some(own.to_string()),
        Origin::File(path) => Some(uri_of(path)),
        Origin::Library(path) => library_file(path).map(|path| uri_of(&path)),
    }
}

/// A file of the library where an editor can read it. It is written when it is first asked for, and not to be changed.
fn library_file(name: &str) -> Option<PathBuf> {
    let (_, text) = Library::files().iter().find(|(known, _)| *known == name)?;
    let path = library_folder()?.join(name);
    if data::read_text(&path, name, data::PROGRAM).is_ok_and(|found| found == *text) {
        return Some(path);
    }
    fs::create_dir_all(path.parent()?).ok()?;
    // What stands there is of another build.
    let _ = fs::remove_file(&path);
    fs::write(&path, text).ok()?;
    let mut rights = fs::metadata(&path).ok()?.permissions();
    rights.set_readonly(true);
    fs::set_permissions(&path, rights).ok()?;
    Some(path)
}

/// The folder of the library's files.
fn library_folder() -> Option<PathBuf> {
    let cache = ["MINIMA_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"].into_iter().find_map(std::env::var_os);
    let cache = match cache {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".cache"),
    };
    Some(cache.join("minima").join(env!("CARGO_PKG_VERSION")))
}

/// Whether a file is one of the library's: it is only looked at.
pub fn in_library(path: &Path) -> bool {
    library_folder().is_some_and(|folder| path.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{path_of, uri_of};

    #[test]
    fn addresses_and_paths_go_both_ways() {
        for path in ["/a/b c.opt", "/ä/θ%#.opt"] {
            assert_eq!(path_of(&uri_of(Path::new(path))).as_deref(), Some(Path::new(path)));
        }
        assert_eq!(uri_of(Path::new("/a b.opt")), "file:///a%20b.opt");
        assert_eq!(path_of("file:///a%2"), None);
        assert_eq!(path_of("untitled:1"), None);
    }
}
