//! The documents say what the code does: tables in `docs/` that are made here, and codes that must be explained there.
//!
//! `UPDATE_VECTORS=1 cargo test -p dtsen-proto --test docs` writes the made parts anew.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use dtsen_proto::{
    batch::BodyRefusal,
    envelope::PayloadType,
    limits,
    record::RecordKind,
    refusal,
    rulebook::{Owner, Rulebook, Severity, Shape},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn protocol() -> String {
    read("docs/PROTOCOL.md")
}

/// Compares what stands between two markers of a document with what it must be, or puts it there.
fn section(path: &str, name: &str, made: &str) {
    let text = read(path);
    let (begin, end) =
        (format!("<!-- {name}: made by proto/tests/docs.rs -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{path}: no marker {begin}"));
    let (there, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{path}: no marker {end}"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(root().join(path), format!("{before}{begin}\n{made}\n{end}{after}")).expect("writable");
        return;
    }
    assert!(there == format!("\n{made}\n"), "{path}: {name} is out of date; run with UPDATE_VECTORS=1");
}

fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Dukcapil => "Dukcapil",
        Owner::Region => "region of domicile",
        Owner::Pln => "PLN",
        Owner::Bpjs => "BPJS",
        Owner::Hub => "the hub alone",
    }
}

#[test]
fn columns_are_those_of_the_rulebook() {
    let book = Rulebook::builtin();
    let mut made = format!("Rulebook version {}, edition `{}`.\n", book.version(), book.edition());
    for (kind, title) in [(RecordKind::Keluarga, "KELUARGA"), (RecordKind::Individu, "INDIVIDU")] {
        let _ = writeln!(
            made,
            "\nBlocks of {title}:\n\n| block | name | decided by | specific data (UU 27/2022) |\n|---|---|---|---|"
        );
        for block in book.blocks(kind) {
            let specific = if block.spesifik { "yes" } else { "no" };
            let _ = writeln!(
                made,
                "| {} | `{}` | {} | {specific} |",
                block.number.0,
                block.name,
                owner(block.owner)
            );
        }
        let _ =
            writeln!(made, "\nColumns of {title}:\n\n| column | block | name | holds |\n|---|---|---|---|");
        for column in book.columns(kind) {
            let holds = match column.shape {
                Shape::Text => "text".to_owned(),
                Shape::Count { max } => format!("count 0–{max}"),
                Shape::Date => "date".to_owned(),
                Shape::Nik => "NIK".to_owned(),
                Shape::Kk => "No. KK".to_owned(),
                Shape::Area => "Kemendagri code, dotted".to_owned(),
                Shape::Bps => "BPS code".to_owned(),
                Shape::Code(_) => {
                    format!("code of list `{}`", book.list_name(column.number).expect("a list"))
                }
            };
            let _ =
                writeln!(made, "| {} | {} | `{}` | {holds} |", column.number.0, column.block.0, column.name);
        }
    }
    let mut lists = BTreeMap::new();
    for kind in [RecordKind::Keluarga, RecordKind::Individu] {
        for column in book.columns(kind) {
            let Some(name) = book.list_name(column.number) else { continue };
            let codes = book.codes(column.number).iter().map(|(code, label)| format!("{code} {label}"));
            lists.insert(name, codes.collect::<Vec<_>>().join(" · "));
        }
    }
    made.push_str("\nCode lists:\n\n| list | codes |\n|---|---|\n");
    for (name, codes) in lists {
        let _ = writeln!(made, "| `{name}` | {codes} |");
    }
    section("docs/PROTOCOL.md", "columns", &made);
}

macro_rules! limits {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), u64::try_from(limits::$name).expect("small"))),*]
    };
}

