//! NumPy's archives (`.npz`): a zip file with one `.npy` file for each name.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::file::Source;
use super::{DataError, errors, npy};
use crate::ir::Tensor;

const MAX_ARRAYS: usize = 10_000;

/// The arrays of an archive, with their names, in the order of the archive. All together may
/// take no more bytes than the limit, however well they are compressed.
pub(super) fn parse(source: Source, bytes: &[u8]) -> Result<Vec<(String, Tensor)>, DataError> {
    let wrong = |why: zip::result::ZipError| errors::bad_npz(source.name, why.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(wrong)?;
    if archive.len() > MAX_ARRAYS {
        return Err(errors::bad_npz(source.name, "it holds more than 10,000 files"));
    }
    let mut left = source.limit;
    let mut arrays = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(wrong)?;
        let name = entry.name().map_err(wrong)?.into_owned();
        let Some(stem) = name.strip_suffix(".npy") else {
            let why = format!("it holds {name:?}, which is not an array");
            return Err(errors::bad_npz(source.name, why));
        };
        let array = unpack(source, entry, left)?;
        left = left.saturating_sub(array.len() as u64);
        let within = format!("{}:{name}", source.name);
        let part = Source { name: &within, limit: left.max(array.len() as u64 * 8), ..source };
        arrays.push((stem.to_string(), npy::parse(part, &array)?));
    }
    Ok(arrays)
}

/// The bytes of one entry; what its head claims about their number is not trusted.
fn unpack(source: Source, entry: impl Read, left: u64) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    entry
        .take(left.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|why| errors::bad_npz(source.name, why.to_string()))?;
    if bytes.len() as u64 > left {
        let needed = source.limit.saturating_add(1);
        return Err(errors::too_large(source.name, needed, source.limit));
    }
    Ok(bytes)
}

/// The bytes of an archive that holds the arrays, uncompressed, the same for the same arrays.
pub(super) fn print(name: &str, arrays: &[(String, Tensor)]) -> Result<Vec<u8>, DataError> {
    let failed = |why: std::io::Error| errors::cannot_write(name, &why);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (label, tensor) in arrays {
        writer.start_file(format!("{label}.npy"), options).map_err(|why| failed(why.into()))?;
        writer.write_all(&npy::print(tensor)).map_err(failed)?;
    }
    let bytes = writer.finish().map_err(|why| failed(why.into()))?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source(limit: u64) -> Source<'static> {
        Source { path: Path::new("t.npz"), name: "t.npz", limit, drop_missing: false }
    }

    #[test]
    fn archives_read_back() {
        let arrays = vec![
            ("w".to_string(), Tensor::real(&[2], vec![1.0, 2.0])),
            ("b".to_string(), Tensor::scalar(3.0)),
        ];
        let bytes = print("t.npz", &arrays).unwrap();
        assert_eq!(parse(source(1 << 20), &bytes).unwrap(), arrays);
        assert_eq!(bytes, print("t.npz", &arrays).unwrap());
    }

    fn archive(name: &str, body: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.start_file(name, options).unwrap();
        writer.write_all(body).unwrap();
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn bombs_and_strangers_are_refused() {
        let refused = |bytes: &[u8]| parse(source(1 << 20), bytes).unwrap_err();
        let bomb = npy::print(&Tensor::real(&[1 << 18], vec![0.0; 1 << 18]));
        let bomb = archive("w.npy", &bomb);
        assert!(bomb.len() < 10_000);
        assert_eq!(refused(&bomb).code, "E0603");
        assert_eq!(refused(b"PK").code, "E0618");
        assert_eq!(refused(&archive("readme.txt", b"hello")).code, "E0618");
        let inner = refused(&archive("w.npy", b"hello"));
        assert_eq!(inner.code, "E0616");
        assert_eq!(inner.file.as_deref(), Some("t.npz:w.npy"));
        let mut torn = archive("w.npy", &[7; 100]);
        torn.truncate(torn.len() - 30);
        assert_eq!(refused(&torn).code, "E0618");
    }
}
