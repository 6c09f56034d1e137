//! Tables as values: what files hold, and what is done with columns.

use std::rc::Rc;
use std::sync::Arc;

use super::value::{Argument, Record, Res, Val};
use super::{Lower, errors};
use crate::data::{self, Column, Loaded, Pick, Table, Values};
use crate::diag::Span;
use crate::ir::{Dim, Elem, Tensor};

/// What a file holds as a value.
pub(crate) fn from_loaded(loaded: Loaded) -> Val {
    match loaded {
        Loaded::Tensor(tensor) => super::stage::known(&tensor),
        Loaded::Labels(labels) => Val::Strs(labels),
        Loaded::Label(label) => Val::text(&label),
        Loaded::Table(table) => from_table(&table),
        Loaded::Record(fields) => Val::record(
            fields.into_iter().map(|(name, value)| (Arc::from(name), from_loaded(value))).collect(),
        ),
    }
}

fn from_table(table: &Table) -> Val {
    let fields = table
        .columns
        .iter()
        .map(|column| (Arc::from(column.name.as_str()), from_values(&column.values)))
        .collect();
    Val::Record(Rc::new(Record { fields, rows: Some(Dim::from(table.rows)) }))
}

fn from_values(values: &Values) -> Val {
    match values {
        Values::Tensor(tensor) => Val::Known(tensor.clone()),
        Values::Labels(labels) => Val::Strs(labels.clone()),
    }
}

/// A table value as the data room's table; `None` if its columns are not known.
pub(crate) fn to_table(record: &Record) -> Option<Table> {
    let rows = usize::try_from(record.rows.as_ref()?.known()?).ok()?;
    let columns = record
        .fields
        .iter()
        .map(|(name, val)| Some(Column { name: name.to_string(), values: to_values(val)? }))
        .collect::<Option<Vec<Column>>>()?;
    Some(Table { source: "the table".into(), columns, rows })
}

fn to_values(val: &Val) -> Option<Values> {
    match val {
        Val::Known(tensor) => Some(Values::Tensor(tensor.clone())),
        Val::Strs(labels) => Some(Values::Labels(labels.clone())),
        _ => None,
    }
}

/// What can be written to a file.
pub fn to_loaded(val: &Val) -> Option<Loaded> {
    match val {
        Val::Known(tensor) => Some(Loaded::Tensor(tensor.clone())),
        Val::Int(dim) => Some(Loaded::Tensor(Tensor::int_scalar(dim.known()?))),
        Val::Strs(labels) => Some(Loaded::Labels(labels.clone())),
        Val::Str(label) => Some(Loaded::Label(label.to_string())),
        Val::Record(record) if record.rows.is_some() => to_table(record).map(Loaded::Table),
        Val::Record(record) => record
            .fields
            .iter()
            .map(|(name, val)| Some((name.to_string(), to_loaded(val)?)))
            .collect::<Option<Vec<_>>>()
            .map(Loaded::Record),
        Val::Tuple(_)
        | Val::Staged(_)
        | Val::Range(..)
        | Val::List(_)
        | Val::Function(_)
        | Val::Optimizer(_)
        | Val::Objective(_)
        | Val::Fit(_)
        | Val::Members(_)
        | Val::Poison => None,
    }
}

