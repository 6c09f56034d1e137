//! Arrays, tables and records from JSON.
//!
//! An array of numbers or truth values, nested evenly, is an array. An object whose entries are
//! all arrays of one length is a table, as is an array of objects with the same names; any other
//! object is a record.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::file::{Source, room_for};
use super::load::Loaded;
use super::table::{Column, Table, Values};
use super::{DataError, errors};
use crate::ir::{Data, Elem, Tensor};

/// Bytes of memory for one byte of text: a value of two letters (`1,`) takes 32 and an element.
const COST: u64 = 24;

/// What a JSON text holds.
pub(super) fn parse(source: Source, bytes: &[u8]) -> Result<Loaded, DataError> {
    let needed = COST.saturating_mul(bytes.len() as u64);
    if needed > source.limit {
        return Err(errors::too_large(source.name, needed, source.limit));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(errors::empty(source.name, "is empty"));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|why| errors::bad_json(source.name, why.line(), &why.to_string()))?;
    convert(source, "the top", &value)
}

fn convert(source: Source, path: &str, value: &Value) -> Result<Loaded, DataError> {
    match value {
        Value::Object(entries) => record_or_table(source, path, entries),
        Value::Array(rows) if rows.first().is_some_and(Value::is_object) => {
            table_of_rows(source, path, rows).map(Loaded::Table)
        }
        Value::String(text) => Ok(Loaded::Label(text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            match column(source, path, value)? {
                Values::Tensor(tensor) => Ok(Loaded::Tensor(tensor)),
                Values::Labels(labels) => Ok(Loaded::Labels(labels)),
            }
        }
    }
}

fn record_or_table(source: Source, path: &str, entries: &Map<String, Value>) -> Result<Loaded, DataError> {
    let mut lengths = entries.values().map(|value| value.as_array().map(Vec::len));
    let first = lengths.next().flatten();
    if let Some(rows) = first
        && rows > 0
        && lengths.all(|length| length == first)
    {
        let columns = entries.iter().map(|(name, value)| (name, value.clone()));
        return table(source, path, columns, rows).map(Loaded::Table);
    }
    let parts = entries.iter().map(|(name, value)| {
        let inside = convert(source, &within(path, name), value)?;
        Ok((name.clone(), inside))
    });
    parts.collect::<Result<_, _>>().map(Loaded::Record)
}

fn within(path: &str, name: &str) -> String {
    if path == "the top" { name.to_string() } else { format!("{path}.{name}") }
}

fn table<'a>(
    source: Source,
    path: &str,
    columns: impl Iterator<Item = (&'a String, Value)>,
    rows: usize,
) -> Result<Table, DataError> {
    let columns = columns.map(|(name, values)| {
        let values = column(source, &within(path, name), &values)?;
        Ok(Column { name: name.clone(), values })
    });
    Ok(Table { source: source.name.to_string(), columns: columns.collect::<Result<_, DataError>>()?, rows })
}

fn table_of_rows<'a>(source: Source, path: &str, rows: &'a [Value]) -> Result<Table, DataError> {
    let names: Vec<&String> = match rows.first() {
        Some(Value::Object(row)) => row.keys().collect(),
        _ => Vec::new(),
    };
    for (at, row) in rows.iter().enumerate() {
        let same = row
            .as_object()
            .is_some_and(|row| row.len() == names.len() && names.iter().all(|name| row.contains_key(*name)));
        if !same {
            let why = "this row has not the names of the first row";
            return Err(errors::json_misfit(source.name, &index(path, at), why));
        }
    }
    let cells = |name: &'a String| rows.iter().filter_map(move |row| row.get(name).cloned());
    let columns = names.iter().map(|name| (*name, Value::Array(cells(name).collect())));
    table(source, path, columns, rows.len())
}

fn index(path: &str, at: usize) -> String {
    if path == "the top" { format!("[{at}]") } else { format!("{path}[{at}]") }
}

