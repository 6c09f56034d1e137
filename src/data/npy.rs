//! NumPy's array files (`.npy`, format versions 1 to 3), without pickles.
//!
//! The header is measured before it is read, and the shape is compared with the length of the
//! file before anything is allocated. Elements may be of any byte order and either storage order.

use std::sync::Arc;

use super::file::{Source, room_for};
use super::{DataError, errors};
use crate::ir::{Data, Tensor};

const MAGIC: &[u8] = b"\x93NUMPY";
const MAX_HEADER: usize = 10_000;
const MAX_RANK: usize = 32;

/// The array that the bytes of a file hold.
pub(super) fn parse(source: Source, bytes: &[u8]) -> Result<Tensor, DataError> {
    let wrong = |why: &str| errors::bad_npy(source.name, why);
    let (header, body) = split_header(bytes).map_err(wrong)?;
    let header = Header::parse(header).map_err(wrong)?;
    let Some(dtype) = Dtype::named(&header.descr) else {
        return Err(errors::unsupported_dtype(source.name, &header.descr));
    };
    let sizes = header.sizes;
    let elements = sizes.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
    let length = elements.and_then(|n| n.checked_mul(dtype.width));
    if length != Some(body.len()) {
        let (shape, have) = (show(&sizes), body.len());
        let why = format!("its shape is {shape} but {have} bytes follow the header");
        return Err(errors::bad_npy(source.name, why));
    }
    let data = dtype.decode(source, body)?;
    let rows_first = if header.fortran { to_rows(data, &sizes) } else { data };
    Ok(Tensor { sizes, data: rows_first })
}

fn show(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

/// The text of the header and the bytes behind it.
fn split_header(bytes: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it does not start with \\x93NUMPY")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (u32::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), rest),
        [version, _, ..] if !(1..=3).contains(version) => return Err("unknown format version"),
        _ => return Err("it ends within its header"),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_HEADER {
        return Err("its header is longer than 10,000 bytes");
    }
    let (header, body) = rest.split_at_checked(length).ok_or("it ends within its header")?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    Ok((header, body))
}

/// What the header says.
struct Header {
    descr: String,
    fortran: bool,
    sizes: Vec<usize>,
}

impl Header {
    /// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Result<Header, &'static str> {
        let mut scan = Scan(text.trim());
        let (mut descr, mut fortran, mut sizes) = (None, None, None);
        scan.expect('{')?;
        while !scan.eat('}') {
            let key = scan.string()?;
            scan.expect(':')?;
            match key {
                "descr" if descr.is_none() => descr = Some(scan.descr()?),
                "fortran_order" if fortran.is_none() => fortran = Some(scan.truth()?),
                "shape" if sizes.is_none() => sizes = Some(scan.sizes()?),
                _ => return Err("its header has an unknown or repeated entry"),
            }
            if !scan.eat(',') {
                scan.expect('}')?;
                break;
            }
        }
        match (descr, fortran, sizes) {
            (Some(descr), Some(fortran), Some(sizes)) if scan.0.trim().is_empty() => {
                Ok(Header { descr, fortran, sizes })
            }
            _ => Err("its header is incomplete"),
        }
    }
}

/// The rest of a Python literal.
struct Scan<'a>(&'a str);

impl<'a> Scan<'a> {
    fn eat(&mut self, letter: char) -> bool {
        let rest = self.0.trim_start();
        let after = rest.strip_prefix(letter);
        self.0 = after.unwrap_or(rest);
        after.is_some()
    }

    fn expect(&mut self, letter: char) -> Result<(), &'static str> {
        self.eat(letter).then_some(()).ok_or("its header is malformed")
    }

    fn string(&mut self) -> Result<&'a str, &'static str> {
        let quote = if self.eat('"') { '"' } else { '\'' };
        if quote == '\'' {
            self.expect('\'')?;
        }
        let (text, rest) = self.0.split_once(quote).ok_or("its header is malformed")?;
        self.0 = rest;
        Ok(text)
    }

    /// The element type; that of a structured array is kept as written, to be refused.
    fn descr(&mut self) -> Result<String, &'static str> {
        let rest = self.0.trim_start();
        if rest.starts_with('[') {
            let (text, after) = rest.rsplit_once(']').ok_or("its header is malformed")?;
            self.0 = after;
            return Ok(format!("{text}]"));
        }
        Ok(self.string()?.to_string())
    }

    fn truth(&mut self) -> Result<bool, &'static str> {
        let rest = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(after) = rest.strip_prefix(word) {
                self.0 = after;
                return Ok(value);
            }
        }
        Err("its header is malformed")
    }

    fn sizes(&mut self) -> Result<Vec<usize>, &'static str> {
        let mut sizes = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            if sizes.len() == MAX_RANK {
                return Err("it has more than 32 dimensions");
            }
            let rest = self.0.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit());
            let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
            sizes.push(digits.parse().map_err(|_| "its shape is malformed")?);
            self.0 = after;
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}

