//! Statements and declarations to text.

use super::ast::*;
use super::print::{Level, Printer, level, quoted};

impl Printer {
    // Parts of declarations

    pub(super) fn param(&mut self, param: &ParamDecl) {
        self.put(&param.name.name);
        self.annotation(&param.ty);
        if let Some(set) = &param.set {
            self.put(" in ");
            self.set(set);
        }
        match &param.start {
            Some(ParamStart::Value(start)) => {
                self.put(" = ");
                self.expr(start, Level::Expr);
            }
            Some(ParamStart::Draw(source)) => {
                self.put(" ~ ");
                self.expr(source, Level::Expr);
            }
            None => {}
        }
    }

    pub(super) fn params(&mut self, params: &[ParamSpec]) {
        self.put("(");
        self.list(params, |printer, param| {
            printer.put(&param.name.name);
            printer.annotation(&param.ty);
            if let Some(set) = &param.set {
                printer.put(" in ");
                printer.set(set);
            }
            printer.behind(" = ", &param.default);
        });
        self.put(")");
    }

    fn result(&mut self, ty: &Option<TypeExpr>, range: &Option<Expr>) {
        if let Some(ty) = ty {
            self.put(" -> ");
            self.ty(ty);
        }
        if let Some(range) = range {
            self.put(" in ");
            self.set(range);
        }
    }

    /// A clause of a function: a line of its own, or the same line where that would end it.
    fn clause(&mut self, word: &str) {
        if self.indent == 0 {
            self.put("\n  ");
        } else {
            self.put(" ");
        }
        self.put(word);
    }

    fn function_clauses(
        &mut self,
        derivative: &Option<LambdaClause>,
        prox: &Option<LambdaClause>,
        facts: &[Ident],
    ) {
        if let Some(derivative) = derivative {
            self.clause("derivative ");
            self.names(&derivative.params);
            self.put(" -> ");
            self.expr(&derivative.body, Level::Expr);
        }
        if let Some(prox) = prox {
            self.clause("prox (");
            self.names(&prox.params);
            self.put(") -> ");
            self.expr(&prox.body, Level::Expr);
        }
        if !facts.is_empty() {
            self.clause("is ");
            self.names(facts);
        }
    }

    fn function(&mut self, decl: &FnDecl) {
        self.put("fn ");
        self.put(&decl.name.name);
        self.params(&decl.params);
        self.result(&decl.result, &decl.range);
        match &*decl.body.kind {
            ExprKind::Block(block) => {
                self.put(" ");
                self.block(block);
            }
            _ => {
                self.put(" = ");
                self.expr(&decl.body, Level::Anything);
            }
        }
        self.function_clauses(&decl.derivative, &decl.prox, &decl.facts);
    }

    fn primitive(&mut self, decl: &PrimitiveDecl) {
        self.put("primitive ");
        self.put(&decl.name.name);
        self.params(&decl.params);
        self.result(&decl.result, &decl.range);
        self.put(" = native ");
        self.put(&quoted(&decl.native));
        self.function_clauses(&decl.derivative, &None, &decl.facts);
    }

    fn rule(&mut self, decl: &RuleDecl) {
        self.put(match decl.kind {
            RuleKind::Exact => "exact rule ",
            RuleKind::Real => "rule ",
            RuleKind::Stable => "stable rule ",
        });
        self.put(&decl.name.name);
        self.put(": ");
        self.expr(&decl.pattern, Level::Expr);
        self.put(" => ");
        self.expr(&decl.replacement, Level::Expr);
        self.behind(" if ", &decl.condition);
    }

    fn members(&mut self, decl: &MembersDecl) {
        self.put(if decl.distribution { "distribution " } else { "set " });
        self.put(&decl.name.name);
        self.params(&decl.params);
        self.put(" {");
        self.indent += 1;
        for member in &decl.members {
            self.line();
            self.put(&member.name.name);
            if !member.params.is_empty() {
                self.params(&member.params);
            }
            self.put(" = ");
            self.expr(&member.body, Level::Value);
        }
        self.indent -= 1;
        self.line();
        self.put("}");
    }

    // Statements

    pub(super) fn block(&mut self, block: &Block) {
        if block.items.is_empty() {
            return self.put("{ }");
        }
        self.put("{");
        self.indent += 1;
        for item in &block.items {
            self.line();
            self.stmt(item);
        }
        self.indent -= 1;
        self.line();
        self.put("}");
    }

    pub(super) fn if_block(&mut self, block: &IfBlock) {
        for (at, (condition, then)) in block.arms.iter().enumerate() {
            self.put(if at == 0 { "if " } else { " else if " });
            self.expr(condition, Level::Expr);
            self.put(" ");
            self.block(then);
        }
        if let Some(otherwise) = &block.otherwise {
            self.put(" else ");
            self.block(otherwise);
        }
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        if let Some(doc) = &stmt.doc {
            for line in doc.split('\n') {
                self.put("///");
                if !line.is_empty() {
                    self.put(" ");
                    self.put(line);
                }
                self.line();
            }
        }
        self.stmt_kind(&stmt.kind);
    }

