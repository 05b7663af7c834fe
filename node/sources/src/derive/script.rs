//! Expressions of a mapping: small scripts that see the columns of one row and nothing else, within a budget.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, LazyLock, OnceLock},
};

use rhai::{
    AST, CallFnOptions, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext, Scope,
    packages::{
        ArithmeticPackage, BasicArrayPackage, BasicIteratorPackage, BasicMathPackage, BasicStringPackage,
        LogicPackage, MoreStringPackage, Package as _,
    },
};

use super::DeriveError;
use crate::{
    cell::Cell,
    clean::{text::clean, words::folded},
};

/// Steps of one row: a hundred times what an expression of ten lines takes, and below a millisecond.
const MAX_OPERATIONS: u64 = 10_000;
/// Bytes of a text: no address is longer, and steps on texts stay cheap.
const MAX_TEXT_BYTES: usize = 4096;
/// Parts of a split text, and of whatever else is a list.
const MAX_ARRAY: usize = 256;
/// The language has maps even where nothing here makes one.
const MAX_MAP: usize = 64;
/// Brackets in brackets: deeper ones would use up the stack of the parser.
const MAX_DEPTH: usize = 32;
/// Calls in calls, of anonymous functions: the stack again.
const MAX_CALLS: usize = 8;
/// Names of an expression that is meant to be read by people.
const MAX_VARIABLES: usize = 64;
/// Words of the language that reach out of the row or make code of text.
const FORBIDDEN: [&str; 4] = ["eval", "import", "print", "debug"];
/// The function that the text becomes: only a function call may carry a row along.
const BODY: &str = "isi";

/// One engine for all: what it holds never changes, the row travels with the call.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // Raw: nothing that prints, sleeps or keeps texts that it has seen.
    let mut engine = Engine::new_raw();
    engine
        .register_global_module(ArithmeticPackage::new().as_shared_module())
        .register_global_module(BasicArrayPackage::new().as_shared_module())
        .register_global_module(BasicIteratorPackage::new().as_shared_module())
        .register_global_module(BasicMathPackage::new().as_shared_module())
        .register_global_module(BasicStringPackage::new().as_shared_module())
        .register_global_module(LogicPackage::new().as_shared_module())
        .register_global_module(MoreStringPackage::new().as_shared_module())
        .register_fn("kolom", column)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_string_size(MAX_TEXT_BYTES)
        .set_max_array_size(MAX_ARRAY)
        .set_max_map_size(MAX_MAP)
        .set_max_expr_depths(MAX_DEPTH, MAX_DEPTH)
        .set_max_call_levels(MAX_CALLS)
        .set_max_variables(MAX_VARIABLES)
        .set_strict_variables(true);
    for word in FORBIDDEN {
        engine.disable_symbol(word);
    }
    engine
});

/// What an expression sees: the columns that it is made from, by folded heading.
#[derive(Clone)]
struct Seen(Arc<Columns>);

struct Columns {
    texts: Vec<(String, ImmutableString)>,
    /// A heading that it asked for and that is none of these.
    unlisted: OnceLock<String>,
}

/// `kolom("Tgl Lahir")`: the text of a column in this row.
#[expect(clippy::needless_pass_by_value, reason = "as the engine hands it out")]
fn column(context: NativeCallContext<'_>, heading: &str) -> Result<ImmutableString, Box<EvalAltResult>> {
    let seen = context.tag().and_then(Dynamic::read_lock::<Seen>);
    let Some(seen) = seen else { return Err("kolom() tanpa baris".into()) };
    let wanted = folded(heading);
    let found = seen.0.texts.iter().find(|(name, _)| *name == wanted);
    found.map(|(_, text)| text.clone()).ok_or_else(|| {
        let _ = seen.0.unlisted.set(heading.to_owned());
        "kolom() di luar from".into()
    })
}

/// An expression, compiled.
#[derive(Clone)]
pub(super) struct Script {
    text: String,
    compiled: Arc<AST>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Script").field(&self.text).finish()
    }
}

impl PartialEq for Script {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Script {}

/// A row on which an expression fails, or does not end within its budget.
#[derive(Debug)]
pub(super) struct Failed;

impl Script {
    /// Compiles an expression over columns with these headings, and tries it on a row of empty ones.
    pub(super) fn new(text: &str, from: &[String]) -> Result<Self, DeriveError> {
        let wrong = |cause: rhai::ParseError| DeriveError::Script(cause.to_string());
        // Alone first: places in errors are those of the text.
        ENGINE.compile(text).map_err(wrong)?;
        let mut compiled = ENGINE.compile(format!("fn {BODY}() {{\n{text}\n}}")).map_err(wrong)?;
        compiled.clear_statements();
        let script = Self { text: text.to_owned(), compiled: Arc::new(compiled) };
        let columns = Columns::of(from.iter().map(|heading| (folded(heading), String::new())));
        let result = script.call(&columns);
        if let Some(heading) = columns.unlisted.get() {
            return Err(DeriveError::Unlisted(heading.clone()));
        }
        match result {
            Ok(value) => cell(value).map(|_| script).map_err(|_| DeriveError::Result),
            // A name that there is not, for whatever is not `()`: another row will not find it either.
            Err(Some(error)) => match error.unwrap_inner() {
                EvalAltResult::ErrorFunctionNotFound(name, _)
                    if !name.contains("(()") && !name.contains(", ()") =>
                {
                    Err(DeriveError::Function(name.clone()))
                }
                _ => Ok(script),
            },
            // Many a sound expression fails where there is nothing.
            Err(None) => Ok(script),
        }
    }

