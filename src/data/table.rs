//! Tables: named columns of equal length.

use std::sync::Arc;

use super::{DataError, errors};
use crate::ir::Tensor;

/// Named columns with the same number of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file it came from, for errors.
    pub source: String,
    /// The columns, in the order of the file; all names differ.
    pub columns: Vec<Column>,
    /// The number of rows.
    pub rows: usize,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Its values, one a row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers or truth values; the first size is the number of rows.
    Tensor(Tensor),
    /// Text, usable as labels only.
    Labels(Arc<Vec<String>>),
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A number, a truth value, or an array of them.
    Tensor(Tensor),
    /// A text.
    Label(String),
}

impl Values {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Values::Tensor(tensor) => tensor.sizes.first().copied().unwrap_or(1),
            Values::Labels(labels) => labels.len(),
        }
    }
}

impl Table {
    /// The names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns.iter().map(|column| column.name.as_str())
    }

    /// The column of a name.
    pub fn column(&self, name: &str) -> Result<&Column, DataError> {
        self.columns
            .iter()
            .find(|column| column.name == name)
            .ok_or_else(|| errors::no_such_column(&self.source, name, self.names()))
    }

    /// The row at a position counted from 0, as named entries.
    pub fn row(&self, at: i64) -> Result<Vec<(String, Entry)>, DataError> {
        let entries = usize::try_from(at).ok().and_then(|at| self.entries(at));
        entries.ok_or_else(|| errors::no_such_row(&self.source, at, self.rows))
    }

    fn entries(&self, at: usize) -> Option<Vec<(String, Entry)>> {
        if at >= self.rows {
            return None;
        }
        self.columns.iter().map(|column| Some((column.name.clone(), column.values.entry(at)?))).collect()
    }
}

impl Values {
    fn entry(&self, at: usize) -> Option<Entry> {
        match self {
            Values::Labels(labels) => labels.get(at).cloned().map(Entry::Label),
            Values::Tensor(tensor) => {
                let row = super::take_rows(tensor, &[at]);
                let sizes = tensor.sizes.get(1..)?;
                Some(Entry::Tensor(row.reshaped(sizes)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            source: "t.csv".into(),
            columns: vec![
                Column { name: "age".into(), values: Values::Tensor(Tensor::int(&[2], vec![4, 5])) },
                Column {
                    name: "kind".into(),
                    values: Values::Labels(Arc::new(vec!["a".into(), "b".into()])),
                },
                Column {
                    name: "at".into(),
                    values: Values::Tensor(Tensor::real(&[2, 2], vec![1.0, 2.0, 3.0, 4.0])),
                },
            ],
            rows: 2,
        }
    }

    #[test]
    fn columns_are_found_or_suggested() {
        assert_eq!(table().column("age").unwrap().values.rows(), 2);
        let error = table().column("agee").unwrap_err();
        assert_eq!(error.code, "E0611");
        assert_eq!(error.help.as_deref(), Some("did you mean \"age\"?"));
        let error = table().column("unheard").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("the columns are age, kind, at"));
    }

    #[test]
    fn rows_are_named_entries() {
        let row = table().row(1).unwrap();
        assert_eq!(row[0], ("age".into(), Entry::Tensor(Tensor::int_scalar(5))));
        assert_eq!(row[1], ("kind".into(), Entry::Label("b".into())));
        let at = Tensor::real(&[2], vec![3.0, 4.0]);
        assert_eq!(row[2], ("at".into(), Entry::Tensor(at)));
        assert_eq!(table().row(2).unwrap_err().code, "E0611");
        assert_eq!(table().row(-1).unwrap_err().code, "E0611");
    }
}