#[test]
fn limits_are_those_of_the_code() {
    let values = limits![
        MAX_DELTA_BYTES,
        MAX_BATCH_DELTAS,
        BATCH_DELTAS,
        MAX_BODY_BYTES,
        MAX_HEADER_BYTES,
        MAX_CHUNK_BYTES,
        MAX_MESSAGE_BYTES,
        MAX_PART_BYTES,
        MAX_PART_PLAIN_BYTES,
        MAX_PARTS,
        MAX_MANIFEST_BYTES,
        VERSIONS_PER_GENERATION,
        MAX_FEED_ENTRIES,
        MAX_RULEBOOK_BYTES,
        MAX_TEXT_BYTES,
        MAX_SOURCE_BYTES,
        MAX_CLAIMS_PER_BLOCK,
    ];
    let source = read("proto/src/limits.rs");
    assert_eq!(source.matches("pub const ").count(), values.len(), "a limit is missing in this test");
    let mut made = "| limit | value | what and why |\n|---|---|---|\n".to_owned();
    for (name, value) in values {
        let (before, _) = source.split_once(&format!("pub const {name}:")).expect("in the source");
        let doc = before
            .lines()
            .rev()
            .take_while(|l| l.starts_with("///"))
            .map(|l| l.trim_start_matches("///").trim());
        let doc: Vec<&str> = doc.collect();
        let doc: Vec<&str> = doc.into_iter().rev().collect();
        let _ = writeln!(made, "| `{name}` | {value} | {} |", doc.join(" "));
    }
    section("docs/PROTOCOL.md", "limits", &made);
}

/// `BadSignature` to `BAD_SIGNATURE`.
fn code_of(variant: &str) -> String {
    let mut code = String::new();
    for c in variant.chars() {
        if c.is_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(c.to_ascii_uppercase());
    }
    code
}

/// gRPC code of every refusal, read from the hub's one place for it.
fn statuses() -> BTreeMap<String, String> {
    let source = read("central/src/grpc/status.rs");
    let (_, function) = source.split_once("fn code(refusal: &Refusal) -> Code {").expect("the function");
    let (body, _) = function.split_once("\n}\n").expect("its end");
    let mut waiting = Vec::new();
    let mut found = BTreeMap::new();
    for word in body.split(|c: char| !(c.is_alphanumeric() || c == ':')) {
        if let Some(variant) = word.strip_prefix("Refusal::") {
            waiting.push(code_of(variant));
        } else if let Some(status) = word.strip_prefix("Code::") {
            found.extend(waiting.drain(..).map(|code| (code, code_of(status))));
        }
    }
    found
}

#[test]
fn every_refusal_is_in_the_table_and_has_a_page() {
    let (text, statuses) = (protocol(), statuses());
    assert_eq!(
        statuses.len(),
        refusal::CODES.len(),
        "central/src/grpc/status.rs has another form than this test reads"
    );
    for code in refusal::CODES {
        let status = statuses.get(*code).unwrap_or_else(|| panic!("{code} has no gRPC code"));
        let row = format!("| [`{code}`](errors/{code}.md) | {status} |");
        assert!(text.contains(&row), "docs/PROTOCOL.md §10 lacks: {row}");
        let page = read(&format!("docs/errors/{code}.md"));
        assert!(page.starts_with(&format!("# {code}\n")), "docs/errors/{code}.md has another title");
        for part in [
            "**Yang terjadi.**",
            "**Siapa bertindak.**",
            "**Yang dilakukan.**",
            "**What happened.**",
            "**Who acts.**",
            "**What to do.**",
        ] {
            assert!(page.contains(part), "docs/errors/{code}.md lacks {part}");
        }
    }
}

#[test]
fn body_refusals_and_payload_types_are_in_the_protocol() {
    let text = protocol();
    for refusal in [
        BodyRefusal::BodyTooLarge,
        BodyRefusal::TooManyDeltas,
        BodyRefusal::DeltaTooLarge,
        BodyRefusal::ErasedOnArrival,
    ] {
        assert!(text.contains(&format!("| `{}` |", refusal.code())), "{}", refusal.code());
    }
    for payload in [
        PayloadType::BATCH_HEADER,
        PayloadType::RECEIPT,
        PayloadType::VERDICTS,
        PayloadType::DECISION,
        PayloadType::RELEASE,
        PayloadType::FRESHNESS,
        PayloadType::RULEBOOK,
        PayloadType::ENROLMENT,
    ] {
        assert!(text.contains(&format!("| `{}` |", payload.as_str())), "{}", payload.as_str());
    }
}