impl Lower<'_> {
    fn table_argument(&mut self, arg: &Argument, name: &str) -> Res<Table> {
        if let Val::Record(record) = &arg.value {
            if let Some(table) = to_table(record) {
                return Ok(table);
            }
            if record.rows.is_some() {
                return self.fail(errors::known_table(arg.span, name));
            }
        }
        self.fail(errors::expected_table(arg.span, name, &arg.value.describe()))
    }

    fn data_error<T>(&mut self, error: &data::DataError, span: Span) -> Res<T> {
        self.fail(error.report(span))
    }

    /// `matrix(data)`, `matrix(data, except = "target")`, `matrix(data, only = ("a", "b"))`.
    pub(crate) fn table_matrix(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let (table, pick, names) = self.picked("matrix", args, span)?;
        let pick = match pick {
            Some(true) => Pick::Except(&names),
            Some(false) => Pick::Only(&names),
            None => Pick::All,
        };
        match data::matrix(&table, pick) {
            Ok((tensor, _)) => Ok(Val::Known(tensor)),
            Err(error) => self.data_error(&error, span),
        }
    }

    /// `names(data)`, `names(data, except = "target")`; of a record the names of its fields.
    pub(crate) fn table_names(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        if let [Argument { name: None, value: Val::Record(record), .. }] = args.as_slice() {
            let names = record.fields.iter().map(|(name, _)| name.to_string());
            return Ok(Val::Strs(Arc::new(names.collect())));
        }
        let (table, pick, names) = self.picked("names", args, span)?;
        let all = table.names().map(String::from).filter(|n| match pick {
            Some(true) => !names.contains(n),
            Some(false) => names.contains(n),
            None => true,
        });
        Ok(Val::Strs(Arc::new(all.collect())))
    }

    /// A table with the columns named by `except` (`Some(true)`) or `only` (`Some(false)`).
    fn picked(
        &mut self,
        name: &str,
        args: Vec<Argument>,
        span: Span,
    ) -> Res<(Table, Option<bool>, Vec<String>)> {
        let mut table = None;
        let mut pick = None;
        let mut names = Vec::new();
        for arg in args {
            match &arg.name {
                None if table.is_none() => table = Some(self.table_argument(&arg, name)?),
                Some(key) if matches!(&*key.name, "except" | "only") && pick.is_none() => {
                    pick = Some(&*key.name == "except");
                    names = self.column_names(&arg)?;
                }
                Some(key) => {
                    return self.fail(errors::unknown_argument(
                        key.span,
                        name,
                        &key.name,
                        &["except", "only"],
                    ));
                }
                None => return self.fail(errors::argument_count(span, name, 1, 2)),
            }
        }
        let Some(table) = table else { return self.fail(errors::argument_count(span, name, 1, 0)) };
        for column in &names {
            if let Err(error) = table.column(column) {
                return self.data_error(&error, span);
            }
        }
        Ok((table, pick, names))
    }

    fn column_names(&mut self, arg: &Argument) -> Res<Vec<String>> {
        let text = |val: &Val| if let Val::Str(text) = val { Some(text.to_string()) } else { None };
        let names = match &arg.value {
            Val::Str(name) => Some(vec![name.to_string()]),
            Val::Strs(names) => Some(names.to_vec()),
            Val::Tuple(items) | Val::List(items) => items.iter().map(text).collect(),
            _ => None,
        };
        match names {
            Some(names) => Ok(names),
            None => self.fail(errors::wrong_elem(arg.span, "column names in quotes", &arg.value.describe())),
        }
    }

    /// `standardize(X)`, `standardize(Z, like = X)`
    pub(crate) fn table_standardize(&mut self, mut args: Vec<Argument>, span: Span) -> Res<Val> {
        let named = |arg: &Argument| arg.name.as_ref().is_some_and(|key| &*key.name == "like");
        let like = args.iter().position(named).map(|at| args.remove(at));
        if let Some(key) = args.iter().find_map(|arg| arg.name.clone()) {
            return self.fail(errors::unknown_argument(key.span, "standardize", &key.name, &["like"]));
        }
        let [x] = self.fixed("standardize", args, span)?;
        let like = like.map(|like| self.known_array(&like, span)).transpose()?;
        let known = self.known_array(&x, span)?;
        match data::standardize(&known, like.as_ref(), None) {
            Ok(tensor) => Ok(Val::Known(tensor)),
            Err(error) => self.data_error(&error, span),
        }
    }

    /// An argument that is an array, computed now.
    fn known_array(&mut self, arg: &Argument, span: Span) -> Res<Tensor> {
        match &arg.value {
            Val::Known(tensor) => Ok(tensor.clone()),
            Val::Staged(_) => self.force(&arg.value, span),
            other => self.fail(errors::expected_array(arg.span, &other.describe())),
        }
    }

    /// The value of an array of the unit under construction, computed now.
    pub(crate) fn force(&mut self, val: &Val, span: Span) -> Res<Tensor> {
        match val {
            Val::Known(tensor) => Ok(tensor.clone()),
            Val::Int(Dim::Known(n)) => Ok(Tensor::int_scalar(*n)),
            Val::Staged(staged) => self.force_staged(staged, span),
            _ => self.fail(errors::expected_array(span, &val.describe())),
        }
    }

    /// `one_hot(labels)`, `one_hot(labels, classes)`
    pub(crate) fn table_one_hot(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let mut args = args.into_iter();
        let Some(first) = args.next() else {
            return self.fail(errors::argument_count(span, "one_hot", 1, 0));
        };
        let classes = match args.next() {
            Some(arg) => usize::try_from(self.static_int(&arg.value, arg.span)?).ok(),
            None => None,
        };
        let values = match to_values(&first.value) {
            Some(values) => values,
            None => Values::Tensor(self.force(&first.value, first.span)?),
        };
        match data::one_hot(&values, classes, self.host.options().memory_limit) {
            Ok(tensor) => Ok(Val::Known(tensor)),
            Err(error) => self.data_error(&error, span),
        }
    }

    /// `split(data, 0.8)`: two tables, by the program's seed or `seed = k`.
    pub(crate) fn table_split(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let mut seed = self.seed;
        let mut plain = Vec::new();
        for arg in args {
            match &arg.name {
                Some(name) if &*name.name == "seed" => seed = self.static_int(&arg.value, arg.span)?,
                _ => plain.push(arg),
            }
        }
        let [table, fraction] = self.fixed("split", plain, span)?;
        let table = self.table_argument(&table, "split")?;
        let share = match &fraction.value {
            Val::Known(t) if t.sizes.is_empty() && t.elem() == Elem::Real => t.reals()[0],
            Val::Int(Dim::Known(whole)) => *whole as f64,
            other => return self.fail(errors::wrong_elem(fraction.span, "a known real", &other.describe())),
        };
        match data::split(&table, share, seed) {
            Ok((a, b)) => Ok(Val::tuple(vec![from_table(&a), from_table(&b)])),
            Err(error) => self.data_error(&error, span),
        }
    }

    /// `group(column)`: `(codes, labels)`
    pub(crate) fn table_group(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let [column] = self.fixed("group", args, span)?;
        let Some(values) = to_values(&column.value) else {
            return self.fail(errors::expected_table(column.span, "group", &column.value.describe()));
        };
        let group = data::group(&values);
        Ok(Val::record(vec![
            (Arc::from("codes"), Val::Known(group.codes)),
            (Arc::from("labels"), from_values(&group.labels)),
        ]))
    }

    /// `table(a = x, b = y)`: columns of equal length as a table.
    pub(crate) fn table_of(&mut self, args: Vec<Argument>, span: Span) -> Res<Val> {
        let mut fields: Vec<(Arc<str>, Val)> = Vec::new();
        let mut rows: Option<Dim> = None;
        let mut from = args;
        if let [Argument { name: None, value: Val::Record(record), span: at }] = from.as_slice() {
            let at = *at;
            from = record
                .fields
                .iter()
                .map(|(name, value)| Argument {
                    name: Some(crate::syntax::ast::Ident { name: name.clone(), span: at }),
                    value: value.clone(),
                    span: at,
                })
                .collect();
        }
        for mut arg in from {
            if let Some(column) = texts(&arg.value) {
                arg.value = column;
            }
            let Some(name) = &arg.name else { return self.fail(errors::table_names(arg.span)) };
            let len = match &arg.value {
                Val::Strs(texts) => Some(Dim::from(texts.len())),
                other => other.ty().and_then(|ty| ty.dims.first().cloned()),
            };
            let Some(len) = len else {
                return self.fail(errors::not_a_collection(arg.span, &arg.value.describe()));
            };
            if let Some(rows) = &rows
                && !super::arith::same_dims(std::slice::from_ref(rows), std::slice::from_ref(&len))
            {
                let (a, b) = (format!("{rows} rows"), format!("{len} rows"));
                let lengths = (&*rows.to_string(), &*len.to_string());
                return self.fail(errors::parallel_lengths(arg.span, &a, &b, lengths));
            }
            rows.get_or_insert(len);
            fields.push((name.name.clone(), arg.value));
        }
        if rows.is_none() {
            return self.fail(errors::argument_count(span, "table", 1, 0));
        }
        Ok(Val::Record(Rc::new(Record { fields, rows })))
    }
}

/// A column of the texts in a list, if there is nothing else in it.
fn texts(val: &Val) -> Option<Val> {
    let Val::List(items) = val else { return None };
    let text = |item: &Val| if let Val::Str(text) = item { Some(text.to_string()) } else { None };
    let texts: Option<Vec<String>> = items.iter().map(text).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| Val::Strs(Arc::new(texts)))
}
