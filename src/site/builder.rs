//! Puts the site together: reads everything first, so that names, pages and uses are known when the first page
//! is written.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Painted;
use super::html::{INDEX, SCRIPT, STYLE, escape, link, page, root};
use super::links::{Names, own};
use super::markdown::Markdown;
use super::search::{self, Entry};
use super::unit::Unit;
use super::{documents, embedded, index, library, optimizers, programs};
use crate::driver::Library;
use crate::syntax::ast::StmtKind;

/// A program of the user.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its path, as the user gave it.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The paths and contents of a site about the library, the documents and some programs.
pub fn site(own_programs: &[Program]) -> Vec<(String, String)> {
    let units = Units::read(own_programs);
    let mut site = Site::new(&units);
    index::write(&mut site);
    programs::write(&mut site);
    optimizers::write(&mut site);
    library::write(&mut site);
    documents::write(&mut site);
    site.finish()
}

/// Where a program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The user gave it.
    Own,
    /// `stdlib/optim`
    Optimizers,
    /// The other files of `stdlib` that programs can name.
    Library,
    /// `stdlib/rules`, `stdlib/problems`, `stdlib/reading.opt`
    Hidden,
    /// `examples/papers`
    Papers,
    /// The other programs of `examples`.
    Examples,
}

impl Origin {
    /// What a list of programs that use something calls these.
    pub fn title(self) -> &'static str {
        match self {
            Origin::Own => "your programs",
            Origin::Optimizers => "optimizers",
            Origin::Library => "library",
            Origin::Hidden => "rules and problems",
            Origin::Papers => "papers",
            Origin::Examples => "examples",
        }
    }

    fn of(path: &str) -> Origin {
        let hidden = ["stdlib/rules/", "stdlib/problems/", "stdlib/reading.opt"];
        match path {
            path if hidden.iter().any(|start| path.starts_with(start)) => Origin::Hidden,
            path if path.starts_with("stdlib/optim/") => Origin::Optimizers,
            path if path.starts_with("stdlib/") => Origin::Library,
            path if path.starts_with("examples/papers/") => Origin::Papers,
            _ => Origin::Examples,
        }
    }
}

/// All programs that have a page.
pub struct Units {
    all: Vec<(Origin, Unit)>,
}

impl Units {
    fn read(own_programs: &[Program]) -> Units {
        let mut all = Vec::new();
        let mut taken = BTreeSet::new();
        for program in own_programs {
            let stem = program.path.trim_end_matches(".opt").rsplit(['/', '\\']).next().unwrap_or_default();
            let safe = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-') { c } else { '-' };
            let stem: String = stem.chars().map(safe).collect();
            let pages = (1..).map(|n| {
                if n == 1 { format!("files/{stem}.html") } else { format!("files/{stem}-{n}.html") }
            });
            let free = pages.into_iter().find(|page| taken.insert(page.to_lowercase())).unwrap_or_default();
            all.push((Origin::Own, Unit::read(free, &program.path, &program.text)));
        }
        for (path, text) in Library::files().iter().chain(embedded::examples()) {
            let page = path.replacen("stdlib/optim/", "optimizers/", 1).replacen("stdlib/", "library/", 1);
            let page = page.trim_end_matches(".opt").to_string() + ".html";
            all.push((Origin::of(path), Unit::read(page, path, text)));
        }
        Units { all }
    }

    /// The programs that a program imports, by the paths written there.
    fn imported<'u>(&'u self, unit: &'u Unit) -> Vec<(&'u str, &'u Unit)> {
        let folder = unit.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let imports = unit.file.items.iter().filter_map(|item| match &item.kind {
            StmtKind::Import { path, .. } => Some(&**path),
            _ => None,
        });
        let find =
            |path| self.all.iter().map(|(_, unit)| unit).find(|unit| unit.path == format!("{folder}{path}"));
        imports.filter_map(|path| Some((path, find(path)?))).collect()
    }
}

/// Something that names something else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is called.
    pub name: String,
    /// Where it is told.
    pub href: String,
}

/// The site being written.
pub struct Site<'u> {
    /// What the names of the library mean.
    pub names: Names,
    /// The pages by the paths of what they show.
    pub pages: BTreeMap<String, String>,
    units: Vec<(Origin, &'u Unit, Painted<'u>)>,
    /// What names an address.
    uses: BTreeMap<String, BTreeSet<Use>>,
    entries: Vec<Entry>,
    files: Vec<(String, String)>,
}

