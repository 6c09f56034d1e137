//! The one door to the file system: regular files only, of bounded size; writing replaces a file
//! as a whole or not at all.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::DataError;
use super::errors;

/// The most bytes of a program.
pub const PROGRAM: u64 = 64 << 20;

/// The place of a path that a program in `folder` names.
pub fn resolve(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}

/// A file to be read: where it is, and what the program calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// Where it is.
    pub(super) path: &'a Path,
    /// What errors call it.
    pub(super) name: &'a str,
    /// The most bytes that it may have, and that its contents may take in memory.
    pub(super) limit: u64,
    /// Whether rows in which a value is missing are left out.
    pub(super) drop_missing: bool,
}

/// All bytes of a file.
pub(super) fn read(source: Source) -> Result<Vec<u8>, DataError> {
    let failed = |why| errors::cannot_read(source.name, &why);
    let file = open(source)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > source.limit {
        return Err(errors::too_large(source.name, length, source.limit));
    }
    let mut bytes = room_for(source, length)?;
    // A file may grow while it is read: the limit holds all the same.
    let mut within = file.take(source.limit.saturating_add(1));
    within.read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > source.limit {
        let length = bytes.len() as u64;
        return Err(errors::too_large(source.name, length, source.limit));
    }
    Ok(bytes)
}

/// An empty vector with room for `n` elements, if the limit and the machine allow it.
pub(super) fn room_for<T>(source: Source, n: u64) -> Result<Vec<T>, DataError> {
    let bytes = n.saturating_mul(size_of::<T>() as u64);
    let refused = || errors::too_large(source.name, bytes, source.limit);
    if bytes > source.limit {
        return Err(refused());
    }
    let mut room = Vec::new();
    let n = usize::try_from(n).map_err(|_| refused())?;
    room.try_reserve_exact(n).map_err(|_| refused())?;
    Ok(room)
}

/// A text that a program imports, of at most `limit` bytes and 64 MiB.
///
/// # Errors
/// When the file cannot be read, is too large or is not UTF-8.
pub fn read_text(path: &Path, name: &str, limit: u64) -> Result<String, DataError> {
    let source = Source { path, name, limit: limit.min(PROGRAM), drop_missing: false };
    let bytes = read(source).map_err(|error| match error.code {
        "E0603" if limit > PROGRAM => errors::too_long(name),
        _ => error,
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        errors::not_utf8(name, before.filter(|byte| **byte == b'\n').count() + 1)
    })
}

/// Opens a regular file. It is looked at before it is opened, so that no device is touched, and
/// again after, so that what was looked at is what is read.
fn open(source: Source) -> Result<File, DataError> {
    let missing = |why: std::io::Error| {
        if why.kind() == std::io::ErrorKind::NotFound {
            errors::no_such_file(source.name, &neighbours(source.path))
        } else {
            errors::cannot_read(source.name, &why)
        }
    };
    must_be_regular(source.name, &source.path.metadata().map_err(missing)?)?;
    let file = without_waiting().open(source.path).map_err(missing)?;
    let found = file.metadata().map_err(|why| errors::cannot_read(source.name, &why))?;
    must_be_regular(source.name, &found)?;
    Ok(file)
}

/// Options for reading that never wait for the other end of a pipe.
fn without_waiting() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        const O_NONBLOCK: i32 = 0o4000;
        options.custom_flags(O_NONBLOCK);
    }
    options
}

fn must_be_regular(name: &str, found: &Metadata) -> Result<(), DataError> {
    if found.is_file() {
        return Ok(());
    }
    let what = if found.is_dir() { "a folder" } else { "a device, a pipe or a socket" };
    Err(errors::not_a_file(name, what))
}

/// Names of the files in the same folder, for did-you-mean; at most a thousand.
pub fn neighbours(path: &Path) -> Vec<String> {
    let folder =
        path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    folder
        .and_then(|folder| folder.read_dir().ok())
        .into_iter()
        .flatten()
        .take(1000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

/// Replaces a file as a whole: the bytes go to a new file in the same folder, which is flushed to
/// the disk and then takes the name, and the permissions of the old one. After a crash the file is the
/// old one or the new one.
///
/// # Errors
/// When the folder cannot be written, or the name is that of something other than a file.
pub fn write(path: &Path, name: &str, bytes: &[u8]) -> Result<(), DataError> {
    if let Ok(found) = path.metadata() {
        must_be_regular(name, &found)?;
    }
    // Through a link, what it points to is replaced, not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let new = beside(&target);
    let allowed = target.metadata().ok().map(|found| found.permissions());
    let written = write_new(&new, bytes)
        .and_then(|()| allowed.map_or(Ok(()), |allowed| std::fs::set_permissions(&new, allowed)))
        .and_then(|()| std::fs::rename(&new, &target));
    if let Err(why) = written {
        drop(std::fs::remove_file(&new));
        return Err(errors::cannot_write(name, &why));
    }
    // Not every file system can flush a folder; the file itself is safe already.
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        drop(folder.sync_all());
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A name in the same folder that no other process and no other call uses.
fn beside(target: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}-{count}.new", std::process::id()))
}
