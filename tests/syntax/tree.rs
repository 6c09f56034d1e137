//! The tree as text that leaves no doubt about its shape: every operator has its brackets.

use minima::syntax::ast::*;
use minima::syntax::print_type;

pub fn file(file: &File) -> String {
    stmts(&file.items)
}

fn stmts(items: &[Stmt]) -> String {
    join(items, "; ", stmt)
}

fn join<T>(items: &[T], between: &str, show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(between)
}

fn maybe<T>(before: &str, item: &Option<T>, show: impl Fn(&T) -> String) -> String {
    item.as_ref().map_or(String::new(), |item| format!("{before}{}", show(item)))
}

fn list<T>(before: &str, items: &[T], show: impl Fn(&T) -> String) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!("{before}{}", join(items, ", ", show))
}

fn id(name: &Ident) -> String {
    name.name.to_string()
}

pub fn expr(e: &Expr) -> String {
    match &*e.kind {
        ExprKind::Int(value) => value.to_string(),
        ExprKind::Real(value) => format!("{value:?}"),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Str(text) => format!("{text:?}"),
        ExprKind::Name(name) => name.to_string(),
        ExprKind::Chain { first, rest } => {
            let terms = rest.iter().map(|(op, _, term)| format!(" {} {}", op.text(), expr(term)));
            format!("<{}{}>", expr(first), terms.collect::<String>())
        }
        ExprKind::Compare { first, rest } => {
            let terms = rest.iter().map(|(op, _, term)| format!(" {} {}", op.text(), expr(term)));
            format!("<{}{}>", expr(first), terms.collect::<String>())
        }
        ExprKind::Power(base, exponent) => format!("<{} ^ {}>", expr(base), expr(exponent)),
        ExprKind::Neg(value) => format!("<-{}>", expr(value)),
        ExprKind::Not(value) => format!("<not {}>", expr(value)),
        ExprKind::Range(lo, hi) => {
            format!("<{}..{}>", maybe("", lo, expr), maybe("", hi, expr))
        }
        ExprKind::Lambda { params, body } => {
            format!("<({}) -> {}>", join(params, ", ", pattern), expr(body))
        }
        ExprKind::If { arms, otherwise } => {
            let arms = join(arms, "", |(c, v)| format!("if {} then {} else ", expr(c), expr(v)));
            format!("<{arms}{}>", expr(otherwise))
        }
        ExprKind::IfBlock(block) => if_block(block),
        ExprKind::Call { function, args } => {
            format!("{}({})", expr(function), join(args, ", ", arg))
        }
        ExprKind::Index { base, args } => format!("{}[{}]", expr(base), join(args, ", ", expr)),
        ExprKind::Field { base, field } => format!("{}.{}", expr(base), field.name),
        ExprKind::Transpose(value) => format!("<{}'>", expr(value)),
        ExprKind::Array(items) => format!("[{}]", join(items, ", ", expr)),
        ExprKind::Comprehension(g) => format!("[{}]", generator(g)),
        ExprKind::Tuple(items) => format!("tuple({})", join(items, ", ", expr)),
        ExprKind::Record(fields) => format!(
            "record({})",
            join(fields, ", ", |(name, value)| format!("{} = {}", name.name, expr(value)))
        ),
        ExprKind::Block(b) => block(b),
        ExprKind::Paren(value) => format!("({})", expr(value)),
        ExprKind::With { value, options } => {
            format!("({}{})", expr(value), list(" with ", options, arg))
        }
        ExprKind::Solve(s) | ExprKind::Bound(s) => solve(s),
        ExprKind::Error => "ERROR".into(),
    }
}

fn pattern(p: &Pattern) -> String {
    match p {
        Pattern::Name(name) => id(name),
        Pattern::Tuple(items, _) => format!("({})", join(items, ", ", pattern)),
    }
}

fn arg(a: &Arg) -> String {
    let name = a.name.as_ref().map_or(String::new(), |name| format!("{} = ", name.name));
    match &a.value {
        ArgValue::Expr(value) => format!("{name}{}", expr(value)),
        ArgValue::Generator(g, _) => format!("{name}{}", generator(g)),
    }
}

