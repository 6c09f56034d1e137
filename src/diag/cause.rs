//! What the system says, in words for people.

use std::io::{Error, ErrorKind};

/// Why something could not be read or written: `no such file or folder`.
pub fn cause(why: &Error) -> String {
    let known = match why.kind() {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::AlreadyExists => "it is there already",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::NotADirectory => "a part of the path is no folder",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::BrokenPipe => "the reader has gone",
        _ => return why.to_string(),
    };
    known.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::cause;

    #[test]
    fn causes_are_sentences_of_people() {
        assert_eq!(cause(&Error::from(ErrorKind::NotFound)), "no such file or folder");
        assert_eq!(cause(&Error::other("too tired")), "too tired");
    }
}