/// Every message and field of the schema is named in the protocol, so that none is added without a word.
#[test]
fn every_call_is_described() {
    let text = protocol();
    for file in ["exchange.proto", "enrolment.proto"] {
        let schema = read(&format!("proto/schema/dtsen/v1/{file}"));
        for line in schema.lines().filter_map(|l| l.trim().strip_prefix("rpc ")) {
            let name = line.split('(').next().expect("a name");
            assert!(text.contains(&format!("### {name}\n")), "{name} has no heading");
        }
    }
}

#[test]
fn reasons_have_their_page() {
    let mut made = String::new();
    for reason in Rulebook::builtin().reasons() {
        let (severity_id, severity) = match reason.severity {
            Severity::Notice => ("pemberitahuan", "notice"),
            Severity::Warning => ("peringatan", "warning"),
            Severity::Hold => ("ditahan", "hold"),
            Severity::Error => ("ditolak", "error"),
        };
        let _ = write!(
            made,
            "## {}\n\n{} ({severity_id}). **Perbaikan:** {}.\n\n{} ({severity}). **Fix:** {}.\n\n",
            reason.code, reason.text_id, reason.fix_id, reason.text_en, reason.fix_en
        );
    }
    section("docs/errors/REASONS.md", "reasons", made.trim_end());
}

#[test]
fn every_table_has_its_line_in_storage() {
    let storage = read("docs/STORAGE.md");
    let (hub, node) = storage.split_once("\n## Node: database\n").expect("two parts");
    let mut seen = 0;
    for (folder, part) in [("central/migrations/sqlite", hub), ("node/migrations", node)] {
        for file in fs::read_dir(root().join(folder)).expect("a folder") {
            let text = fs::read_to_string(file.expect("an entry").path()).expect("readable");
            for line in text.lines().filter_map(|l| l.strip_prefix("CREATE TABLE ")) {
                let table = line.split([' ', '(']).next().expect("a name");
                let named = part
                    .lines()
                    .filter(|l| l.starts_with('|'))
                    .any(|l| l.split('|').nth(1).is_some_and(|first| first.contains(&format!("`{table}`"))));
                assert!(named, "docs/STORAGE.md has no line for {table} of {folder}");
                seen += 1;
            }
        }
    }
    assert!(seen > 30, "tables were not found");
}

/// Links between documents lead somewhere.
#[test]
fn links_lead_somewhere() {
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/PROTOCOL.md",
        "docs/STORAGE.md",
        "docs/GLOSSARY.md",
        "docs/SECURITY.md",
    ] {
        let text = read(page);
        let folder = root().join(page).parent().expect("a folder").to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().expect("a part");
            let there = target.is_empty() || target.starts_with("http") || folder.join(target).exists();
            assert!(there, "{page}: {link}");
        }
    }
}

/// Every row of the threat model names a test that exists, or says that there is none.
#[test]
fn every_threat_has_its_test() {
    let text = read("docs/SECURITY.md");
    let mut seen = 0;
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let shown = cells.last().expect("a cell");
        if row.starts_with("|--") || *shown == "shown by" {
            continue;
        }
        assert_eq!(cells.len(), 5, "asset, attacker, attack, defence, test: {row}");
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || shown.starts_with("not tested"), "no test: {row}");
        for test in tests {
            let (file, name) = test.split_once('#').unwrap_or((test, ""));
            assert!(root().join(file).exists(), "there is no {file}: {row}");
            assert!(name.is_empty() || read(file).contains(&format!("fn {name}(")), "no {name} in {file}");
            seen += 1;
        }
    }
    assert!(seen > 30, "rows were not found");
}