impl<'u> Site<'u> {
    fn new(units: &'u Units) -> Site<'u> {
        let mut names: Names = library::builtins();
        let mut pages = documents::pages();
        for (origin, unit) in &units.all {
            if matches!(origin, Origin::Optimizers | Origin::Library) {
                names.extend(own(unit));
            }
            if *origin == Origin::Optimizers
                && let Some(main) =
                    unit.declared.iter().find(|declared| unit.page == optimizers::page_of(&declared.name))
            {
                names.insert(main.name.clone(), unit.page.clone());
            }
            if *origin != Origin::Own {
                pages.insert(unit.path.clone(), unit.page.clone());
            }
        }
        let painted = |(origin, unit): &'u (Origin, Unit)| {
            (*origin, unit, Painted::new(unit, &units.imported(unit), &names))
        };
        let units: Vec<_> = units.all.iter().map(painted).collect();
        let mut site =
            Site { names, pages, units, uses: BTreeMap::new(), entries: Vec::new(), files: Vec::new() };
        site.collect_uses();
        site
    }

    /// Notes for every address which programs name it.
    fn collect_uses(&mut self) {
        for (origin, unit, painted) in &self.units {
            for item in &unit.file.items {
                let place = super::unit::range(item.span);
                let declared = unit.declared.iter().find(|declared| declared.span == place);
                let inside = matches!(origin, Origin::Optimizers | Origin::Library);
                let (name, href) = match declared.filter(|_| inside) {
                    Some(declared) => {
                        (declared.name.clone(), self.names.get(&declared.name).cloned().unwrap_or_default())
                    }
                    None => (programs::label(unit), unit.page.clone()),
                };
                for target in painted.mentioned(place) {
                    let same = target.split('#').next() == Some(&unit.page);
                    if !same && !href.is_empty() {
                        let used = Use { origin: *origin, name: name.clone(), href: href.clone() };
                        self.uses.entry(target.to_string()).or_default().insert(used);
                    }
                }
            }
        }
    }

    /// The programs of an origin, with their numbers.
    pub fn units(&self, wanted: Origin) -> Vec<(usize, &'u Unit)> {
        let all = self.units.iter().enumerate().filter(|(_, (origin, ..))| *origin == wanted);
        all.map(|(at, (_, unit, _))| (at, *unit)).collect()
    }

    /// The colored text of a program.
    pub fn painted(&self, at: usize) -> &Painted<'u> {
        let (_, _, painted) = &self.units[at];
        painted
    }

    /// What Markdown of a page is written with.
    pub fn markdown<'s>(&'s self, root: &'s str, folder: &'s str) -> Markdown<'s> {
        Markdown { root, folder, names: &self.names, pages: &self.pages }
    }

    /// Rows about what names an address; nothing if nothing does.
    pub fn used_by(&self, href: &str, from: &str, most: usize) -> String {
        let Some(uses) = self.uses.get(href) else { return String::new() };
        let mut groups: BTreeMap<Origin, Vec<&Use>> = BTreeMap::new();
        for used in uses.iter().filter(|used| used.origin != Origin::Hidden) {
            groups.entry(used.origin).or_default().push(used);
        }
        let root = root(from);
        let mut text = String::new();
        for (origin, uses) in groups {
            let shown = uses.iter().take(most).map(|used| link(&root, &used.href, &escape(&used.name)));
            let mut shown: Vec<String> = shown.collect();
            if uses.len() > most {
                shown.push(format!("and {} more", uses.len() - most));
            }
            let title = if origin == Origin::Own {
                "Used by your programs".into()
            } else {
                format!("Used by {}", origin.title())
            };
            text += &format!("<dt>{title}</dt><dd>{}</dd>\n", shown.join(", "));
        }
        text
    }

    /// Adds a page.
    pub fn add(&mut self, path: &str, title: &str, body: &str) {
        self.files.push((path.to_string(), page(path, title, body)));
    }

    /// Makes something findable.
    pub fn find(&mut self, name: &str, kind: &'static str, href: &str, text: &str) {
        self.entries.push(Entry { name: name.into(), kind, href: href.into(), text: text.into() });
    }

    fn finish(mut self) -> Vec<(String, String)> {
        self.files.push((INDEX.into(), search::script(&self.entries)));
        for (path, text) in [STYLE, SCRIPT].into_iter().chain(embedded::PICTURES) {
            self.files.push((path.into(), text.into()));
        }
        self.files
    }
}
