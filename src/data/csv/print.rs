//! Tables to text.

use crate::data::{Column, DataError, Table, Values, errors, take_rows};
use crate::ir::Data;

/// The text of a table. Reals are written with the fewest digits that read back to the same bits;
/// a column of vectors `w` becomes the columns `w_0`, `w_1` ….
pub(in crate::data) fn print(name: &str, table: &Table, delimiter: u8) -> Result<Vec<u8>, DataError> {
    let failed = |why: csv::Error| errors::cannot_write(name, &std::io::Error::other(why));
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let header: Vec<String> = table.columns.iter().flat_map(Column::headings).collect();
    writer.write_record(&header).map_err(failed)?;
    for row in 0..table.rows {
        let columns = table.columns.iter();
        let cells: Vec<String> = columns.flat_map(|column| column.values.cells(row)).collect();
        writer.write_record(&cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|why| errors::cannot_write(name, &why.into_error()))
}

impl Column {
    /// Its name, or one name for each number in a row of it.
    pub(in crate::data) fn headings(&self) -> Vec<String> {
        match self.values.width() {
            None => vec![self.name.clone()],
            Some(width) => (0..width).map(|at| format!("{}_{at}", self.name)).collect(),
        }
    }
}

impl Values {
    /// The numbers in a row, if the rows are arrays.
    pub(in crate::data) fn width(&self) -> Option<usize> {
        match self {
            Values::Tensor(tensor) if tensor.sizes.len() > 1 => Some(tensor.sizes.iter().skip(1).product()),
            Values::Tensor(_) | Values::Labels(_) => None,
        }
    }

    fn cells(&self, row: usize) -> Vec<String> {
        match self {
            Values::Labels(labels) => labels.get(row).cloned().into_iter().collect(),
            Values::Tensor(tensor) => match &take_rows(tensor, &[row]).data {
                Data::Real(data) => data.iter().map(|x| format!("{x:?}")).collect(),
                Data::Int(data) => data.iter().map(i64::to_string).collect(),
                Data::Bool(data) => data.iter().map(bool::to_string).collect(),
            },
        }
    }
}