/// The kind, width and byte order of the elements.
struct Dtype {
    kind: u8,
    width: usize,
    big: bool,
}

impl Dtype {
    fn named(descr: &str) -> Option<Dtype> {
        let [order, kind, width] = *descr.as_bytes() else {
            return None;
        };
        let big = match order {
            b'<' => false,
            b'>' => true,
            b'|' if width == b'1' => false,
            _ => return None,
        };
        let known = matches!(
            (kind, width),
            (b'f', b'4' | b'8')
                | (b'i', b'1' | b'2' | b'4' | b'8')
                | (b'u', b'1' | b'2' | b'4')
                | (b'b', b'1')
        );
        known.then(|| Dtype { kind, width: usize::from(width - b'0'), big })
    }

    /// The elements, in the order of the file; their number times the width is the length.
    fn decode(&self, source: Source, body: &[u8]) -> Result<Data, DataError> {
        let n = (body.len() / self.width) as u64;
        let words = body.chunks_exact(self.width).map(|word| self.word(word));
        Ok(match (self.kind, self.width) {
            (b'b', _) => {
                let mut data = room_for(source, n)?;
                data.extend(words.map(|word| word != 0));
                Data::Bool(Arc::new(data))
            }
            (b'f', width) => {
                let mut data = room_for(source, n)?;
                data.extend(words.map(|word| real(word, width)));
                Data::Real(Arc::new(data))
            }
            (kind, width) => {
                let mut data = room_for(source, n)?;
                data.extend(words.map(|word| integer(word, width, kind == b'i')));
                Data::Int(Arc::new(data))
            }
        })
    }

    /// The bytes of one element as the low bits of a word.
    fn word(&self, bytes: &[u8]) -> u64 {
        let join = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        if self.big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }
}

fn real(word: u64, width: usize) -> f64 {
    if width == 4 { f64::from(f32::from_bits((word & 0xffff_ffff) as u32)) } else { f64::from_bits(word) }
}

fn integer(word: u64, width: usize, signed: bool) -> i64 {
    let unused = 64 - 8 * width as u32;
    if signed { (word << unused).cast_signed() >> unused } else { word.cast_signed() }
}

/// Elements stored with the first index fastest, with the last index fastest.
fn to_rows(data: Data, sizes: &[usize]) -> Data {
    match data {
        Data::Real(data) => Data::Real(Arc::new(reorder(&data, sizes))),
        Data::Int(data) => Data::Int(Arc::new(reorder(&data, sizes))),
        Data::Bool(data) => Data::Bool(Arc::new(reorder(&data, sizes))),
    }
}

/// Counts through the row-major indices like an odometer, and keeps the column-major place.
fn reorder<T: Copy>(data: &[T], sizes: &[usize]) -> Vec<T> {
    let mut stride = 1;
    let strides: Vec<usize> = sizes
        .iter()
        .map(|size| {
            let here = stride;
            stride *= size;
            here
        })
        .collect();
    let (mut index, mut place) = (vec![0; sizes.len()], 0);
    let mut out = Vec::with_capacity(data.len());
    for _ in 0..data.len() {
        out.extend(data.get(place));
        let wheels = index.iter_mut().zip(sizes).zip(&strides).rev();
        for ((digit, size), stride) in wheels {
            *digit += 1;
            place += stride;
            if *digit < *size {
                break;
            }
            place -= *digit * stride;
            *digit = 0;
        }
    }
    out
}