fn binding(b: &Binding) -> String {
    format!("{} {} {}", pattern(&b.pattern), if b.draw { "~" } else { "in" }, expr(&b.source))
}

fn generator(g: &Generator) -> String {
    format!(
        "{}{}{}{}",
        expr(&g.body),
        list(" for ", &g.bindings, binding),
        maybe(" if ", &g.filter, expr),
        maybe(" by ", &g.by, expr)
    )
}

fn constraint(c: &Constraint) -> String {
    format!(
        "{}{}{}",
        c.name.as_ref().map_or(String::new(), |name| format!("{}: ", name.name)),
        expr(&c.value),
        maybe(" for ", &c.family, binding)
    )
}

fn solve(s: &SolveExpr) -> String {
    format!(
        "<{:?} {}{}{}{}{}{}{}>",
        s.kind,
        join(&s.values, ", ", expr),
        list(" over ", &s.over, param),
        list(" subject to ", &s.constraints, constraint),
        maybe(" from ", &s.from, expr),
        maybe(" using ", &s.using, expr),
        maybe(" until ", &s.until, expr),
        list(" with ", &s.options, arg)
    )
}

fn param(p: &ParamDecl) -> String {
    let start = match &p.start {
        Some(ParamStart::Value(value)) => format!(" = {}", expr(value)),
        Some(ParamStart::Draw(value)) => format!(" ~ {}", expr(value)),
        None => String::new(),
    };
    format!("{}{}{}{start}", p.name.name, maybe(": ", &p.ty, print_type), maybe(" in ", &p.set, expr))
}

fn spec(p: &ParamSpec) -> String {
    format!(
        "{}{}{}{}",
        p.name.name,
        maybe(": ", &p.ty, print_type),
        maybe(" in ", &p.set, expr),
        maybe(" = ", &p.default, expr)
    )
}

fn if_block(b: &IfBlock) -> String {
    let arms = join(&b.arms, " else ", |(c, body)| format!("if {} {}", expr(c), block(body)));
    format!("<{arms}{}>", maybe(" else ", &b.otherwise, block))
}

fn block(b: &Block) -> String {
    format!("{{{}}}", stmts(&b.items))
}

fn clause(word: &str, c: &Option<LambdaClause>) -> String {
    maybe(word, c, |c| format!("({}) -> {}", join(&c.params, ", ", id), expr(&c.body)))
}

pub fn stmt(s: &Stmt) -> String {
    let doc = s.doc.as_ref().map_or(String::new(), |doc| format!("doc{doc:?} "));
    doc + &kind(&s.kind)
}