    /// What it makes of the columns of a row, by folded heading.
    pub(super) fn run(&self, texts: impl Iterator<Item = (String, String)>) -> Result<Cell, Failed> {
        // The error is not kept: it may hold what stands in the row.
        cell(self.call(&Columns::of(texts)).map_err(|_| Failed)?)
    }

    fn call(&self, columns: &Arc<Columns>) -> Result<Dynamic, Option<Box<EvalAltResult>>> {
        let options = CallFnOptions::new().eval_ast(false).with_tag(Dynamic::from(Seen(Arc::clone(columns))));
        let call = || ENGINE.call_fn_with_options(options, &mut Scope::new(), &self.compiled, BODY, ());
        // What another library does with odd texts must not end the reading of a whole delivery.
        catch_unwind(AssertUnwindSafe(call)).map_err(|_| None)?.map_err(Some)
    }
}

impl Columns {
    fn of(texts: impl Iterator<Item = (String, String)>) -> Arc<Self> {
        let texts = texts.map(|(heading, text)| (heading, text.into())).collect();
        Arc::new(Self { texts, unlisted: OnceLock::new() })
    }
}

/// A text, a whole number, or `()` for nothing.
fn cell(value: Dynamic) -> Result<Cell, Failed> {
    if value.is_unit() {
        return Ok(Cell::Empty);
    }
    if let Ok(number) = value.as_int() {
        return Ok(Cell::Whole(number));
    }
    let text = value.into_immutable_string().map_err(|_| Failed)?;
    Ok(Cell::Text(clean(&text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, value: &str) -> Option<String> {
        let script = Script::new(text, &["Isi".to_owned()]).expect("compiles");
        let cell = script.run(std::iter::once(("isi".to_owned(), value.to_owned()))).ok()?;
        Some(cell.text().into_owned())
    }

    #[test]
    fn an_expression_gives_a_text_a_number_or_nothing() {
        for (text, value, expected) in [
            (r#"kolom("ISI") + "!""#, "a", "a!"),
            (r#"let x = kolom("Isi"); x.trim(); x.to_upper()"#, " a ", "A"),
            (r#"if kolom("isi").contains("x") { () } else { "tanpa" }"#, "axb", ""),
            (r#"kolom("isi").split("/")[1]"#, "a/b", "b"),
            (r#"return kolom("isi").sub_string(0, 2);"#, "abc", ""),
            (r#"return kolom("isi").sub_string(0, 2)"#, "abc", "ab"),
            (r#"parse_int(kolom("isi")) + 1"#, "41", "42"),
            (r#"kolom("isi") // akhir"#, "a", "a"),
        ] {
            let found = run(text, value);
            if text.ends_with(';') {
                assert!(found.is_some(), "{text}");
            } else {
                assert_eq!(found.as_deref(), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn what_fails_or_never_ends_is_a_failure_of_the_row() {
        for text in [
            r#"if kolom("isi") == "" { () } else { loop {} }"#,
            r#"let x = "a"; loop { x += x; }"#,
            "let x = []; loop { x.push(x); }",
            r#""a".pad(100000000, "b")"#,
            r#"for i in 0..1000000000000 { let x = i; } "a""#,
            "let f = |g| g.call(g); f.call(f)",
            r#"kolom("isi").split("/")[9]"#,
            r#"parse_int(kolom("isi"))"#,
            r#"1 / (kolom("isi").len() - 1)"#,
            r#"9223372036854775807 + kolom("isi").len()"#,
            r#"throw "x""#,
        ] {
            assert_eq!(run(text, "a"), None, "{text}");
        }
        assert_eq!(run(r#"kolom("isi")"#, &"a".repeat(MAX_TEXT_BYTES + 1)), None);
    }

    #[test]
    fn what_does_not_compile_is_told_at_once() {
        let from = ["Isi".to_owned()];
        for text in [
            "kolom(",
            r#"eval("1")"#,
            r#"print("a")"#,
            r#"debug("a")"#,
            r#"import "a" as b; 1"#,
            "tidak_ada",
            "} fn b() {",
            "fn b() { 1 } b()",
            &"(".repeat(10_000),
        ] {
            assert!(matches!(Script::new(text, &from), Err(DeriveError::Script(_))), "{text}");
        }
        for text in
            ["sleep(1000)", "timestamp()", "exit(1)", "kolom('I')", r#"kolom("isi").tidak_ada()"#, "blob(9)"]
        {
            assert!(matches!(Script::new(text, &from), Err(DeriveError::Function(_))), "{text}");
        }
        let unlisted = Script::new(r#"kolom("Lain")"#, &from);
        assert!(matches!(unlisted, Err(DeriveError::Unlisted(heading)) if heading == "Lain"));
        assert!(matches!(Script::new("1.5", &from), Err(DeriveError::Result)));
    }
}