/// The values of a column, an array, or a scalar.
fn column(source: Source, path: &str, value: &Value) -> Result<Values, DataError> {
    let texts = |value: &Value| match value {
        Value::Array(values) if !values.is_empty() => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_string));
            texts.collect::<Option<Vec<String>>>()
        }
        _ => None,
    };
    if let Some(labels) = texts(value) {
        return Ok(Values::Labels(Arc::new(labels)));
    }
    let mut sizes = Vec::new();
    let mut inner = value;
    while let Value::Array(values) = inner {
        sizes.push(values.len());
        let Some(first) = values.first() else { break };
        inner = first;
    }
    let mut leaves = Leaves {
        source,
        sizes: &sizes,
        path,
        place: Vec::new(),
        elem: None,
        data: room_for(source, sizes.iter().map(|n| *n as u64).product())?,
    };
    leaves.walk(value, 0)?;
    Ok(Values::Tensor(leaves.finish(&sizes)))
}

/// The numbers of a nested array, in order; a truth value is kept as 0 or 1.
struct Leaves<'a> {
    source: Source<'a>,
    sizes: &'a [usize],
    path: &'a str,
    /// The indices of the value that is walked over.
    place: Vec<usize>,
    elem: Option<Elem>,
    data: Vec<Leaf>,
}

#[derive(Clone, Copy)]
enum Leaf {
    Int(i64),
    Real(f64),
}

impl Leaf {
    fn real(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "integers beyond 2^53 round where reals are")]
            Leaf::Int(n) => n as f64,
            Leaf::Real(x) => x,
        }
    }

    fn int(self) -> i64 {
        match self {
            Leaf::Int(n) => n,
            #[expect(clippy::cast_possible_truncation, reason = "no reals among integers")]
            Leaf::Real(x) => x as i64,
        }
    }
}