fn kind(k: &StmtKind) -> String {
    match k {
        StmtKind::Fn(d) => format!(
            "fn {}({}){}{} = {}{}{}{}",
            d.name.name,
            join(&d.params, ", ", spec),
            maybe(" -> ", &d.result, print_type),
            maybe(" in ", &d.range, expr),
            expr(&d.body),
            clause(" derivative ", &d.derivative),
            clause(" prox ", &d.prox),
            list(" is ", &d.facts, id)
        ),
        StmtKind::Primitive(d) => format!(
            "primitive {}({}){}{} = {:?}{}{}",
            d.name.name,
            join(&d.params, ", ", spec),
            maybe(" -> ", &d.result, print_type),
            maybe(" in ", &d.range, expr),
            d.native,
            clause(" derivative ", &d.derivative),
            list(" is ", &d.facts, id)
        ),
        StmtKind::Rule(d) => format!(
            "{}rule {}: {} => {}{}",
            match d.kind {
                RuleKind::Exact => "exact ",
                RuleKind::Real => "",
                RuleKind::Stable => "stable ",
            },
            d.name.name,
            expr(&d.pattern),
            expr(&d.replacement),
            maybe(" if ", &d.condition, expr)
        ),
        StmtKind::Type(d) => {
            format!("type {}({}) = {}", d.name.name, join(&d.params, ", ", id), print_type(&d.ty))
        }
        StmtKind::Objective(d) => {
            format!("objective {}({}) {}", d.name.name, join(&d.params, ", ", spec), block(&d.body))
        }
        StmtKind::Optimizer(d) => {
            format!("optimizer {}({}) {}", d.name.name, join(&d.params, ", ", spec), block(&d.body))
        }
        StmtKind::Members(d) => format!(
            "{} {}({}) {{{}}}",
            if d.distribution { "distribution" } else { "set" },
            d.name.name,
            join(&d.params, ", ", spec),
            join(&d.members, "; ", |m| format!(
                "{}({}) = {}",
                m.name.name,
                join(&m.params, ", ", spec),
                expr(&m.body)
            ))
        ),
        StmtKind::Test(d) => format!("test {:?} {}", d.name, block(&d.body)),
        StmtKind::Import { path, name, .. } => {
            format!("import {path:?}{}", maybe(" as ", name, id))
        }
        StmtKind::Input { name, ty, default } => {
            format!("input {}{}{}", name.name, maybe(": ", ty, print_type), maybe(" = ", default, expr))
        }
        StmtKind::Precision(name) => format!("precision {}", name.name),
        StmtKind::Let { pattern: p, ty, value } => {
            format!("let {}{} = {}", pattern(p), maybe(": ", ty, print_type), expr(value))
        }
        StmtKind::Draw { pattern: p, ty, source, given } => format!(
            "let {}{} ~ {}{}",
            pattern(p),
            maybe(": ", ty, print_type),
            expr(source),
            maybe(" given ", given, expr)
        ),
        StmtKind::Var { pattern: p, ty, value } => {
            format!("var {}{} = {}", pattern(p), maybe(": ", ty, print_type), expr(value))
        }
        StmtKind::Assign { place, op, value } => {
            format!("{} {}= {}", expr(place), op.map_or("", BinOp::text), expr(value))
        }
        StmtKind::For { binding: b, condition, body } => {
            format!("for {}{} {}", binding(b), maybe(" while ", condition, expr), block(body))
        }
        StmtKind::If(b) => if_block(b),
        StmtKind::Print(values) => format!("print {}", join(values, ", ", arg)),
        StmtKind::Plot { values, path, options } => format!(
            "plot {}{}{}",
            join(values, ", ", arg),
            maybe(" to ", path, expr),
            list(" with ", options, arg)
        ),
        StmtKind::Save { value, path } => format!("save {} to {}", expr(value), expr(path)),
        StmtKind::Assert { condition, message } => {
            format!("assert {}{}", expr(condition), maybe(", ", message, expr))
        }
        StmtKind::Expr(value) => expr(value),
        StmtKind::Param(p) => format!("param {}", param(p)),
        StmtKind::Clause(c) => format!(
            "clause {} {}{}{}{}",
            if c.maximize { "maximize" } else { "minimize" },
            join(&c.values, ", ", expr),
            list(" over ", &c.over, id),
            list(" given ", &c.given, id),
            list(" subject to ", &c.constraints, constraint)
        ),
        StmtKind::Report { name, value } => format!("report {} = {}", name.name, expr(value)),
        StmtKind::Players(names) => format!("players {}", join(names, ", ", id)),
        StmtKind::State(items) => format!(
            "state {}",
            join(items, ", ", |(name, ty, value)| format!(
                "{}{} = {}",
                name.name,
                maybe(": ", ty, print_type),
                expr(value)
            ))
        ),
        StmtKind::Step(b) => format!("step {}", block(b)),
        StmtKind::Answer { value, more } => {
            format!("answer {}{}", expr(value), list(", ", more, arg))
        }
        StmtKind::Stop { status, condition } => {
            format!("stop {} if {}", status.name, expr(condition))
        }
        StmtKind::Each { name, ty, body } => {
            format!("each {}{} {}", name.name, maybe(": ", ty, print_type), block(body))
        }
        StmtKind::Otherwise(value) => format!("otherwise using {}", expr(value)),
        StmtKind::Error => "ERROR".into(),
    }
}