    #[expect(clippy::too_many_lines, reason = "one arm per kind of statement")]
    fn stmt_kind(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::Fn(decl) => self.function(decl),
            StmtKind::Primitive(decl) => self.primitive(decl),
            StmtKind::Rule(decl) => self.rule(decl),
            StmtKind::Type(decl) => {
                self.put("type ");
                self.put(&decl.name.name);
                if !decl.params.is_empty() {
                    self.put("(");
                    self.names(&decl.params);
                    self.put(")");
                }
                self.put(" = ");
                self.ty(&decl.ty);
            }
            StmtKind::Objective(decl) => {
                self.with_body("objective ", &decl.name, &decl.params, &decl.body);
            }
            StmtKind::Optimizer(decl) => {
                self.with_body("optimizer ", &decl.name, &decl.params, &decl.body);
            }
            StmtKind::Members(decl) => self.members(decl),
            StmtKind::Test(decl) => {
                self.put("test ");
                self.put(&quoted(&decl.name));
                self.put(" ");
                self.block(&decl.body);
            }
            StmtKind::Import { path, name, .. } => {
                self.put("import ");
                self.put(&quoted(path));
                if let Some(name) = name {
                    self.put(" as ");
                    self.put(&name.name);
                }
            }
            StmtKind::Input { name, ty, default } => {
                self.put("input ");
                self.put(&name.name);
                self.annotation(ty);
                self.behind(" = ", default);
            }
            StmtKind::Precision(name) => {
                self.put("precision ");
                self.put(&name.name);
            }
            StmtKind::Let { pattern, ty, value } => self.binds("let ", pattern, ty, value),
            StmtKind::Var { pattern, ty, value } => self.binds("var ", pattern, ty, value),
            StmtKind::Draw { pattern, ty, source, given } => {
                self.put("let ");
                self.pattern(pattern);
                self.annotation(ty);
                self.put(" ~ ");
                self.expr(source, Level::Expr);
                self.behind(" given ", given);
            }
            StmtKind::Assign { place, op, value } => {
                self.expr(place, Level::Postfix);
                self.put(" ");
                self.put(op.map_or("", BinOp::text));
                self.put("= ");
                self.expr(value, Level::Anything);
            }
            StmtKind::For { binding, condition, body } => {
                self.put("for ");
                self.binding(binding);
                self.behind(" while ", condition);
                self.put(" ");
                self.block(body);
            }
            StmtKind::If(block) => self.if_block(block),
            StmtKind::Print(values) => {
                self.put("print ");
                self.list(values, Printer::plain_arg);
            }
            StmtKind::Plot { values, path, options } => {
                self.put("plot ");
                self.list(values, Printer::plain_arg);
                self.behind(" to ", path);
                if !options.is_empty() {
                    self.put(" with ");
                    self.list(options, Printer::plain_arg);
                }
            }
            StmtKind::Save { value, path } => {
                self.put("save ");
                self.expr(value, Level::Expr);
                self.put(" to ");
                self.expr(path, Level::Expr);
            }
            StmtKind::Assert { condition, message } => {
                self.put("assert ");
                self.expr(condition, Level::Expr);
                self.behind(", ", message);
            }
            StmtKind::Expr(value) if level(&value.kind) == Level::Value => {
                self.expr(value, Level::Expr);
            }
            StmtKind::Expr(value) => self.expr(value, Level::Anything),
            StmtKind::Param(param) => {
                self.put("param ");
                self.start_of_param(param);
            }
            StmtKind::Clause(clause) => self.objective_clause(clause),
            StmtKind::Report { name, value } => {
                self.put("report ");
                self.named(name, value, Level::Anything);
            }
            StmtKind::Players(names) => {
                self.put("players ");
                self.names(names);
            }
            StmtKind::State(items) => {
                self.put("state ");
                self.list(items, |printer, (name, ty, value)| {
                    printer.put(&name.name);
                    printer.annotation(ty);
                    printer.put(" = ");
                    printer.expr(value, Level::Value);
                });
            }
            StmtKind::Step(body) => {
                self.put("step ");
                self.block(body);
            }
            StmtKind::Answer { value, more } => {
                self.put("answer ");
                self.expr(value, Level::Expr);
                for arg in more {
                    self.put(", ");
                    self.plain_arg(arg);
                }
            }
            StmtKind::Stop { status, condition } => {
                self.put("stop ");
                self.put(&status.name);
                self.put(" if ");
                self.expr(condition, Level::Expr);
            }
            StmtKind::Each { name, ty, body } => {
                self.put("each ");
                self.put(&name.name);
                self.annotation(ty);
                self.put(" ");
                self.block(body);
            }
            StmtKind::Otherwise(value) => {
                self.put("otherwise using ");
                self.expr(value, Level::Expr);
            }
            StmtKind::Error => self.put("?"),
        }
    }

    fn binds(&mut self, word: &str, pattern: &Pattern, ty: &Option<TypeExpr>, value: &Expr) {
        self.put(word);
        self.pattern(pattern);
        self.annotation(ty);
        self.put(" = ");
        self.expr(value, Level::Anything);
    }

    fn with_body(&mut self, word: &str, name: &Ident, params: &[ParamSpec], body: &Block) {
        self.put(word);
        self.put(&name.name);
        self.params(params);
        self.put(" ");
        self.block(body);
    }

    /// As [`Printer::param`], with a start that may be anything.
    fn start_of_param(&mut self, param: &ParamDecl) {
        match &param.start {
            Some(ParamStart::Value(start)) if level(&start.kind) < Level::Expr => {
                let bare = ParamDecl { start: None, ..param.clone() };
                self.param(&bare);
                self.put(" = ");
                self.expr(start, Level::Anything);
            }
            _ => self.param(param),
        }
    }

    fn objective_clause(&mut self, clause: &ClauseDecl) {
        self.put(if clause.maximize { "maximize " } else { "minimize " });
        self.exprs(&clause.values);
        for (word, names) in [(" over ", &clause.over), (" given ", &clause.given)] {
            if !names.is_empty() {
                self.put(word);
                self.names(names);
            }
        }
        self.constraints(&clause.constraints);
    }
}
