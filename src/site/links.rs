//! Which name of a program means which declaration: scopes are the editor's, addresses are the site's.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::unit::{Unit, range};
use crate::diag::FileId;
use crate::editor;
use crate::syntax::ast::{File, StmtKind};
use crate::syntax::{Class, parse_file};

/// Where names are told: addresses by names.
pub type Names = BTreeMap<String, String>;

/// A piece of a program's text.
pub type Piece = (Range<usize>, Class);

/// What a program declares at its top level, with the addresses.
pub fn own(unit: &Unit) -> Names {
    // The first of several of one name is the one that the others are in conflict with.
    unit.declared.iter().rev().map(|declared| (declared.name.clone(), unit.href(declared))).collect()
}

/// The address of every piece that names a declaration. `imported` are the programs that its imports bring, by the
/// paths written there.
pub fn links(
    unit: &Unit,
    pieces: &[Piece],
    imported: &[(&str, &Unit)],
    library: &Names,
) -> Vec<Option<String>> {
    let known = |name: &str| library.contains_key(name);
    let brought = |path: &str| -> Option<Arc<File>> {
        let at = imported.iter().position(|(known, _)| *known == path)?;
        // The program itself is file 0.
        let id = FileId(u32::try_from(at + 1).ok()?);
        Some(Arc::new(parse_file(id, &imported[at].1.text).0))
    };
    let names = editor::Names::of(&unit.file, unit.text.len(), &known, &brought);
    let home = |def: &editor::Def| {
        let file = def.at.file.0 as usize;
        let home = if file == 0 { Some(unit) } else { imported.get(file - 1).map(|(_, unit)| *unit) };
        let own = |unit: &Unit| {
            let same = |name: &str, span: &Range<usize>| *name == *def.name && *span == range(def.item);
            let declared = unit.declared.iter().find(|declared| same(&declared.name, &declared.span))?;
            Some(unit.href(declared))
        };
        // What has no page is told nowhere.
        home.filter(|unit| !unit.page.is_empty()).and_then(own)
    };
    let mut targets: BTreeMap<usize, String> = BTreeMap::new();
    for def in names.defs.iter().filter(|def| def.at.file == names.main()) {
        targets.extend(home(def).map(|href| (range(def.at).start, href)));
    }
    for one in &names.uses {
        let href = match one.target {
            editor::Target::Def(at) => names.defs.get(at).and_then(home),
            editor::Target::Library => library.get(&*one.name).cloned(),
            _ => None,
        };
        targets.extend(href.map(|href| (range(one.at).start, href)));
    }
    targets.extend(in_rules(unit, pieces, library));
    pieces
        .iter()
        .map(|(place, class)| targets.get(&place.start).filter(|_| *class == Class::Name).cloned())
        .collect()
}

/// The functions called in rewrite rules. All other names there stand for anything.
fn in_rules<'a>(
    unit: &'a Unit,
    pieces: &'a [Piece],
    library: &'a Names,
) -> impl Iterator<Item = (usize, String)> + 'a {
    let rules = unit.file.items.iter().filter(|item| matches!(item.kind, StmtKind::Rule(_)));
    let word =
        |at: usize| pieces.get(at).and_then(|(place, _)| unit.text.get(place.clone())).unwrap_or_default();
    rules.flat_map(move |item| {
        let place = range(item.span);
        let first = pieces.partition_point(|(piece, _)| piece.start < place.start);
        let last = pieces.partition_point(|(piece, _)| piece.start < place.end);
        let called = move |at: usize| {
            let href = library.get(word(at)).filter(|_| word(at + 1) == "(")?;
            Some((pieces.get(at)?.0.start, href.clone()))
        };
        (first..last).filter_map(called)
    })
}

#[cfg(test)]
mod tests {
    use super::{Names, links};
    use crate::site::unit::Unit;
    use crate::syntax::classes;

    /// The words of a text that are links, in their order.
    fn linked(text: &str) -> Vec<String> {
        let names = ["sqrt", "norm", "mean", "adam", "sum", "t", "momentum", "dx", "real"];
        let library: Names = names.iter().map(|name| (name.to_string(), format!("{name}.html"))).collect();
        let unit = Unit::read("", "", text);
        let pieces = classes(text);
        let found = links(&unit, &pieces, &[], &library);
        let named = pieces.iter().zip(found).filter(|(_, link)| link.is_some());
        named.map(|((place, _), _)| text[place.clone()].to_string()).collect()
    }

    #[test]
    fn names_are_links_where_they_mean_a_declaration() {
        let none: [&str; 0] = [];
        assert_eq!(linked("print sqrt(2.0), norm([1.0])\n"), ["sqrt", "norm"]);
        assert_eq!(linked("fn f(mean: real[n]) = mean + sqrt(2)\n"), ["sqrt"]);
        assert_eq!(linked("fn f(mean) = sum(mean)\n"), ["sum"]);
        assert_eq!(linked("print (norm -> sqrt(norm))(2.0), ((mean, t) -> mean)(1.0, 2.0)\n"), ["sqrt"]);
        assert_eq!(
            linked("let fit = 1\nprint sum(t for t in [1.0]), fit.mean, mean = mean([1.0])\n"),
            ["sum", "mean"]
        );
        assert_eq!(linked("let mean: real = real(1)\n"), ["real"]);
        assert_eq!(linked("fn f(x: real) = { let norm = sqrt(x)\n  norm }\n"), ["sqrt"]);
        assert_eq!(linked("let mean = mean([1.0])\nlet a = mean\n"), ["mean"]);
        assert_eq!(
            linked(
                "optimizer o(momentum: real = sqrt(2)) {\n  state m = norm(x)\n  step { x -= t*m*momentum }\n}\n"
            ),
            ["sqrt", "norm"]
        );
        assert_eq!(linked("minimize sum(t^2) over t = [1.0] using adam(lr = 0.1)\n"), ["sum", "adam"]);
        assert_eq!(linked("rule a: sqrt(mean)^2 => mean\n"), ["sqrt"]);
        assert_eq!(linked("fn f(x: real) -> real = x^2\n  derivative dx -> 2*x*dx\n"), none);
    }

    #[test]
    fn names_of_the_program_and_of_its_imports_are_links() {
        let shared = Unit::read("files/shared.html", "shared.opt", "fn twice(x: real) = 2*x\n");
        let text = "import \"shared.opt\"\nfn f(x: real) = twice(x)\nlet y = f(1.0)\n";
        let unit = Unit::read("files/a.html", "a.opt", text);
        let pieces = classes(text);
        let found = links(&unit, &pieces, &[("shared.opt", &shared)], &Names::new());
        let found: Vec<&str> = found.iter().flatten().map(String::as_str).collect();
        let [f, y] = ["files/a.html#f", "files/a.html#line-3"];
        assert_eq!(found, [f, "files/shared.html#twice", y, f]);
    }
}
