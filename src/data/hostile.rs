//! Mutants of good files: whatever the bytes, a value or an error, and bounded memory.

use std::path::Path;

use super::file::Source;
use super::{csv, json, npy, npz};
use crate::ir::Tensor;
use crate::math::functions::threefry;

const MUTANTS: i64 = 500;
const LIMIT: u64 = 1 << 16;

/// Draws below a bound, one after another, from a seed.
struct Draws(i64, i64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.1 += 1;
        let draw = threefry(self.0, self.1).cast_unsigned() >> 16;
        usize::try_from(draw).unwrap() % bound.max(1)
    }
}

/// A copy with up to eight bytes changed, removed, repeated, or the end cut off.
fn mutant(good: &[u8], seed: i64) -> Vec<u8> {
    let mut draws = Draws(seed, 0);
    let mut bytes = good.to_vec();
    for _ in 0..=draws.below(8) {
        if bytes.is_empty() {
            break;
        }
        let at = draws.below(bytes.len());
        match draws.below(6) {
            0 => bytes[at] = u8::try_from(draws.below(256)).unwrap(),
            1 => bytes[at] = b"\",\n\r\t-.e9[]{}()'"[draws.below(16)],
            2 => bytes[at] ^= 1 << draws.below(8),
            3 => drop(bytes.remove(at)),
            4 => {
                let end = (at + draws.below(20)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn source() -> Source<'static> {
    Source { path: Path::new("mutant"), name: "mutant", limit: LIMIT, drop_missing: false }
}

/// Parses all mutants of a file; gives how many were still good.
fn survivors(good: &[u8], parse: impl Fn(&[u8]) -> bool) -> i64 {
    assert!(parse(good));
    (0..MUTANTS).map(|seed| i64::from(parse(&mutant(good, seed)))).sum()
}

#[test]
fn mutants_of_a_csv_file() {
    let good = b"id,x,label,flag\n1,0.5,\"a, b\",true\n2,-1e3,c,false\n3,7,\"d \"\"e\"\"\",true\n";
    let alive = survivors(good, |bytes| {
        let table = csv::parse(source(), bytes, b',');
        table.is_ok_and(|table| {
            let rows = |column: &super::Column| column.values.rows();
            assert!(table.columns.iter().all(|column| rows(column) == table.rows));
            true
        })
    });
    assert!((1..MUTANTS).contains(&alive), "{alive}");
}

#[test]
fn mutants_of_an_npy_file() {
    let good = npy::print(&Tensor::real(&[3, 4], vec![0.5; 12]));
    let alive = survivors(&good, |bytes| {
        npy::parse(source(), bytes).is_ok_and(|tensor| {
            assert_eq!(tensor.sizes.iter().product::<usize>(), tensor.len());
            assert!(tensor.len() <= bytes.len());
            true
        })
    });
    assert!((1..MUTANTS).contains(&alive), "{alive}");
}

#[test]
fn mutants_of_an_npz_file() {
    let arrays =
        [("w".to_string(), Tensor::real(&[2], vec![1.0, 2.0])), ("n".to_string(), Tensor::int_scalar(3))];
    let good = npz::print("good.npz", &arrays).unwrap();
    survivors(&good, |bytes| npz::parse(source(), bytes).is_ok());
}

#[test]
fn mutants_of_a_json_file() {
    let good = br#"{"x": [[1, 2.5], [3, -4e2]], "s": ["a", "b"], "t": [true, false]}"#;
    let alive = survivors(good, |bytes| json::parse(source(), bytes).is_ok());
    assert!((1..MUTANTS).contains(&alive), "{alive}");
}
