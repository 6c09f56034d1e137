//! Choosing rows: by position, or at random for a split.

use std::sync::Arc;

use super::{Column, DataError, Table, Values, errors};
use crate::ir::{Data, Tensor};
use crate::math::functions::threefry;

/// The rows at the given positions, in that order; positions outside are left out.
pub fn take_rows(tensor: &Tensor, rows: &[usize]) -> Tensor {
    let width: usize = tensor.sizes.iter().skip(1).product();
    let (data, elements) = match &tensor.data {
        Data::Real(data) => {
            let data = gather(data, width, rows);
            let n = data.len();
            (Data::Real(Arc::new(data)), n)
        }
        Data::Int(data) => {
            let data = gather(data, width, rows);
            let n = data.len();
            (Data::Int(Arc::new(data)), n)
        }
        Data::Bool(data) => {
            let data = gather(data, width, rows);
            let n = data.len();
            (Data::Bool(Arc::new(data)), n)
        }
    };
    let mut sizes = vec![elements.checked_div(width).unwrap_or(rows.len())];
    sizes.extend(tensor.sizes.iter().skip(1));
    Tensor { sizes, data }
}

fn gather<T: Copy>(data: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    let row = |at: &usize| {
        let start = at.checked_mul(width)?;
        data.get(start..start.checked_add(width)?)
    };
    rows.iter().filter_map(row).flatten().copied().collect()
}

impl Table {
    /// The rows at the given positions, in that order; positions outside are left out.
    pub fn take(&self, rows: &[usize]) -> Table {
        let columns = self
            .columns
            .iter()
            .map(|column| Column { name: column.name.clone(), values: column.values.take(rows) });
        let inside = rows.iter().filter(|at| **at < self.rows).count();
        Table { source: self.source.clone(), columns: columns.collect(), rows: inside }
    }
}

impl Values {
    /// The rows at the given positions, in that order; positions outside are left out.
    pub fn take(&self, rows: &[usize]) -> Values {
        match self {
            Values::Tensor(tensor) => Values::Tensor(take_rows(tensor, rows)),
            Values::Labels(labels) => {
                let taken = rows.iter().filter_map(|at| labels.get(*at).cloned());
                Values::Labels(Arc::new(taken.collect()))
            }
        }
    }
}

/// A random share of the rows, and the rest: see [`split_rows`].
pub fn split(table: &Table, fraction: f64, seed: i64) -> Result<(Table, Table), DataError> {
    let (first, second) = split_rows(table.rows, fraction, seed)?;
    Ok((table.take(&first), table.take(&second)))
}

/// Shuffles the positions `0..rows` and cuts them where `fraction` of them, rounded, stand in
/// front. The shuffle is a function of the seed and the number of rows only.
pub fn split_rows(rows: usize, fraction: f64, seed: i64) -> Result<(Vec<usize>, Vec<usize>), DataError> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the rows lies between 0 and the rows; the cast saturates"
    )]
    let cut = (fraction * rows as f64).round() as usize;
    if !(0.0..=1.0).contains(&fraction) || cut == 0 || cut >= rows {
        return Err(errors::bad_fraction(fraction, rows));
    }
    let mut order = shuffled(rows, seed);
    let rest = order.split_off(cut);
    Ok((order, rest))
}

/// Fisher-Yates with one Threefry draw a step. The draw is scaled to the range by a 128-bit
/// product, whose bias is below rows / 2^64.
fn shuffled(rows: usize, seed: i64) -> Vec<usize> {
    const SPLIT: i64 = 0x73_706c_6974; // "split": keeps these draws apart from others of the seed
    let key = threefry(seed, SPLIT);
    let mut order: Vec<usize> = (0..rows).collect();
    for last in (1..rows).rev() {
        let draw = threefry(key, last.cast_signed() as i64).cast_unsigned();
        let scaled = (u128::from(draw) * (last as u128 + 1)) >> 64;
        order.swap(last, usize::try_from(scaled).unwrap_or(last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_has_every_row_once() {
        let (a, b) = split_rows(101, 0.8, 7).unwrap();
        assert_eq!((a.len(), b.len()), (81, 20));
        let mut all = [a.clone(), b.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
        assert_eq!(split_rows(101, 0.8, 7).unwrap(), (a.clone(), b));
        assert_ne!(split_rows(101, 0.8, 8).unwrap().0, a);
    }

    #[test]
    fn a_shuffle_is_about_uniform() {
        let mut counts = [[0; 4]; 4];
        for seed in 0..4000 {
            for (at, row) in shuffled(4, seed).into_iter().enumerate() {
                counts[at][row] += 1;
            }
        }
        // Mean 1000, standard deviation 27.
        assert!(counts.iter().flatten().all(|n| (850..1150).contains(n)));
    }

    #[test]
    fn a_part_without_rows_is_refused() {
        for fraction in [0.0, 1.0, -0.5, 1.5, f64::NAN, 0.001] {
            assert_eq!(split_rows(10, fraction, 0).unwrap_err().code, "E0615");
        }
    }

    #[test]
    fn rows_are_taken_in_order() {
        let matrix = Tensor::real(&[3, 2], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let taken = take_rows(&matrix, &[2, 0, 9]);
        assert_eq!(taken, Tensor::real(&[2, 2], vec![4.0, 5.0, 0.0, 1.0]));
    }
}
