//! What is done with columns before a solve: matrices, scaling, classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Column, DataError, Table, Values, errors};
use crate::ir::{Data, Tensor};

/// Which columns of a table to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick<'a> {
    /// All of them.
    All,
    /// All but the named.
    Except(&'a [String]),
    /// The named, in the order given.
    Only(&'a [String]),
}

/// The picked columns side by side as a matrix [rows, columns], with the names of its columns.
/// Truth values are 1 and 0.
pub fn matrix(table: &Table, pick: Pick) -> Result<(Tensor, Vec<String>), DataError> {
    let columns = picked(table, pick)?;
    if columns.is_empty() {
        return Err(errors::no_columns_left(&table.source));
    }
    let (mut names, mut parts) = (Vec::new(), Vec::new());
    for column in columns {
        let Values::Tensor(tensor) = &column.values else {
            let error = errors::labels_are_no_numbers(&table.source, &column.name);
            return Err(error);
        };
        names.extend(column.headings());
        parts.push((tensor.to_reals(), column.values.width().unwrap_or(1)));
    }
    let mut data = Vec::with_capacity(table.rows.saturating_mul(names.len()));
    for row in 0..table.rows {
        for (part, width) in &parts {
            let start = row * width;
            data.extend_from_slice(part.get(start..start + width).unwrap_or_default());
        }
    }
    Ok((Tensor::real(&[table.rows, names.len()], data), names))
}

/// The names of the picked columns, as [`matrix`] names its columns.
pub fn names(table: &Table, pick: Pick) -> Result<Vec<String>, DataError> {
    let columns = picked(table, pick)?;
    Ok(columns.into_iter().flat_map(Column::headings).collect())
}

fn picked<'a>(table: &'a Table, pick: Pick) -> Result<Vec<&'a Column>, DataError> {
    match pick {
        Pick::All => Ok(table.columns.iter().collect()),
        Pick::Only(names) => names.iter().map(|name| table.column(name)).collect(),
        Pick::Except(names) => {
            for name in names {
                table.column(name)?;
            }
            let kept = |column: &&Column| !names.contains(&column.name);
            Ok(table.columns.iter().filter(kept).collect())
        }
    }
}

/// Every column less its mean, divided by its standard deviation over all rows (divisor n, not
/// n - 1); with `like` those are taken from another array with the same columns. A column whose values are all equal is an error, named by `names` or by its place.
pub fn standardize(
    tensor: &Tensor,
    like: Option<&Tensor>,
    names: Option<&[String]>,
) -> Result<Tensor, DataError> {
    let size = |tensor: &Tensor| match *tensor.sizes.as_slice() {
        [rows] => (rows, 1),
        [rows, width] => (rows, width),
        _ => (0, 0),
    };
    let like = like.unwrap_or(tensor);
    let ((_, wanted), (rows, width)) = (size(tensor), size(like));
    if rows == 0 {
        return Err(errors::not_a_matrix("standardize", &like.sizes));
    }
    if wanted != width {
        return Err(errors::other_columns(wanted, width));
    }
    let known = like.to_reals();
    let mut data = tensor.to_reals();
    for at in 0..width {
        let column = known.iter().skip(at).step_by(width).copied();
        let Some((mean, deviation)) = moments(column, rows) else {
            let value = known.get(at).copied().unwrap_or_default();
            let name = names.and_then(|names| names.get(at));
            let name = name.map_or_else(|| format!("column {at}"), |name| format!("\"{name}\""));
            return Err(errors::constant_column(&name, value));
        };
        for x in data.iter_mut().skip(at).step_by(width) {
            *x = (*x - mean) / deviation;
        }
    }
    Ok(Tensor::real(&tensor.sizes, data))
}

/// Mean and standard deviation; `None` if all values are equal.
fn moments(column: impl Iterator<Item = f64> + Clone, rows: usize) -> Option<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "no table has more than 2^53 rows")]
    let rows = rows as f64;
    let first = column.clone().next()?;
    if column.clone().all(|x| x == first) {
        return None;
    }
    let mean = column.clone().sum::<f64>() / rows;
    let variance = column.map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows;
    Some((mean, variance.sqrt()))
}