impl Leaves<'_> {
    fn walk(&mut self, value: &Value, depth: usize) -> Result<(), DataError> {
        match (value, self.sizes.get(depth)) {
            (Value::Array(values), Some(size)) if values.len() == *size => {
                for (at, value) in values.iter().enumerate() {
                    self.place.push(at);
                    self.walk(value, depth + 1)?;
                    self.place.pop();
                }
                Ok(())
            }
            (Value::Array(values), Some(size)) => {
                let n = values.len();
                Err(self.misfit(&format!("this has {n} entries, its neighbour has {size}")))
            }
            (Value::Array(_), None) => Err(self.misfit("an array stands among numbers")),
            (Value::Number(_) | Value::Bool(_), Some(_)) => Err(self.misfit("a number stands among arrays")),
            (Value::Number(number), None) => self.number(number),
            (Value::Bool(truth), None) => self.push(Elem::Bool, Leaf::Int(i64::from(*truth))),
            (Value::Null, _) => Err(self.misfit("null: the value is missing")),
            (Value::String(_), _) => Err(self.misfit("a text stands among numbers")),
            (Value::Object(_), _) => Err(self.misfit("a record stands among numbers")),
        }
    }

    fn number(&mut self, number: &Number) -> Result<(), DataError> {
        match (number.as_i64(), number.as_f64()) {
            (Some(n), _) => self.push(Elem::Int, Leaf::Int(n)),
            (None, Some(x)) if x.is_finite() => self.push(Elem::Real, Leaf::Real(x)),
            (None, _) => Err(self.misfit("the number is beyond the largest real")),
        }
    }

    fn push(&mut self, elem: Elem, leaf: Leaf) -> Result<(), DataError> {
        let both = match (self.elem, elem) {
            (None, elem) => elem,
            (Some(Elem::Bool), Elem::Bool) => Elem::Bool,
            (Some(Elem::Bool), _) | (_, Elem::Bool) => {
                return Err(self.misfit("truth values and numbers are mixed"));
            }
            (Some(Elem::Int), Elem::Int) => Elem::Int,
            (Some(Elem::Int | Elem::Real), Elem::Int | Elem::Real) => Elem::Real,
        };
        self.elem = Some(both);
        self.data.push(leaf);
        Ok(())
    }

    fn misfit(&self, why: &str) -> DataError {
        let path = self.place.iter().fold(self.path.to_string(), |path, at| index(&path, *at));
        errors::json_misfit(self.source.name, &path, why)
    }

    fn finish(self, sizes: &[usize]) -> Tensor {
        let data = match self.elem {
            Some(Elem::Int) => Data::Int(Arc::new(self.data.iter().map(|x| x.int()).collect())),
            Some(Elem::Bool) => {
                let truths = self.data.iter().map(|x| x.int() != 0);
                Data::Bool(Arc::new(truths.collect()))
            }
            Some(Elem::Real) | None => Data::Real(Arc::new(self.data.iter().map(|x| x.real()).collect())),
        };
        Tensor { sizes: sizes.to_vec(), data }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn parse_text(text: &str) -> Result<Loaded, DataError> {
        let source =
            Source { path: Path::new("t.json"), name: "t.json", limit: 1 << 20, drop_missing: false };
        parse(source, text.as_bytes())
    }

    #[track_caller]
    fn fails(text: &str, code: &str, message: &str) {
        let found = parse_text(text).unwrap_err();
        assert_eq!(found.code, code, "{found:?}");
        assert!(found.message.contains(message), "{found:?}");
    }

    #[test]
    fn nested_arrays_are_arrays() {
        let tensor = |text| match parse_text(text) {
            Ok(Loaded::Tensor(tensor)) => tensor,
            other => panic!("{other:?}"),
        };
        let t = Tensor::real(&[2, 2], vec![1.0, 2.0, 3.0, 0.1]);
        assert_eq!(tensor("[[1, 2], [3, 0.1]]"), t);
        assert_eq!(tensor("[1, -2]"), Tensor::int(&[2], vec![1, -2]));
        assert_eq!(tensor("[true]"), Tensor::bool(&[1], vec![true]));
        assert_eq!(tensor("3"), Tensor::int_scalar(3));
        assert_eq!(tensor("[[], []]").sizes, [2, 0]);
        // The nearest double, to the last bit.
        let digits = "[0.1234567890123456789, 8.41e-21]";
        assert_eq!(tensor(digits).reals(), [0.123_456_789_012_345_68, 8.41e-21]);
    }

    #[test]
    fn objects_are_tables_or_records() {
        let columns = parse_text(r#"{"x": [1, 2], "s": ["a", "b"], "p": [[1, 2], [3, 4]]}"#);
        let Ok(Loaded::Table(columns)) = columns else { panic!("{columns:?}") };
        assert_eq!(columns.rows, 2);
        assert_eq!(columns.names().collect::<Vec<_>>(), ["x", "s", "p"]);
        let rows = parse_text(r#"[{"x": 1, "s": "a"}, {"s": "b", "x": 2}]"#);
        let Ok(Loaded::Table(rows)) = rows else { panic!("{rows:?}") };
        assert_eq!(rows.columns[..2], columns.columns[..2]);
        let record = parse_text(r#"{"lr": 0.1, "sizes": [2, 3], "net": {"name": "mlp"}}"#);
        let Ok(Loaded::Record(parts)) = record else { panic!("{record:?}") };
        let net = vec![("name".to_string(), Loaded::Label("mlp".into()))];
        assert_eq!(parts[2], ("net".to_string(), Loaded::Record(net)));
    }

    #[test]
    fn misfits_are_named_with_their_path() {
        fails("", "E0604", "empty");
        fails("{\"a\": ", "E0619", "line 1");
        fails("[1e400]", "E0619", "range");
        fails("[[1, 2], [3]]", "E0620", "at [1]: this has 1 entries");
        fails("{\"a\": {\"b\": [[1], [[2]]]}}", "E0620", "at a.b[1][0]");
        fails("[[1], 2]", "E0620", "at [1]: a number");
        fails("[1, null]", "E0620", "at [1]: null");
        fails("[1, \"x\"]", "E0620", "at [1]: a text");
        fails("[1, true]", "E0620", "mixed");
        fails("[1, {}]", "E0620", "record");
        fails("[{\"a\": 1}, {\"b\": 1}]", "E0620", "at [1]");
        fails(&"[".repeat(100_000), "E0603", "limit");
        fails(&"[".repeat(10_000), "E0619", "recursion");
    }
}