/// The bytes of a `.npy` file that holds the array, in format version 1.
pub(super) fn print(tensor: &Tensor) -> Vec<u8> {
    let descr = match tensor.data {
        Data::Real(_) => "<f8",
        Data::Int(_) => "<i8",
        Data::Bool(_) => "|b1",
    };
    let comma = if tensor.sizes.len() == 1 { "," } else { "" };
    let shape = show(&tensor.sizes).replace(')', &format!("{comma})"));
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version, length, header and the newline that ends it fill a multiple of 64 bytes.
    let filled = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    while MAGIC.len() + 4 + header.len() + 1 < filled {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let mut bytes = [MAGIC, &[1, 0], &length.to_le_bytes(), header.as_bytes()].concat();
    match &tensor.data {
        Data::Real(data) => bytes.extend(data.iter().flat_map(|x| x.to_le_bytes())),
        Data::Int(data) => bytes.extend(data.iter().flat_map(|n| n.to_le_bytes())),
        Data::Bool(data) => bytes.extend(data.iter().map(|b| u8::from(*b))),
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn source() -> Source<'static> {
        Source { path: Path::new("t.npy"), name: "t.npy", limit: 1 << 20, drop_missing: false }
    }

    fn file(header: &str, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), body].concat()
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    fn array(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Tensor {
        parse(source(), &file(&header(descr, fortran, shape), body)).unwrap()
    }

    #[track_caller]
    fn fails(bytes: &[u8], code: &str, message: &str) {
        let found = parse(source(), bytes).unwrap_err();
        assert_eq!(found.code, code, "{found:?}");
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn every_kind_and_byte_order_is_read() {
        let of = |descr: &str, body: &[u8]| array(descr, "False", "(1,)", body);
        assert_eq!(of("<f8", &1.5_f64.to_le_bytes()).reals(), [1.5]);
        assert_eq!(of(">f8", &1.5_f64.to_be_bytes()).reals(), [1.5]);
        assert_eq!(of("<f4", &0.25_f32.to_le_bytes()).reals(), [0.25]);
        assert_eq!(of(">f4", &0.25_f32.to_be_bytes()).reals(), [0.25]);
        assert_eq!(of("|i1", &[0xff]).ints(), [-1]);
        assert_eq!(of("|u1", &[0xff]).ints(), [255]);
        assert_eq!(of("<i2", &(-2_i16).to_le_bytes()).ints(), [-2]);
        assert_eq!(of(">i4", &(-3_i32).to_be_bytes()).ints(), [-3]);
        assert_eq!(of("<i8", &i64::MIN.to_le_bytes()).ints(), [i64::MIN]);
        assert_eq!(of(">u2", &[1, 2]).ints(), [258]);
        assert_eq!(of("<u4", &u32::MAX.to_le_bytes()).ints(), [0xffff_ffff]);
        assert_eq!(of("|b1", &[1]).bools(), [true]);
    }

    #[test]
    fn column_major_files_are_turned() {
        let t = array("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6]);
        assert_eq!(t, Tensor::int(&[2, 3], vec![1, 2, 3, 4, 5, 6]));
        let t = array("|u1", "True", "(2, 2, 2)", &[0, 4, 2, 6, 1, 5, 3, 7]);
        assert_eq!(t.ints(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(array("|u1", "True", "()", &[7]), Tensor::int_scalar(7));
        assert_eq!(array("<f8", "True", "(0, 3)", &[]).sizes, [0, 3]);
    }

    #[test]
    fn arrays_are_written_as_numpy_writes_them() {
        let t = Tensor::real(&[3], vec![1.0, -0.0, f64::INFINITY]);
        let bytes = print(&t);
        assert_eq!(bytes.len(), 128 + 24);
        assert_eq!(parse(source(), &bytes).unwrap(), t);
        for t in [Tensor::bool_scalar(true), Tensor::int(&[2, 1], vec![1, -1])] {
            assert_eq!(parse(source(), &print(&t)).unwrap(), t);
        }
    }

    #[test]
    fn malformed_files_are_refused() {
        fails(b"", "E0616", "start");
        fails(b"\x93NUMPY\x01\x00", "E0616", "ends");
        fails(b"\x93NUMPY\x09\x00\x00\x00", "E0616", "version");
        fails(b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "E0616", "10,000");
        fails(b"\x93NUMPY\x01\x00\x40\x00{", "E0616", "ends");
        fails(&file("{'descr': '<f8'}", &[]), "E0616", "incomplete");
        fails(&file("{'descr': '<f8', 'x': 1}", &[]), "E0616", "unknown");
        fails(&file("[1]", &[]), "E0616", "malformed");
        let short = file(&header("<f8", "False", "(3,)"), &[0; 16]);
        fails(&short, "E0616", "(3) but 16 bytes");
        let huge = file(&header("<f8", "False", "(4294967296, 4294967296, 16)"), &[]);
        fails(&huge, "E0616", "shape");
        let long = file(&header("|b1", "False", "(-1,)"), &[]);
        fails(&long, "E0616", "shape");
        let ranks = format!("({})", "1, ".repeat(33));
        fails(&file(&header("|b1", "False", &ranks), &[1]), "E0616", "32");
    }

    #[test]
    fn objects_text_and_complex_numbers_are_refused() {
        for descr in ["|O", "<U8", "<c16", "<f2", "<u8", "<M8[ns]", "é8"] {
            let bytes = file(&header(descr, "False", "(1,)"), &[0; 8]);
            fails(&bytes, "E0617", "type");
        }
        let record = "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}";
        fails(&file(record, &[0; 8]), "E0617", "type");
    }
}