/// The distinct values of a column in ascending order, and the number of each row's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// For each row, the position of its value among the labels: `int[rows]`.
    pub codes: Tensor,
    /// The distinct values, ascending.
    pub labels: Values,
}

/// Numbers the distinct values of a column from 0, in ascending order.
pub fn group(values: &Values) -> Group {
    match values {
        Values::Labels(labels) => {
            let (codes, distinct) = number(labels.iter().cloned());
            Group { codes, labels: Values::Labels(Arc::new(distinct)) }
        }
        Values::Tensor(tensor) => {
            let (codes, data) = match &tensor.data {
                Data::Int(data) => {
                    let (codes, distinct) = number(data.iter().copied());
                    (codes, Data::Int(Arc::new(distinct)))
                }
                Data::Bool(data) => {
                    let (codes, distinct) = number(data.iter().copied());
                    (codes, Data::Bool(Arc::new(distinct)))
                }
                Data::Real(data) => {
                    let (codes, distinct) = number(data.iter().map(|x| Ordered(*x + 0.0)));
                    let distinct = distinct.into_iter().map(|x| x.0).collect();
                    (codes, Data::Real(Arc::new(distinct)))
                }
            };
            let distinct = Tensor { sizes: vec![count(&data)], data };
            Group { codes, labels: Values::Tensor(distinct) }
        }
    }
}

fn count(data: &Data) -> usize {
    match data {
        Data::Real(data) => data.len(),
        Data::Int(data) => data.len(),
        Data::Bool(data) => data.len(),
    }
}

/// A real with the total order of its bits; both zeros have been made one before.
#[derive(Clone, Copy)]
struct Ordered(f64);

impl Ord for Ordered {
    fn cmp(&self, other: &Ordered) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Ordered) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Ordered) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}

fn number<T: Ord + Clone>(values: impl Iterator<Item = T> + Clone) -> (Tensor, Vec<T>) {
    let mut codes: BTreeMap<T, i64> = values.clone().map(|value| (value, 0)).collect();
    for (at, code) in (0..).zip(codes.values_mut()) {
        *code = at;
    }
    let rows: Vec<i64> = values.filter_map(|value| codes.get(&value).copied()).collect();
    let distinct = codes.into_keys().collect();
    (Tensor::int(&[rows.len()], rows), distinct)
}

/// A row of zeros with a one in the place of its class: real [rows, classes]. Classes are whole
/// numbers from 0, or the labels of a text column in ascending order; without `classes` there are
/// as many as the greatest says. The result may take up to `limit` bytes.
pub fn one_hot(values: &Values, classes: Option<usize>, limit: u64) -> Result<Tensor, DataError> {
    let codes = match values {
        Values::Labels(_) => group(values).codes.to_reals(),
        Values::Tensor(tensor) => tensor.to_reals(),
    };
    let greatest = codes.iter().copied().fold(0.0, f64::max);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and what is too great fails below"
    )]
    let classes = classes.unwrap_or_else(|| (greatest as usize).saturating_add(1));
    let cells = codes.len().saturating_mul(classes);
    let mut data = Vec::new();
    let fits = (cells as u64).saturating_mul(8) <= limit;
    if !fits || data.try_reserve_exact(cells).is_err() {
        let sizes = [codes.len() as u64, classes as u64];
        return Err(errors::array_too_large(&sizes, limit));
    }
    data.resize(cells, 0.0);
    for (row, code) in codes.iter().enumerate() {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "compared with the code before it is used"
        )]
        let (at, inside) = (*code as usize, code.fract() == 0.0 && *code >= 0.0 && *code < classes as f64);
        match data.get_mut(row * classes + at) {
            Some(cell) if inside => *cell = 1.0,
            _ => return Err(errors::not_a_class(row, *code, classes)),
        }
    }
    Ok(Tensor::real(&[codes.len(), classes], data))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let column = |name: &str, values: Values| Column { name: name.into(), values };
        let labels = Arc::new(vec!["b".to_string(), "a".to_string(), "b".to_string()]);
        Table {
            source: "t.csv".into(),
            columns: vec![
                column("n", Values::Tensor(Tensor::int(&[3], vec![1, 2, 3]))),
                column("k", Values::Labels(labels)),
                column("t", Values::Tensor(Tensor::bool(&[3], vec![true, false, true]))),
            ],
            rows: 3,
        }
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_matrix_has_the_picked_columns() {
        let (m, of) = matrix(&table(), Pick::Except(&names(&["k"]))).unwrap();
        assert_eq!(of, ["n", "t"]);
        assert_eq!(m, Tensor::real(&[3, 2], vec![1.0, 1.0, 2.0, 0.0, 3.0, 1.0]));
        let (_, of) = matrix(&table(), Pick::Only(&names(&["t", "n"]))).unwrap();
        assert_eq!(of, ["t", "n"]);
        assert_eq!(super::names(&table(), Pick::All).unwrap(), ["n", "k", "t"]);
        let code = |pick| matrix(&table(), pick).unwrap_err().code;
        assert_eq!(code(Pick::All), "E0612");
        let unknown = names(&["z"]);
        assert_eq!(code(Pick::Except(&unknown)), "E0611");
        assert_eq!(code(Pick::Only(&[])), "E0611");
    }

    #[test]
    fn standardize_centres_and_scales() {
        let m = Tensor::real(&[4, 2], vec![1.0, 0.1, 3.0, 0.2, 1.0, 0.3, 3.0, 0.4]);
        let s = standardize(&m, None, None).unwrap();

        assert_eq!(s.reals()[0], -1.0);
        assert_eq!(s.reals()[2], 1.0);
        let v = Tensor::int(&[2], vec![4, 6]);
        assert_eq!(standardize(&v, None, None).unwrap().reals(), [-1.0, 1.0]);
    }

    #[test]
    fn a_constant_column_has_no_scale() {
        let m = Tensor::real(&[3, 2], vec![1.0, 0.1, 2.0, 0.1, 3.0, 0.1]);
        let error = standardize(&m, None, None).unwrap_err();
        assert_eq!(error.code, "E0613");
        assert!(error.message.contains("column 1"));
        let of = names(&["age", "zero"]);
        let error = standardize(&m, None, Some(&of)).unwrap_err();
        assert!(error.message.contains("\"zero\": all its values are 0.1"));
        let cube = Tensor::real(&[1, 1, 1], vec![0.0]);
        assert_eq!(standardize(&cube, None, None).unwrap_err().code, "E0613");
        let none = Tensor::real(&[0], vec![]);
        assert_eq!(standardize(&none, None, None).unwrap_err().code, "E0613");
    }

    #[test]
    fn groups_are_numbered_in_ascending_order() {
        let g = group(&table().columns[1].values);
        assert_eq!(g.codes.ints(), [1, 0, 1]);
        assert_eq!(g.labels, Values::Labels(Arc::new(names(&["a", "b"]))));
        let reals = Tensor::real(&[4], vec![0.5, -0.0, 0.0, -1.0]);
        let g = group(&Values::Tensor(reals));
        assert_eq!(g.codes.ints(), [2, 1, 1, 0]);
        let ints = Tensor::int(&[3], vec![7, -7, 7]);
        let g = group(&Values::Tensor(ints));
        assert_eq!(g.labels, Values::Tensor(Tensor::int(&[2], vec![-7, 7])));
    }

    #[test]
    fn one_hot_marks_the_class() {
        let ints = Values::Tensor(Tensor::int(&[3], vec![2, 0, 1]));
        let rows = vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(one_hot(&ints, None, 1000).unwrap(), Tensor::real(&[3, 3], rows));
        assert_eq!(one_hot(&ints, Some(4), 1000).unwrap().sizes, [3, 4]);
        assert_eq!(one_hot(&table().columns[1].values, None, 1000).unwrap().sizes, [3, 2]);
        let code = |x: Tensor, n| one_hot(&Values::Tensor(x), n, 1000).unwrap_err().code;
        assert_eq!(code(Tensor::int(&[1], vec![3]), Some(3)), "E0614");
        assert_eq!(code(Tensor::int(&[2], vec![-1, 3]), None), "E0614");
        assert_eq!(code(Tensor::real(&[1], vec![0.5]), None), "E0614");
        assert_eq!(code(Tensor::real(&[1], vec![1e18]), None), "E0623");
        assert_eq!(code(Tensor::int(&[1], vec![200]), None), "E0623");
        assert_eq!(code(Tensor::real(&[1], vec![f64::NAN]), None), "E0614");
    }
}
